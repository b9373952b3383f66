"""The reports of many fits: a path, a probe."""

import dataclasses

import numpy as np

from onelayer.errors import OutputError
from onelayer.persistence import write_atomically
from onelayer.plots import PathDisplay
from onelayer.report.figures import Figure, Part, confusion
from onelayer.report.page import environment, versions
from onelayer.report.svg import picture
from onelayer.report.verdict import Verdict
from onelayer.report.words import number, scientific

__all__ = ["write_path_report", "write_probe_report"]


@dataclasses.dataclass(frozen=True)
class Section:
    """A heading, sentences, and a table."""

    title: str
    paragraphs: tuple = ()
    columns: tuple = ()
    rows: tuple = ()
    numbers: bool = False


def write_path_report(path, found, data, scores=None, metric="accuracy", feature_names=None):
    """Write a path as one self-contained HTML file.

    Parameters
    ----------
    path : str or path
    found : PathResult
    data : str
        What the data are called.
    scores : array of shape (n_points,), optional
        Of the test part.
    metric : str
        What these are.
    feature_names : sequence of str, optional
        Where the fits have seen none.
    """
    model = found.estimator(0)
    columns = (found.strength, "Objective", "Relative gap", "Non-zero weights", "Passes", "Seconds")
    columns += () if scores is None else (f"Test {metric}",)
    rows = []
    for place, point in enumerate(found.points):
        strength = point.C if found.strength == "C" else point.alpha
        gap = point.certificate and point.certificate.relative_gap
        cells = (
            number(strength),
            number(point.result.objective, 6),
            "–" if gap is None else scientific(gap),
            number(int(np.count_nonzero(found.coef[place]))),
            number(float(point.result.passes), 3),
            number(float(point.result.seconds), 2),
        )
        rows.append(cells if scores is None else (*cells, number(float(scores[place]))))
    figure = _drawn(
        "Coefficients along the path",
        "Above: the coefficients as the penalty goes; of many the largest are drawn. Below: the objective.",
        lambda: PathDisplay.from_path(found, names=feature_names).plot(),
    )
    _write(
        path,
        title=f"{type(model).__name__} on {data}: the path",
        lead=f"{model.objective_record_['n_samples']:,} rows, {model.n_features_in_:,} features, {len(found)} strength{'' if len(found) == 1 else 's'}.",
        verdict=_verdict([point.result for point in found.points], found.relative_gap, "points"),
        sections=[Section("The points", (), columns, tuple(rows), numbers=True)],
        figures=[figure],
        cost=[
            ("Time", f"{found.total_seconds:.2f} s, reading included"),
            ("Passes", number(float(found.passes.sum()), 4)),
        ],
    )


def write_probe_report(path, found, data, shown=None, class_names=None, feature_names=None):
    """Write a probe as one self-contained HTML file.

    Parameters
    ----------
    path : str or path
    found : ProbeResult
    data : str
        What the data are called.
    shown : (X, y), optional
        The rows that the confusion of classes is shown on, as they were given: of the part that is judged, all or a sample.
    class_names, feature_names : sequence of str, optional
    """
    model = found.estimator
    name = found.path.strength
    rows = [
        (
            part,
            f"{found.rows[part]:,}",
            f"{judged.score:.4f}",
            f"{judged.interval.low:.4f} to {judged.interval.high:.4f}",
            f"{judged.loss:.4f}",
        )
        for part, judged in found.judgements.items()
    ]
    first = next(iter(found.judgements.values()))
    loss = "Log loss" if first.metric == "accuracy" else "Mean squared error"
    kind = f"{100 * first.interval.level:g} % {first.interval.kind} interval"
    columns = ("Part", "Rows", first.metric.capitalize(), kind, loss)
    figures = [
        _drawn("Scores along the grid", found.choice.reason, lambda: found.plot()),
        _drawn(
            "Coefficients along the path",
            "The fits of the training rows; the dotted line is the strength that was chosen. Below: the objective.",
            lambda: PathDisplay.from_path(
                found.path, found.strengths[found.choice.index], feature_names
            ).plot(),
        ),
    ]
    if shown is not None and hasattr(model, "classes_"):
        X, y = shown
        whole = len(y) == found.rows[found.judged]
        part = Part(found.judged, X, np.asarray(y), np.asarray(found.predict(X)), None)
        names = {"classes": model.classes_, "class_names": class_names}
        figures.append(confusion(part, names, whole=whole))
    _write(
        path,
        title=f"Linear probe on {data}",
        lead=f"{found.rows['train']:,} training rows, {model.n_features_in_:,} features, {len(found.strengths)} values of {name}.",
        verdict=_verdict([model.result_], np.array([_gap(model)]), "fits"),
        sections=[
            Section("How good it is", (), columns, tuple(rows)),
            Section("What was chosen, and why", (found.choice.reason,)),
            Section("The protocol, to paste in a paper", (found.protocol,)),
        ],
        figures=figures,
        cost=[
            ("Time", f"{found.seconds:.2f} s for everything"),
            ("Objective", number(model.result_.objective, 8)),
            ("Arithmetic", f"{model.result_.dtype} on {model.result_.device}"),
        ],
    )


def _gap(model):
    return np.nan if model.certificate_ is None else model.certificate_.relative_gap


def _verdict(results, gaps, what):
    short = [result for result in results if not result.status.is_success]
    if short:
        return Verdict(
            "bad",
            "✗",
            "Not converged",
            f"{len(short)} of {len(results)} {what} fell short: {short[0].message}",
        )
    if np.isnan(gaps).all():
        return Verdict("fair", "≈", "Without a certificate", results[0].message)
    worst = scientific(float(np.nanmax(gaps)))
    many = "every one of these objectives is" if len(results) > 1 else "this objective is"
    return Verdict("good", "✓", "Certified", f"{many} within {worst} (relative) of the best possible.")


def _drawn(title, caption, plot):
    return Figure(title, caption, f"{title}: {caption}", picture(plot))


def _write(path, **content):
    page = environment().get_template("sweep.html.jinja").render(versions=versions(), **content)
    try:
        write_atomically(path, page.encode("utf-8", "replace"))
    except OSError as error:
        raise OutputError(f"the report cannot be written to {path}: {error.strerror or error}.") from error
