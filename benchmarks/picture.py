"""The results as a picture: gap over seconds, one panel per problem.

A line joins the settings of a contestant that none of its faster ones beats; the others are faint.
"""

import math
import statistics

from gaps import Bounds

__all__ = ["draw"]

# Okabe and Ito's colours, which people with any kind of colour vision can tell apart; one for each library, so that a
# line's style and marker tell its solver.
_COLOURS = {
    "onelayer": "#D55E00",
    "sklearn": "#0072B2",
    "sklearnex": "#56B4E9",
    "cyanure": "#009E73",
    "glum": "#CC79A7",
    "skglm": "#E69F00",
    "torch": "#000000",
    "scipy": "#777777",
}
_MARKERS = "osD^v<>PXh"
_DASHES = ("-", "--", ":", "-.", (0, (5, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)), (0, (7, 2, 2, 2)))
# Below this all gaps are rounding.
_FLOOR = 1e-12


def draw(results, files):
    """Draw all problems into each of the files (the endings tell the format)."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    names = [name for name in results.problems if results.of(name)]
    if not names:
        return
    columns = min(3, len(names))
    lines = math.ceil(len(names) / columns)
    figure, axes = pyplot.subplots(lines, columns, figsize=(5.2 * columns, 4.0 * lines + 1.4), squeeze=False)
    styles = _styles(dict.fromkeys(run["peer"] for run in results.runs))
    for place, name in zip(axes.flat, names, strict=False):
        _panel(place, results, name, styles)
    for place in axes.flat[len(names) :]:
        place.set_visible(False)
    handles = [pyplot.Line2D([], [], label=peer, **style) for peer, style in styles.items()]
    across = 2 * columns
    figure.legend(
        handles=handles, loc="lower center", ncols=across, fontsize=9, frameon=False, handlelength=3.2
    )
    # Room for the legend in inches, whatever the number of panels.
    room = 0.35 + 0.2 * math.ceil(len(handles) / across)
    figure.tight_layout(rect=(0, room / figure.get_figheight(), 1, 1))
    for file in files:
        # Without the date the same numbers give the same file.
        figure.savefig(file, dpi=130, metadata={"Date": None} if str(file).endswith("svg") else None)
    pyplot.close(figure)


def _panel(axes, results, name, styles):
    runs = results.of(name)
    bounds = Bounds.of(runs)
    for peer, style in styles.items():
        points = _points([run for run in runs if run["peer"] == peer], bounds)
        if points:
            axes.plot(*zip(*_frontier(points), strict=True), **style)
            axes.plot(*zip(*points, strict=True), **{**style, "linestyle": "", "alpha": 0.3})
    for threshold in (1e-3, 1e-6):
        axes.axhline(threshold, color="#BBBBBB", linewidth=0.8, zorder=0)
    axes.set(xscale="log", yscale="log")
    axes.set_ylim(_FLOOR / 2, 2)
    facts = results.problems[name]
    classes = f" × {facts['classes']} classes" if facts["classes"] > 2 else ""
    axes.set_title(f"{name}\n{' × '.join(f'{size:,}' for size in facts['shape'])}{classes}", fontsize=10)
    axes.set_xlabel("seconds of the fit")
    axes.set_ylabel(
        "certified relative gap" if bounds.proven else "excess over the lowest found\n(no certificate)"
    )
    axes.grid(visible=True, which="major", color="#EEEEEE")
    from matplotlib.ticker import LogLocator, NullFormatter

    # Labels between the powers of ten only where there is hardly one: else they run into each other.
    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 30 * low else (1,)))
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter(NullFormatter())


def _points(runs, bounds):
    """Return (seconds, gap) per setting, medians, fastest first."""
    settings = {}
    for run in runs:
        if math.isfinite(bounds.gap(run)):
            settings.setdefault(str(run["setting"]), []).append(run)
    return sorted(
        (
            statistics.median(run["seconds"] for run in same),
            max(statistics.median(bounds.gap(run) for run in same), _FLOOR),
        )
        for same in settings.values()
    )


def _frontier(points):
    """Return the points that no faster one beats."""
    kept = []
    for seconds, value in points:
        if not kept or value < kept[-1][1]:
            kept.append((seconds, value))
    return kept


def _styles(peers):
    used, styles = {}, {}
    for peer in peers:
        library = peer.split("-")[0]
        number = used[library] = used.get(library, -1) + 1
        styles[peer] = {
            "color": _COLOURS[library],
            "marker": _MARKERS[number % len(_MARKERS)],
            "linestyle": _DASHES[number % len(_DASHES)],
            "linewidth": 2.6 if library == "onelayer" else 1.3,
            "markersize": 7 if library == "onelayer" else 4.5,
            "zorder": 3 if library == "onelayer" else 2,
        }
    return styles
