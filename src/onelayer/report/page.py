"""The report: one HTML file that opens anywhere, offline."""

import shlex

from onelayer.errors import DataError, OutputError
from onelayer.persistence import write_atomically
from onelayer.plots.inputs import name_classes
from onelayer.report import words
from onelayer.report.abstention import describe_bounds, describe_parts
from onelayer.report.figures import Part, draw_figures
from onelayer.report.verdict import judge

__all__ = ["environment", "versions", "write_report"]

METRICS = {
    "accuracy": ("Accuracy", "share of right answers"),
    "log_loss": ("Log loss", "mean −log of the true class's probability; less is better"),
    "brier": ("Brier score", "mean squared error of the probabilities; less is better"),
    "auc": ("AUC", "chance that a positive row scores above a negative one"),
    "r2": ("R²", "share of the variance explained"),
    "rmse": ("RMSE", "root mean squared error, in units of the target"),
    "mae": ("MAE", "mean absolute error, in units of the target"),
}
PACKAGES = ("torch", "numpy", "scikit-learn", "matplotlib")


def write_report(
    path,
    estimator,
    summary,
    X,
    y,
    X_test=None,
    y_test=None,
    *,
    feature_names=None,
    class_names=None,
    image_shape=None,
    title=None,
    sampled=None,
):
    """Write a fit as one self-contained HTML file: no script, no request, nothing beside it.

    Parameters
    ----------
    path : str or path
        The file; it appears whole or not at all.
    estimator : object
        A fitted model with ``result_``, ``certificate_`` and ``objective_record_``.
    summary : dict
        What :func:`~onelayer.report.summary.summarise` returned for it.
    X, y, X_test, y_test : array-like
        The data; the pictures show the test part where there is one.
    feature_names, class_names : sequence of str, optional
        Names, shown as they are: nothing in them is markup.
    image_shape : tuple of int, optional
        Height and width of the images that the rows are.
    title : str, optional
        The heading.
    sampled : int, optional
        How many rows the data are a sample of, if they are one: the pictures say so.

    Raises
    ------
    OutputError
        When the file cannot be written; one that was there before is kept.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import onelayer as ol
    >>> from onelayer.report import summarise
    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0, 0, 1, 1]
    >>> model = ol.LogisticRegression().fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "report.html")
    ...     write_report(path, model, summarise(model, "four rows", X, y, model="logistic"), X, y)
    ...     path.read_text(encoding="utf-8")[:15]
    '<!doctype html>'
    """
    part = Part.of(estimator, X, y, X_test, y_test)
    names = {"feature_names": feature_names, "class_names": class_names, "image_shape": image_shape}
    page = (
        environment()
        .get_template("report.html.jinja")
        .render(
            title=title or f"{summary['model'].capitalize()} regression on {summary['data']}",
            summary=summary,
            verdict=judge(summary),
            metrics=_metrics(summary),
            uncertain=_uncertain(summary, estimator, class_names),
            figures=draw_figures(estimator, part, **names),
            versions=versions(),
            folder=summary["out"] or "FOLDER",
            certificate=estimator.certificate_,
            sampled=None if sampled is None else (len(part.y), sampled),
        )
    )
    # A lone surrogate, legal in a file name, is no UTF-8.
    content = page.encode("utf-8", "replace")
    try:
        write_atomically(path, content)
    except OSError as error:
        raise OutputError(f"the report cannot be written to {path}: {error.strerror or error}.") from error


def environment():
    """Return the templates of reports, with their filters."""
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("onelayer.report"),
        undefined=jinja2.StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": words.number, "rich": words.rich, "quote": shlex.quote}
    return environment


def _metrics(summary):
    """Return the rows of the table: name, meaning, value in training, value in the test."""
    found = [name for name in METRICS if f"train_{name}" in summary]
    return [(*METRICS[name], summary[f"train_{name}"], summary.get(f"test_{name}")) for name in found]


def _uncertain(summary, estimator, class_names):
    """Return (how many rows got no answer, which ones those are), or None where every row was to get one."""
    if "abstain" not in summary:
        return None
    try:
        positive = name_classes(estimator.classes_, class_names)[1]
    except DataError:
        # Names that do not fit are no reason to lose the report; the figures say it too.
        positive = str(estimator.classes_[1])
    return describe_parts(summary), describe_bounds(summary["abstain"], positive)


def versions():
    """Return the versions of what a report was made with."""
    from importlib.metadata import version

    import onelayer

    return {"onelayer": onelayer.__version__, **{name: version(name) for name in PACKAGES}}
