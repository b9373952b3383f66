"""A fitted penalty in the words of other libraries."""

import dataclasses
import html
import math

from onelayer.penalties.strength import between_rows

__all__ = ["PenaltyReport"]

_REGRESSIONS = ("squared", "huber", "absolute", "quantile")
_TORCH = {
    "logistic": "BCEWithLogitsLoss",
    "cross-entropy": "CrossEntropyLoss",
    "squared": "MSELoss",
    "huber": "HuberLoss",
    "absolute": "L1Loss",
}
_SGD_LOSSES = {"squared": "squared_error", "huber": "huber"}


@dataclasses.dataclass(frozen=True)
class PenaltyReport:
    """The penalty of a fit, as the arguments that give the same optimum elsewhere.

    The fit minimised the mean loss + alpha [(1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁], the bias not penalised.
    ``report["Ridge"]`` holds the arguments of one row of the table, for example for ``Ridge(**report["Ridge"])``.

    Attributes
    ----------
    alpha, l1_ratio : float
        Of the formula above.
    total_weight : float or None
        S, the sum of the weights of all rows (their number, without weights); None for models that were saved before
        it was kept, and then what depends on it is left out.
    loss : str
    outputs : int
        Rows of W.
    standardize : bool
        Whether the features were standardised: then the numbers are for standardised features everywhere.
    C : float or None
        scikit-learn's way of saying it: 1 / (alpha · total_weight).
    torch_l1 : float
        What ‖W‖₁ is multiplied by where it is added to the mean loss of torch: weight_decay is the L2 part only.
    rows : tuple of (library, name, arguments)
        The table.
    notes : tuple of str
        What each library needs to be told besides.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("breast-cancer")
    >>> report = ol.LogisticRegression(C=10, standardize=True).fit(data.X, data.y).penalty_report_
    >>> print(report)
    alpha = 0.000175747 beside the mean loss, l1_ratio = 0, total weight 569; loss: logistic
    scikit-learn  LogisticRegression        C=10, l1_ratio=0
    scikit-learn  SGDClassifier             alpha=0.000175747, l1_ratio=0
    glmnet        binomial                  lambda=0.000175747, alpha=0
    statsmodels   GLM                       alpha=0.000175747, L1_wt=0
    Spark ML      Spark LogisticRegression  regParam=0.000175747, elasticNetParam=0
    torch         BCEWithLogitsLoss (mean)  weight_decay=0.000175747
    torch         BCEWithLogitsLoss (sum)   weight_decay=0.1
    ...
    >>> round(report["BCEWithLogitsLoss (sum)"]["weight_decay"], 12)
    0.1
    """

    alpha: float
    l1_ratio: float
    total_weight: float | None
    loss: str
    outputs: int
    standardize: bool = False

    @classmethod
    def of(cls, record):
        """Return the report on a fit, from its ``objective_record_``."""
        return cls(
            alpha=record["alpha"],
            l1_ratio=record["l1_ratio"],
            total_weight=record.get("total_weight"),
            loss=record["loss"],
            outputs=record["n_outputs"],
            standardize=record["standardize"],
        )

    def __getitem__(self, name):
        for _, row, arguments in self.rows:
            if row == name:
                return dict(arguments)
        known = ", ".join(repr(row) for _, row, _ in self.rows)
        raise KeyError(f"{name!r} has no such penalty under this loss; there are {known}")

    @property
    def C(self):
        if self.total_weight is None:
            return None
        return 1 / (self.alpha * self.total_weight) if self.alpha else math.inf

    @property
    def rows(self):
        found = [*self._sklearn(), *self._glmnet(), *self._statsmodels(), *self._spark(), *self._torch()]
        # Of a model saved before total_weight was kept the sums are unknown.
        return tuple(row for row in found if None not in row[2].values())

    # ---- the libraries ----------------------------------------------------------------------------------------

    @property
    def _one_row(self):
        """(alpha, l1_ratio) for two classes with one row of weights; None for other problems."""
        if self.loss == "logistic":
            return self.alpha, self.l1_ratio
        if self.loss == "cross-entropy" and self.outputs == 2:
            return between_rows(self.alpha, self.l1_ratio, 0.5)
        return None

    def _sum(self, alpha):
        return None if self.total_weight is None else alpha * self.total_weight

    def _sklearn(self):
        alpha, ratio = self._one_row or (self.alpha, self.l1_ratio)
        if self.loss in ("logistic", "cross-entropy"):
            total = self._sum(alpha)
            C = total and 1 / total
            yield (
                "scikit-learn",
                "LogisticRegression",
                {"C": math.inf if total == 0 else C, "l1_ratio": ratio},
            )
        if self._one_row:
            yield "scikit-learn", "SGDClassifier", {"alpha": alpha, "l1_ratio": ratio}
        if self.loss == "squared" and self.l1_ratio == 0:
            yield "scikit-learn", "Ridge", {"alpha": self._sum(self.alpha)}
        if self.loss == "squared" and self.l1_ratio > 0:
            yield "scikit-learn", "ElasticNet", {"alpha": alpha, "l1_ratio": ratio}
        if self.loss in _SGD_LOSSES and self.outputs == 1:
            yield "scikit-learn", "SGDRegressor", {"alpha": alpha, "l1_ratio": ratio}

    def _glmnet(self):
        for family, (alpha, ratio) in self._families():
            yield "glmnet", family, {"lambda": alpha, "alpha": ratio}

    def _families(self):
        if self._one_row:
            yield "binomial", self._one_row
        if self.loss == "cross-entropy":
            yield "multinomial", (self.alpha, self.l1_ratio)
        if self.loss == "squared" and self.outputs == 1:
            yield "gaussian", (self.alpha, self.l1_ratio)

    def _statsmodels(self):
        if self._one_row:
            alpha, ratio = self._one_row
            yield "statsmodels", "GLM", {"alpha": alpha, "L1_wt": ratio}
            if ratio == 1:
                yield "statsmodels", "Logit", {"alpha": self._sum(alpha)}
        if self.loss == "squared" and self.outputs == 1:
            yield "statsmodels", "OLS", {"alpha": self.alpha, "L1_wt": self.l1_ratio}

    def _spark(self):
        for family, (alpha, ratio) in self._families():
            if family == "multinomial" and self.outputs == 2:
                name = "Spark LogisticRegression (multinomial)"
            else:
                name = f"Spark {'Linear' if family == 'gaussian' else 'Logistic'}Regression"
            yield "Spark ML", name, {"regParam": alpha, "elasticNetParam": ratio}

    def _torch(self):
        times, among = self._torch_scale
        decay = times * self.alpha * (1 - self.l1_ratio)
        name = _TORCH.get(self.loss, "the same loss")
        yield "torch", f"{name} (mean)", {"weight_decay": decay / among}
        yield "torch", f"{name} (sum)", {"weight_decay": self._sum(decay)}

    @property
    def _torch_scale(self):
        """How often ours the loss of torch is, and over how many outputs its mean runs besides the rows."""
        return (2.0 if self.loss == "squared" else 1.0), (self.outputs if self.loss in _REGRESSIONS else 1)

    @property
    def torch_l1(self):
        times, among = self._torch_scale
        return times / among * self.alpha * self.l1_ratio

    @property
    def notes(self):
        notes = []
        if self.standardize:
            notes.append(
                "The features were standardised (dividing by n): give standardised ones elsewhere too."
            )
        if self.loss == "squared" and self.outputs == 1 and self.l1_ratio < 1:
            notes.append(
                "glmnet and Spark's LinearRegression divide y by its standard deviation sd first: the numbers are for "
                "sd = 1; for another one multiply the L2 part, lambda (1 − alpha), by sd."
            )
        if self.loss == "cross-entropy" and self.outputs == 2:
            notes.append(
                "Two classes, a row of weights for each: for one row, as in scikit-learn and family binomial, the L2 "
                "part is half as strong."
            )
        if any(library in ("glmnet", "Spark ML") for library, _, _ in self.rows):
            notes.append(
                "glmnet and Spark standardise unless told otherwise: standardize=FALSE, standardization=False."
            )
        if any(library == "statsmodels" for library, _, _ in self.rows):
            notes.append(
                "statsmodels (fit_regularized) penalises the constant too: give alpha as an array with 0 there."
            )
        notes.append(
            "torch's SGD and Adam add weight_decay · w to the gradient, of the bias too: put it into a parameter group "
            "without decay. AdamW's decay is another thing."
        )
        if self.l1_ratio:
            notes.append(
                f"weight_decay is the L2 part only: add {self.torch_l1:.6g} ‖W‖₁ to torch's mean loss as well."
            )
        if self.total_weight is None:
            notes.append("The total weight was not kept when this model was saved: sums are left out.")
        return tuple(notes)

    # ---- for people -------------------------------------------------------------------------------------------

    @property
    def _head(self):
        total = "unknown" if self.total_weight is None else f"{self.total_weight:g}"
        return (
            f"alpha = {self.alpha:.6g} beside the mean loss, l1_ratio = {self.l1_ratio:g}, total weight {total}; "
            f"loss: {self.loss}"
        )

    def __str__(self):
        width = max(len(name) for _, name, _ in self.rows)
        lines = [f"{library:<12}  {name:<{width}}  {_shown(values)}" for library, name, values in self.rows]
        return "\n".join([self._head, *lines, *self.notes])

    def _repr_html_(self):
        cells = [
            f"<tr><td>{library}</td><td>{html.escape(name)}</td><td><code>{_shown(values)}</code></td></tr>"
            for library, name, values in self.rows
        ]
        notes = "".join(f"<li>{html.escape(note)}</li>" for note in self.notes)
        return (
            f"<p>{html.escape(self._head)}</p><table><thead><tr><th>library</th><th>model or loss</th>"
            f"<th>arguments</th></tr></thead><tbody>{''.join(cells)}</tbody></table><ul>{notes}</ul>"
        )


def _shown(arguments):
    return ", ".join(f"{name}={value:.6g}" for name, value in arguments.items())
