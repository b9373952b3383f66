"""The results in words and numbers: one Markdown page."""

import math
import statistics

from gaps import THRESHOLDS, Bounds, decide
from peers import PEERS, label

__all__ = ["page", "rows"]


def page(results):
    """Return the whole page."""
    head = results.head
    lines = ["# onelayer and its peers", "", *_machine(head), "", *_method(head), "", *_summary(results), ""]
    for name, facts in results.problems.items():
        lines += [*_problem(results, name, facts), ""]
    lines += _absent(head)
    return "\n".join(lines).rstrip() + "\n"


def rows(results, name):
    """Return one dict per contestant of a problem, the fastest to the tightest threshold first."""
    runs = results.of(name)
    bounds = Bounds.of(runs)
    data_bytes = results.problems[name]["data_bytes"]
    table = []
    for peer in dict.fromkeys(run["peer"] for run in runs):
        mine = [run for run in runs if run["peer"] == peer]
        row: dict = {"peer": peer, "ratios": {}, "best": min(bounds.gap(run) for run in mine)}
        shown = None
        for threshold in THRESHOLDS:
            setting = decide(mine, threshold, bounds)
            same = [run for run in mine if setting is not None and run["setting"] == setting]
            row[threshold] = _median(run.get("seconds", math.inf) for run in same)
            shown = same or shown
        # What never got there shows its best run.
        shown = shown or [min(mine, key=lambda run: (bounds.gap(run), run.get("seconds") or math.inf))]
        memory = [run["memory"] for run in shown if run.get("memory") is not None]
        row["memory"] = statistics.median(memory) if memory else None
        row["times_data"] = row["memory"] / data_bytes if memory else None
        row |= {key: shown[0].get(key) for key in ("passes", "status", "outcome", "setting", "error")}
        row["share"] = shown[0].get("share_of_ceiling")
        table.append(row)
    for threshold in THRESHOLDS:
        best = min((row[threshold] for row in table if row["peer"] != "onelayer"), default=math.inf)
        for row in table:
            row["ratios"][threshold] = row[threshold] / best if math.isfinite(best) else None
    return sorted(table, key=lambda row: (row[THRESHOLDS[1]], row[THRESHOLDS[0]], row["best"]))


# ---- the parts of the page ------------------------------------------------------------------------------------


def _machine(head):
    versions = ", ".join(f"{name} {version}" for name, version in head["versions"].items() if version)
    device = f" {head['device']};" if head.get("device") else ""
    return [
        (
            f"Machine: {head['processor']}, {head['cores']} cores, {head['threads']} threads used, {head['memory_gb']} GB;"
            f"{device} {head['system']}, Python {head['python']}, {versions}."
        )
    ]


def _method(head):
    kind = (
        "peak of allocated device memory"
        if head["device_kind"] == "cuda"
        else "growth of peak resident memory"
    )
    return [
        (
            "Every fit ran in a process of its own; seconds are of the fit alone, after a tiny one. The gap is a"
            " proven bound on (P − min P) / P: P in float64, minus the best lower bound of min P that `onelayer.certify`"
            " proves for any of the results of the problem. Seconds are those of the"
            f" cheapest setting that gets there, medians of at least {head['repeat']}. Data are float32; a setting with float64"
            f" works on a copy whose making counts. Memory is the {kind},"
            " data included, in the run to the tightest gap reached."
            f" The machine's load was {head['load']:.1f} when it began."
            + (f" **Only {head['max_rows']:,} rows of each problem, drawn.**" if head["max_rows"] else "")
        )
    ]


def _summary(results):
    lines = [
        "| problem | onelayer, s to 1e-6 | fastest peer | its s to 1e-6 | onelayer / peer |",
        "|---|---|---|---|---|",
    ]
    for name in results.problems:
        table = rows(results, name)
        last = THRESHOLDS[1]
        ours = next((row for row in table if row["peer"] == "onelayer"), None)
        peer = next((row for row in table if row["peer"] != "onelayer"), None)
        reached = peer is not None and math.isfinite(peer[last])
        ratio = ours["ratios"][last] if ours and reached else None
        lines.append(
            f"| {name} | {_seconds(ours[last]) if ours else ''} | {peer['peer'] if peer and reached else 'none'} "
            f"| {_seconds(peer[last]) if peer else ''} | {_ratio(ratio)} |"
        )
    return lines


def _limits(runs):
    """Return the time limits of these runs: one, or the shortest and the longest."""
    limits = sorted({run["time_limit"] for run in runs})
    return " or ".join(f"{limit:g}" for limit in dict.fromkeys([limits[0], limits[-1]]))


def _problem(results, name, facts):
    runs = results.of(name)
    table = rows(results, name)
    shape = " × ".join(f"{size:,}" for size in facts["shape"])
    classes = f", {facts['classes']} classes" if facts["classes"] else ""
    lines = [
        f"## {name}",
        "",
        (
            f"{facts['loss']}, {shape}{classes}, alpha = {facts['alpha']:.3g} on the mean loss,"
            f" {facts['data_bytes'] / 1e6:,.1f} MB. A run was ended at {_limits(runs)} s."
        ),
    ]
    if not Bounds.of(runs).proven:
        lines.append(
            "**No result has a certificate: a gap here is the excess over the lowest objective that anyone found.**"
        )
    share = any(row["share"] for row in table)
    lines += [
        "",
        (
            "| contestant | s to 1e-3 | × best peer | s to 1e-6 | × best peer | best gap | passes | memory, MB | × data |"
            f" setting |{' of float32 / TF32 ceiling |' if share else ''}"
        ),
        "|---|---|---|---|---|---|---|---|---|---|" + ("---|" if share else ""),
    ]
    for row in table:
        first, last = THRESHOLDS
        cells = [
            row["peer"],
            _seconds(row[first]),
            _ratio(row["ratios"][first]),
            _seconds(row[last]),
            _ratio(row["ratios"][last]),
            f"{row['best']:.1e}" if math.isfinite(row["best"]) else row.get("error") or row["outcome"],
            f"{row['passes']:.0f}" if row["passes"] is not None else "",
            _megabytes(row["memory"]),
            _ratio(row["times_data"]),
            label(row["setting"]) + ("" if row["status"] in (None, "converged") else f" ({row['status']})"),
        ]
        if share:
            cells.append(" / ".join(f"{part:.0%}" for part in (row["share"] or {}).values()))
        lines.append("| " + " | ".join(cells) + " |")
    notes = [f"- {row['peer']}: {PEERS[row['peer']].note}" for row in table if PEERS[row["peer"]].note]
    return [*lines, "", *notes] if notes else lines


def _absent(head):
    lines = [f"- {name}: {reason}" for name, reason in {**head["missing"], **head["skipped"]}.items()]
    return ["## Not here", "", *lines] if lines else []


# ---- numbers ------------------------------------------------------------------------------------------------------


def _median(values):
    values = list(values)
    return statistics.median(values) if values else math.inf


def _seconds(value):
    if not math.isfinite(value):
        return "not reached"
    return f"{value:.3g}" if value < 100 else f"{value:.0f}"


def _megabytes(value):
    if value is None:
        return ""
    return f"{value / 1e6:,.0f}" if value >= 1e7 else f"{value / 1e6:.1f}"


def _ratio(value):
    if value is None or not math.isfinite(value):
        return ""
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"
