"""Draw the pictures of docs/how-it-works, and write its table of NIST's problems: all from real data, in float64.

Run by hand from the root of the checkout, about a minute: ``.venv/bin/python docs/make_pictures_how.py``; with names
(``tilted orders separation newton preconditioners nist``) only these.
"""

import csv
import functools
import pathlib
import sys
from unittest import mock

import matplotlib
import numpy as np
import torch
from matplotlib.figure import Figure

import onelayer as ol
from onelayer.certificates import Certifier, Tilt
from onelayer.certificates.fenchel import FenchelGap
from onelayer.certificates.tilt import tilted as tilted_dual
from onelayer.curvature import (
    ClassBlocks,
    DenseHessian,
    Diagonal,
    Hessian,
    Kronecker,
    KrylovSystem,
    Preconditioner,
    WideRows,
    conjugate_gradients,
    thresholds,
)
from onelayer.curvature.sampling import systematic
from onelayer.diagnosis import find_separation
from onelayer.plots.drawing import COLOURS, LINES, MARKERS, MUTED, tidy
from onelayer.solvers import LBFGS, LeastSquares, Newton, minimize

HERE = pathlib.Path(__file__).parent
BLUE, RED, GREEN, PINK, ORANGE, SKY, BLACK = COLOURS
WIDTH = 7.8
# Around the marks of a bound that is as good.
TRUTH = {"linestyle": "", "markersize": 10, "markerfacecolor": "none", "markeredgecolor": BLACK}
STAR = {"linestyle": "", "marker": "*", "markersize": 12}
STYLE = {
    "font.size": 10,
    "axes.titlesize": 10.5,
    "axes.titlelocation": "left",
    "axes.labelcolor": "black",
    "legend.frameon": False,
    "legend.fontsize": 9.2,
    "figure.facecolor": "white",
    "legend.handlelength": 1.8,
    "svg.fonttype": "path",
    "svg.hashsalt": "onelayer",
}


# ---- what the pictures share ----------------------------------------------------------------------------------


class Keep(ol.callbacks.Callback):
    """Keeps the parameters and the record of every iteration."""

    def __init__(self):
        self.parameters, self.records = [], []

    def on_iteration(self, iterate):
        self.parameters.append(iterate.parameters)
        self.records.append(iterate.record)


class Truth:
    """The distance from the optimum: the duality gap at the dual optimum, which is that distance exactly.

    The optimum is found by Newton's method, to the floor of float64; what is left of its gradient is accounted for.
    """

    def __init__(self, objective):
        self.wide = wide = objective.as_dtype(torch.float64)
        self.best = wide.point(minimize(Newton(), wide, wide.zeros(), tol=1e-15, max_iter=80).parameters)
        self._dual, self._rest = wide.loss.gradient(self.best.scores, wide.y), wide.gradient(self.best)

    def distance(self, parameters):
        """Return P − min P."""
        wide, moved = self.wide, parameters.to(torch.float64)
        losses = wide._mean(wide.loss.fenchel_young(wide.scores(moved), self._dual, wide.y))
        bowl = wide.penalty.l2 / 2 * (moved.weight - self.best.parameters.weight).square().sum().item()
        return losses + bowl + (self._rest.flat @ (moved.flat - self.best.parameters.flat)).item()


@functools.cache
def objective_of(name, C):
    data = ol.data.load(name)
    binary = len(set(data.y.tolist())) == 2
    model = ol.LogisticRegression(C=C, standardize=True) if binary else ol.SoftmaxRegression(C=C)
    return model.set_params(dtype="float64").objective(data.X, data.y)


def run(solver, objective, **options):
    keep = Keep()
    outcome = minimize(solver, objective.counted_anew(), objective.zeros(), callbacks=[keep], **options)
    return keep, outcome


def panels(columns, height, width=WIDTH, **options):
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.04)
    axes = np.atleast_1d(figure.subplots(1, columns, **options))
    for ax in axes:
        tidy(ax, grid="both")
    return figure, axes


def mark(index, **more):
    style = {"color": COLOURS[index], "linestyle": LINES[index % len(LINES)], "marker": MARKERS[index]}
    return {**style, "linewidth": 1.6, "markersize": 4.5, **more}


# ---- pictures -------------------------------------------------------------------------------------------------


