"""Linear regression under any loss of a real target."""

import warnings

import numpy as np
import torch
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from onelayer.errors import DataError, ParameterError, RankWarning
from onelayer.estimators.base import LinearModel, Targets
from onelayer.estimators.blockwise import blockwise, scored, squares_of
from onelayer.estimators.from_torch import RegressorExchange
from onelayer.estimators.gathering import processes_of
from onelayer.estimators.streaming import RegressorStreaming
from onelayer.estimators.validation import (
    as_array,
    as_float64,
    as_number,
    as_tensor,
    is_stream,
    require_finite,
)
from onelayer.losses import AbsoluteError, Huber, Loss, Quantile, SquaredError
from onelayer.solvers.least_squares import dependent_columns_message

__all__ = ["LOSSES", "LinearRegression"]

LOSSES = {"squared": SquaredError, "absolute": AbsoluteError, "huber": Huber, "quantile": Quantile}


class LinearRegression(RegressorMixin, RegressorExchange, RegressorStreaming, LinearModel):
    """Linear regression: ŷ = W x + b.

    Minimises ``(1/S) Σ s_i ℓ(y_i, z_i) + alpha [(1 − l1_ratio)/2 ‖W‖² + l1_ratio ‖W‖₁]``, z = W x + b, S = Σ s_i;
    the intercept b is not penalised. With ``loss="squared"``, ℓ = ½(y − z)², scikit-learn's Ridge(alpha=a) is
    ``alpha = a / S`` here.

    Parameters
    ----------
    loss : {"squared", "absolute", "huber", "quantile"} or Loss, default "squared"
        By name with default settings, or for example ``ol.losses.Huber(delta=2.0)``.
    alpha : float or Strength, default 0.0
        Strength of the penalty, ≥ 0; in the words of another library by ``onelayer.penalties.from_sklearn`` and others.
    l1_ratio : float, default 0.0
        Share of the L1 part; above 0 coefficients become exactly zero.
    fit_intercept : bool, default True
        Whether to fit b.
    solver : str or Solver, default "auto"
        "auto" (the certified optimum: ``onelayer.choose_solver`` tells how), "newton", "least-squares",
        "proximal-newton", "lbfgs", "gradient-descent", "sgd",
        or an object of ``onelayer.solvers``.
    tol : float, default 1e-6
        Certified relative gap at which the fit ends. 0: make all the steps that the solver was asked for.
    max_iter : int, optional
        Iterations of the solver; default no limit.
    time_limit : float, optional
        Seconds.
    init : {"zeros", "normal"}, float or (weight, bias), default "zeros"
        Where to start; "normal" draws W with standard deviation 0.01, a number s draws W and b with standard
        deviation s.
    n_init : int, default 1
        Fit from so many starts and keep the lowest objective, for losses that are not convex; after the first, W and
        b are drawn with standard deviation s, or 1. A certified optimum needs no further start.
    standardize : bool, default False
        Penalise the coefficients of standardised features; coefficients are given back for the original ones.
    warm_start : bool, default False
        Start from the coefficients of the last fit.
    random_state : int, RandomState or None
        For the start "normal" and the order of mini-batches.
    device : str or torch.device, optional
        Default: where X is.
    dtype : {"float32", "float64"}, optional
        Arithmetic; default float64 for float64 features, else float32.
    verbose : int, default 0
        1 shows a progress bar on standard error (2: the learning curve as it grows).

    Attributes
    ----------
    coef_ : array of shape (n_features,), or (n_targets, n_features) for 2-d y
    intercept_ : float, or array of shape (n_targets,)
    result_ : Result
        Status, message, objective, passes, seconds, trace.
    certificate_ : Certificate or None
        The proven bound; None where none exists (``result_.message`` says why).
    rank_ : int or None
        Of X, centred where there is an intercept; None from solvers that do not tell.
    n_iter_, n_features_in_ : int
    feature_names_in_ : array of str
        Only if X had column names.

    Examples
    --------
    >>> import onelayer as ol
    >>> data = ol.data.load("diabetes")
    >>> model = ol.LinearRegression().fit(data.X, data.y)
    >>> round(model.score(data.X, data.y), 4), str(model.result_.status)
    (0.5177, 'converged')
    """

    def __init__(
        self,
        loss="squared",
        *,
        alpha=0.0,
        l1_ratio=0.0,
        fit_intercept=True,
        solver="auto",
        tol=1e-6,
        max_iter=None,
        time_limit=None,
        init="zeros",
        n_init=1,
        standardize=False,
        warm_start=False,
        random_state=None,
        device=None,
        dtype=None,
        verbose=0,
    ):
        self.loss = loss
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.solver = solver
        self.tol = tol
        self.max_iter = max_iter
        self.time_limit = time_limit
        self.init = init
        self.n_init = n_init
        self.standardize = standardize
        self.warm_start = warm_start
        self.random_state = random_state
        self.device = device
        self.dtype = dtype
        self.verbose = verbose

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X, y=None, sample_weight=None, offset=None, *, checkpoint=None):
        """Fit the coefficients.

        Parameters
        ----------
        X : array-like, sparse matrix or tensor of shape (n_samples, n_features), or Stream
            A stream of :func:`onelayer.data.stream` brings its targets (and weights, if it has some), and is read a block of
            rows at a time.
        y : array-like or tensor of shape (n_samples,) or (n_samples, n_targets)
        sample_weight : array-like of shape (n_samples,), optional
            A weight of 0 is a row left out, one of k the row k times.
        offset : array-like of shape (n_samples,) or (n_samples, n_targets), optional
            A known part of the predictions: z = W x + b + offset.
        checkpoint : str or path, optional
            A folder where the fit writes down where it stands after each iteration. Where it finds that there, of the same
            fit, it goes on from it, in one process or in another number of them than before.

        Returns
        -------
        self

        Raises
        ------
        DataError
            The data cannot be used: NaN, lengths that differ, negative weights.
        ParameterError, SolverError
            A parameter is out of range, or the solver cannot handle this loss or penalty, or the checkpoint is of another fit.
        OutputError, ModelFileError
            The checkpoint cannot be written, or is damaged.
        """
        return self._fit(X, y, sample_weight, offset, checkpoint)

    def score(self, X, y=None, sample_weight=None, offset=None):
        """Return R², the share of the variance of y that is predicted; a stream brings its own y, and is read once."""
        if is_stream(X):
            with processes_of(X).shared() as group:
                return squares_of(scored(self, X, y, sample_weight, offset, group), group)
        weight = None if sample_weight is None else as_array(sample_weight)
        return float(r2_score(as_array(y), as_array(self.predict(X, offset=offset)), sample_weight=weight))

    @blockwise
    def predict(self, X, *, offset=None):
        """Return ŷ for each row, in the shape of the y that was fitted."""
        scores, tensors = self._scores(X, offset)
        scores = scores if self._two_dimensional else scores.squeeze(1)
        return scores if tensors else scores.numpy()

    def _learn(self, state):
        self.rank_ = getattr(state, "rank", None)
        dependent = getattr(state, "dependent", ())
        # With a penalty the answer is unique whatever the rank.
        if dependent and not self.objective_record_["alpha"]:
            names = getattr(self, "feature_names_in_", None)
            columns = dependent if names is None else [names[column] for column in dependent]
            message = dependent_columns_message(columns, self.rank_, self.n_features_in_)
            warnings.warn(f"{type(self).__name__}: {message}", RankWarning, stacklevel=5)

    def _targets(self, y, sample_weight):
        y = as_float64(y, "y", "linear regression needs numbers; for labels use a classifier")
        if y.ndim not in (1, 2) or 0 in y.shape:
            raise DataError(f"y has shape {y.shape}: give (n_samples,) or (n_samples, n_targets).")
        require_finite(y, "y")
        self._two_dimensional = y.ndim == 2
        y = as_tensor(np.ascontiguousarray(y.reshape(len(y), -1)))
        return Targets(self._loss(), y, y.shape[1], sample_weight)

    def _loss(self):
        if isinstance(self.loss, Loss):
            if self.loss.targets != "real":
                raise ParameterError(
                    f"loss is {self.loss!r}, a loss of classes: use LogisticRegression or SoftmaxRegression."
                )
            return self.loss
        if not isinstance(self.loss, str) or self.loss not in LOSSES:
            raise ParameterError(f"loss is {self.loss!r}: give one of {', '.join(LOSSES)}, or a Loss.")
        return LOSSES[self.loss]()

    def _alpha(self, total_weight):
        del total_weight
        return as_number("alpha", self.alpha)

    def _keep(self, weight, bias):
        if self._two_dimensional:
            self.coef_, self.intercept_ = weight, bias
        else:
            self.coef_, self.intercept_ = (
                weight[0],
                bias[0] if isinstance(bias, torch.Tensor) else bias.dtype.type(bias[0]),
            )
