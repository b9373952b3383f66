"""``onelayer fit``."""

import dataclasses

import typer

from onelayer.cli.abstaining import ABSTAIN, read_abstain
from onelayer.cli.fitting import SOLVER_OPTIONS, Fitting
from onelayer.errors import ParameterError

__all__ = ["fit"]

_MODELS = ("linear", "logistic", "softmax")


def fit(
    data: str = typer.Argument(
        metavar="DATA",
        help="A named data set (see onelayer datasets), a .csv .parquet .npz .npy .svm file, or a folder of such files.",
    ),
    target: str = typer.Option(None, help="Target column of a table. [default: the last one]"),
    model: str = typer.Option(
        None, help="linear, logistic or softmax. [default: linear for a float target, else by classes]"
    ),
    loss: str = typer.Option(None, help="squared, absolute, huber, quantile; log, probability-squared."),
    C: float = typer.Option(
        None, "--C", help="Inverse penalty as in scikit-learn; inf means none. [default: 1 for classifiers]"
    ),
    alpha: float = typer.Option(
        None, help="Penalty for the mean loss, instead of --C. [default: 0 for linear]"
    ),
    l1_ratio: float = typer.Option(0.0, help="Share of the L1 part of the penalty."),
    solver: str = typer.Option("auto", help="auto, newton, least-squares, lbfgs, gradient-descent or sgd."),
    test: str = typer.Option(
        None, help="Test data: a file, or the share of rows to hold back, for example 0.2."
    ),
    out: str = typer.Option(None, help="Folder for the model and the report. [default: runs/NAME]"),
    seed: int = typer.Option(0, help="Seed of every random choice."),
    tol: float = typer.Option(1e-6, help="Certified relative gap to stop at; 0 makes all steps."),
    max_iter: int = typer.Option(None, help="Iterations of the solver at most."),
    time_limit: float = typer.Option(None, help="Seconds of fitting at most."),
    epochs: int = typer.Option(None, help="Epochs of sgd, steps of gradient-descent."),
    learning_rate: float = typer.Option(None, help="Learning rate of sgd or gradient-descent."),
    batch_size: int = typer.Option(None, help="Rows per update of sgd."),
    init: str = typer.Option(
        "zeros", help="Start: zeros, normal (standard deviation 0.01), or a standard deviation."
    ),
    n_init: int = typer.Option(
        1, help="Starts; the lowest objective is kept (for losses that are not convex)."
    ),
    categorical: list[str] = typer.Option(
        [], help="A numeric-looking column to take as categories (repeat for more)."
    ),
    standardize: bool = typer.Option(
        False, "--standardize", help="Penalise coefficients of standardised features."
    ),
    no_intercept: bool = typer.Option(False, "--no-intercept", help="Fit no intercept."),
    class_weight: str = typer.Option(None, help="balanced: every class counts the same."),
    abstain: str = ABSTAIN,
    fallback: str = typer.Option(None, help="Data set to use where DATA is a named one that cannot be had."),
    memory_limit: str = typer.Option(
        None, help="Bytes to work with, for example 1GB: DATA is then read in blocks. [default: what is free]"
    ),
    checkpoint: str = typer.Option(
        None, help="Folder in which the fit keeps where it stands; the same command goes on from there."
    ),
    plan: bool = typer.Option(
        False,
        "--plan",
        help="Say what the fit would hold where and how often it would read DATA, and fit nothing.",
    ),
    threads: int = typer.Option(None, help="Threads of torch."),
    device: str = typer.Option(None, help="Device of torch, for example cuda."),
    dtype: str = typer.Option(None, help="float32 or float64. [default: float64 for float64 data]"),
    report: bool = typer.Option(True, "--report/--no-report", help="Whether to write report.html."),
    as_json: bool = typer.Option(
        False, "--json", help="Print one JSON object on standard output, nothing else."
    ),
    live: bool = typer.Option(False, "--live", help="Draw the learning curve on the terminal while fitting."),
    verbose: bool = typer.Option(False, "--verbose", "-v", help="Say on standard error what happens."),
) -> None:
    """Fit a model, prove how good it is, and write model and report into a folder."""
    options = dict(locals())
    _check(options)
    options["abstain"], options["init"] = read_abstain(abstain), _read_init(init)
    if threads:
        import torch

        torch.set_num_threads(threads)
    raise typer.Exit(
        Fitting(**{field.name: options[field.name] for field in dataclasses.fields(Fitting)}).run()
    )


def _read_init(text):
    """Return ``--init`` as estimators take it: a name or a number."""
    try:
        return float(text)
    except ValueError:
        return text


def _check(options):
    """Refuse what can be refused before anything is loaded."""
    from onelayer.solvers.names import SOLVER_NAMES

    if options["model"] not in (None, *_MODELS):
        raise ParameterError(f"--model is {options['model']!r}: the known ones are {', '.join(_MODELS)}.")
    if options["solver"] not in SOLVER_NAMES:
        raise ParameterError(
            f"--solver is {options['solver']!r}: the known ones are {', '.join(SOLVER_NAMES)}."
        )
    if options["C"] is not None and options["alpha"] is not None:
        raise ParameterError(
            "--C and --alpha are two names for the strength of the penalty: give one of them."
        )
    if options["class_weight"] not in (None, "balanced"):
        raise ParameterError(f"--class-weight is {options['class_weight']!r}: the known one is balanced.")
    if options["threads"] is not None and options["threads"] < 1:
        raise ParameterError(f"--threads is {options['threads']}: give a number ≥ 1.")
    takers = SOLVER_OPTIONS.get(options["solver"], {})
    for name in ("learning_rate", "batch_size", "epochs"):
        if options[name] is not None and name not in takers:
            able = " or ".join(solver for solver, known in SOLVER_OPTIONS.items() if name in known)
            raise ParameterError(
                f"--{name.replace('_', '-')} does not apply to --solver {options['solver']}: add --solver {able}."
            )