def tilted():
    """Bounds from both dual points, and the truth, over C, at iterates of L-BFGS."""
    strengths = 10.0 ** np.arange(-2, 7)
    goals = (1e-2, 1e-6)
    found = {goal: [] for goal in goals}
    for C in strengths:
        objective = objective_of("breast-cancer", C)
        truth, certifier = Truth(objective), Certifier(objective)
        keep, _ = run(LBFGS(), objective, tol=1e-9, max_iter=400)
        size = truth.best.value
        distances = [truth.distance(parameters) / size for parameters in keep.parameters]
        for goal in goals:
            first = next(k for k, distance in enumerate(distances) if distance <= goal)
            place = keep.parameters[first]
            plain, better = certifier.certify(place), certifier.certify(place, aim=0.0)
            found[goal].append((plain.gap / size, better.gap / size, distances[first]))
    figure, axes = panels(2, 3.7, sharey=True)
    for ax, goal in zip(axes, goals, strict=True):
        plain, better, true = np.array(found[goal]).T
        ax.loglog(strengths, plain, **mark(1), label="bound at the gradient point")
        ax.loglog(strengths, better, **mark(0), label="bound at the Newton-tilted point")
        ax.loglog(strengths, true, **TRUTH, marker="o", label="true distance")
        ax.set_title(f"first iterate within {'0.01' if goal == 1e-2 else '1e-6'} of the optimum")
        ax.set_xlabel("C (weaker penalty to the right)")
        ax.set_ylim(1e-9, 4)
    axes[0].set_ylabel("distance from min P, as a share of it")
    axes[0].legend(loc="lower right")
    return figure


def orders():
    """Bound and truth before and after a Newton step, over how far away the step begins."""
    objective = objective_of("breast-cancer", 1e4)
    truth = Truth(objective)
    wide, best, size = truth.wide, truth.best, truth.best.value
    keep, _ = run(LBFGS(), objective, tol=1e-9, max_iter=400)
    start = next(place for place in keep.parameters if truth.distance(place) <= 1e-3 * size)
    fenchel, rows = FenchelGap(wide), WideRows(wide)
    away = start.flat - best.parameters.flat
    shares = 10.0 ** np.linspace(0, -2.5, 11)
    lines = []
    for share in shares:
        base = wide.point(best.parameters.like(best.parameters.flat + share * away))
        curvature = wide.loss.curvature(base.scores, wide.y)
        gradient = wide.gradient(base)
        step = gradient.like(-DenseHessian(wide, rows, curvature).apply(gradient).flat)
        dual, _ = tilted_dual(wide, Tilt(base.parameters, step, base.scores, wide.slopes(step), 0.0))
        after = wide.point(base.parameters.like(base.parameters.flat + step.flat))
        bounds = [fenchel.between(point, dual) / size for point in (base, after)]
        lines.append(bounds + [truth.distance(point.parameters) / size for point in (base, after)])
    before, behind, true_before, true_behind = np.array(lines).T
    figure, (ax,) = panels(1, 3.6, 5.9)
    ax.loglog(shares, before, **mark(0), label="before the step: bound")
    ax.loglog(shares, true_before, **TRUTH, marker="o", label="before: truth")
    ax.loglog(shares, behind, **mark(1), label="after the step: bound")
    ax.loglog(shares, true_behind, **TRUTH, marker="s", label="after: truth")
    ax.set_xlabel("distance of the coefficients from the optimum")
    ax.set_ylabel("distance from min P,\nas a share of it")
    ax.legend(loc="upper left")
    return figure


def separation():
    """Petals of iris: classes that overlap, quasi-complete and complete separation."""
    data = ol.data.load("iris")
    X, y = np.asarray(data.X)[:, 2:], np.asarray(data.y)
    cases = (
        ((1, 2), "overlap: a minimum exists"),
        ((0, 1, 2), "quasi-complete: none exists"),
        ((0, 1), "complete: none exists"),
    )
    figure, axes = panels(3, 3.3, sharex=True, sharey=True)
    for ax, (classes, title) in zip(axes, cases, strict=True):
        kept = np.isin(y, classes)
        model = ol.SoftmaxRegression(C=float("inf"))
        result = find_separation(model.objective(X[kept], y[kept]))
        assert (result.kind if result else "overlap") == title.split(":")[0], result
        for k in classes:
            style = {"s": 26, "marker": MARKERS[k], "color": COLOURS[k], "alpha": 0.8, "linewidth": 0}
            ax.scatter(*X[kept & (y == k)].T, **style, label=str(data.class_names[k]))
        ax.set_title(title)
        ax.set_xlabel("petal length (cm)")
        if result:
            boundary(ax, result.direction, 0, 1)
    axes[0].set_ylabel("petal width (cm)")
    axes[1].legend(loc="upper left", handletextpad=0.2)
    axes[0].set(xlim=(0.7, 7.2), ylim=(-0.1, 2.75))
    return figure


def boundary(ax, direction, one, two):
    """Draw where the scores of two classes along a direction are the same."""
    weight = (direction.weight[one] - direction.weight[two]).numpy()
    shift = (direction.bias[one] - direction.bias[two]).item()
    at = np.array([0.0, 8.0])
    ax.plot(at, -(shift + weight[0] * at) / weight[1], color=BLACK, linewidth=1.2, linestyle="--")


def newton():
    """Left: distance over iterations. Right: how exactly Newton's systems are solved, and how true their model is."""
    objective = objective_of("digits", 1.0)
    truth = Truth(objective)
    size = truth.best.value
    ways = (
        ("Newton, whole Hessian", Newton(), 1000),
        ("Newton, conjugate gradients", Newton(), 0),
        ("L-BFGS", LBFGS(), thresholds.DENSE_COEFFICIENTS),
    )
    figure, axes = panels(2, 3.7, width_ratios=(1.1, 1))
    for index, (name, solver, most) in enumerate(ways):
        with mock.patch.object(thresholds, "DENSE_COEFFICIENTS", most):
            keep, outcome = run(solver, objective, tol=1e-6)
        distances = [truth.distance(parameters) / size for parameters in keep.parameters]
        style = mark(index, marker=MARKERS[index] if len(distances) < 30 else None)
        axes[0].semilogy(distances, **style, label=name)
        proof = outcome.certificate.relative_gap
        axes[0].plot(len(distances) - 1, proof, **STAR, color=COLOURS[index])
    axes[0].plot([], [], **STAR, color=MUTED, label="certified bound at the end")
    axes[0].axhline(1e-6, color=MUTED, linewidth=1, linestyle=(0, (1, 2)))
    axes[0].annotate("tol", (134, 1.3e-6), color=MUTED, ha="right", fontsize=9.5)
    axes[0].set(xlabel="iteration (their costs differ)", ylabel="distance from min P, as a share of it")
    axes[0].legend(loc="upper right")
    rest, off, products = inner_accuracy(objective)
    at = np.arange(1, len(rest) + 1)
    axes[1].semilogy(at, off, **mark(4, linestyle="--"), label="what the quadratic model was off by")
    axes[1].semilogy(at, rest, **mark(1, linestyle="-"), label="what the solution of the system left")
    for place, count in zip(at, products, strict=True):
        axes[1].annotate(str(count), (place, 60), ha="center", va="center", fontsize=9.5)
    axes[1].annotate("products with the Hessian:", (0.6, 300), va="center", fontsize=9.5)
    axes[1].set(xlabel="step of Newton by conjugate gradients", ylabel="share of the decrement")
    axes[1].set(ylim=(1e-5, 1000), xticks=at)
    axes[1].legend(loc="lower left")
    return figure


def inner_accuracy(objective):
    """Return, for each step of Newton by conjugate gradients, three lists.

    What the solution of a system left and what the quadratic model turned out to be off by, as shares of the decrement,
    and the products it took.
    """
    rest, off, products, solve = [], [], [], KrylovSystem.solve

    def watched(system, gradient, goal):
        solution, after = solve(system, gradient, goal)
        rest.append(solution.reduction)
        products.append(solution.steps)
        return solution, after

    with (
        mock.patch.object(thresholds, "DENSE_COEFFICIENTS", 0),
        mock.patch.object(KrylovSystem, "solve", watched),
    ):
        solver, work = Newton(), objective.counted_anew()
        state = solver.init(work, work.zeros(), tol=1e-6)
        while not (state.tilt and state.tilt.gap <= 1e-6 * state.value):
            state = solver.step(work, state)
            # A step that ends the fit has no gradient at its end, so nothing was measured there.
            known = state.gradient is not None and state.remainder is not None
            off.append(state.remainder * state.decrement if known else np.nan)
    return rest, off, products


def preconditioners():
    """What conjugate gradients have left after so many products, for the models of the curvature."""
    objective = objective_of("digits", 1.0)
    best = Truth(objective).best
    keep, _ = run(Newton(), objective, tol=1e-6)
    gradient = objective.gradient(objective.point(keep.parameters[-2]))
    hessian = Hessian(objective, best)
    curvature, rows = hessian.curvature, objective.rows
    whole = DenseHessian(objective, WideRows(objective), curvature)

    def course(model):
        def left(residual):
            return (residual.flat @ whole.apply(residual).flat).item()

        shares = [1.0]

        def enough(residual, *_):
            shares.append(left(residual) / left(gradient))
            return shares[-1] < 1e-8

        conjugate_gradients.solve(hessian.product, model.apply, gradient, enough, 300)
        return shares

    few = 256
    evenly = lambda h, leverage, rows: systematic(torch.ones_like(h), rows)  # noqa: E731
    with mock.patch("onelayer.curvature.blocks._drawn", evenly):
        uniform = ClassBlocks(objective, curvature, few)
    left = (
        ("none", _None()),
        ("diagonal", Diagonal(objective, curvature, rows)),
        ("Kronecker", Kronecker(objective, curvature, rows)),
        ("blocks, one for each class", ClassBlocks(objective, curvature, rows)),
    )
    right = (
        (f"from {few} rows, evenly taken", uniform),
        ("without projecting the shift away", _Unprojected(objective, curvature, rows)),
        (f"from {few} rows by curvature × leverage", ClassBlocks(objective, curvature, few)),
        (f"from all {rows:,} rows", left[-1][1]),
    )
    figure, axes = panels(2, 3.9, sharey=True)
    for ax, models, colours in zip(axes, (left, right), ((4, 1, 2, 0), (3, 6, 6, 0)), strict=True):
        for index, (name, model) in zip(colours, models, strict=True):
            shares = course(model)
            style = {"color": COLOURS[index], "linestyle": LINES[index % len(LINES)], "linewidth": 2.0}
            if name.endswith("leverage"):
                style = {"color": BLACK, "linestyle": "", "marker": "o", "markersize": 6, "mfc": "none"}
            ax.semilogy(shares, **style, label=name)
        ax.set(xlabel="products with the Hessian", xlim=(0, 165), ylim=(1e-8, 60))
        ax.legend(loc="upper right")
    axes[0].set_ylabel("what is left of the decrement, as a share")
    axes[0].set_title("models", loc="left")
    axes[1].set_title("details of the blocks", loc="left")
    return figure


class _None(Preconditioner):
    description = "none"

    def apply(self, gradient):
        return gradient


class _Unprojected(ClassBlocks):
    def __init__(self, *arguments):
        super().__init__(*arguments)
        self._shift = False


# ---- the table of NIST's problems -----------------------------------------------------------------------------


def nist():
    """Write docs/how-it-works/nist.csv: right digits of the worst coefficient, rounded down."""
    sys.path.insert(0, str(HERE.parent / "tests"))
    import nist as reference

    rows = [("problem", "rows × columns", "κ", "digits: ``least-squares``", "``numpy.linalg.lstsq``")]
    for name, problem in reference.SETS.items():
        X, y = problem.arrays()
        model = ol.LinearRegression(solver=LeastSquares(), alpha=0.0, fit_intercept=problem.intercept)
        model.fit(X, y)
        columns = np.c_[np.ones(len(X)), X] if problem.intercept else X
        certified = [float(value) for value in problem.certified]
        ours = np.r_[model.intercept_, model.coef_] if problem.intercept else model.coef_
        plain = np.linalg.lstsq(columns, y, rcond=None)[0]
        found = [max(int(reference.digits(values, certified)), 0) for values in (ours, plain)]
        scaled = columns / np.linalg.norm(columns, axis=0)
        rows.append((name, f"{X.shape[0]} × {X.shape[1]}", _rounded(np.linalg.cond(scaled)), *found))
    path = HERE / "how-it-works" / "nist.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)
    print(path, *rows, sep="\n")


def _rounded(number):
    """Return a number ≥ 1 with one digit: 3, 20, 5·10⁹."""
    power = int(np.log10(number))
    digit = round(number / 10**power)
    if power < 3:
        return str(digit * 10**power)
    return f"{digit}·10" + "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(figure)] for figure in str(power))


PICTURES = {
    "tilted": ("tilted-dual-point", tilted),
    "orders": ("tilted-orders", orders),
    "separation": ("separation", separation),
    "newton": ("newton-iterations", newton),
    "preconditioners": ("preconditioners", preconditioners),
}


def main(names):
    for name in names or [*PICTURES, "nist"]:
        if name == "nist":
            nist()
            continue
        stem, draw = PICTURES[name]
        path = HERE / "_static" / f"{stem}.svg"
        with matplotlib.rc_context(STYLE):
            draw().savefig(path, metadata={"Date": None, "Creator": None})
        print(path, f"{path.stat().st_size / 1000:.0f} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
