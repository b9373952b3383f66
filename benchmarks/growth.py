"""How the cost of a read grows with rows, columns and classes, and how it falls with processes; as numbers and as a picture.

``python benchmarks/growth.py`` measures on one core for each process (some ten minutes, 2 GB in ``--folder``), writes
``benchmarks/results/growth.json`` and draws ``docs/_static/growth.svg``. One read is one gradient with its objective: the cost
that is expected grows as rows × columns × classes. For the processes a whole fit of 2,000,000 × 200 is measured, started anew each
time, one process and two in turn.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

ROOT = pathlib.Path(__file__).parent.parent
RESULT, PICTURE = ROOT / "benchmarks" / "results" / "growth.json", ROOT / "docs" / "_static" / "growth.svg"
BASE = {"rows": 200_000, "columns": 100, "classes": 10}
GROWTH = {"rows": (50_000, 100_000, 200_000, 500_000), "columns": (50, 100, 200), "classes": (5, 10, 20, 50)}
LARGE = {"rows": 2_000_000, "columns": 200, "classes": 2}
REPEATS, BLOCK = 5, 50_000


def make(path, rows, columns, classes):
    """Write rows with their labels as last column."""
    rng = np.random.default_rng(0)
    table = np.lib.format.open_memmap(path, mode="w+", dtype=np.float32, shape=(rows, columns + 1))
    weight = rng.normal(size=(columns, classes)).astype(np.float32) / columns**0.5
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        X = rng.normal(size=(count, columns)).astype(np.float32)
        table[start : start + count, :-1] = X
        table[start : start + count, -1] = (X @ weight + rng.gumbel(size=(count, classes))).argmax(axis=1)
    table.flush()


def read_once(path):
    """Print the least seconds of a read: other work on the machine only adds."""
    import onelayer as ol
    from onelayer.objective import sweep

    objective = ol.SoftmaxRegression().objective(ol.data.stream(path, memory_limit="200 MB"))
    parameters, seconds = objective.zeros(), []
    for _ in range(2 * REPEATS):
        began = time.perf_counter()
        sweep(objective, parameters)
        seconds.append(time.perf_counter() - began)
    print(json.dumps(min(seconds)))


def fit_once(path):
    """Print what a whole fit in all processes takes, in the first of them."""
    import onelayer as ol
    from onelayer.processes import join

    group = join()
    data = ol.data.stream(path, memory_limit="1 GB", shards="divide")
    began = time.perf_counter()
    model = ol.LogisticRegression().fit(data)
    seconds = time.perf_counter() - began
    if not group.rank:
        found = {
            "processes": group.size,
            "seconds": seconds,
            "reads": model.result_.reads,
            "relative_gap": model.certificate_.relative_gap,
            "objective": model.certificate_.objective,
        }
        print(json.dumps(found))


def run(what, path, processes=1):
    """Run this file in processes of one core each and return what it prints."""
    command = [sys.executable]
    if processes > 1:
        command += ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    command += [__file__, "--child", what, str(path)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def measure(folder):
    """Return all figures."""
    found = {"growth": [], "processes": []}
    for name, values in GROWTH.items():
        for value in values:
            shape, path = {**BASE, name: value}, folder / "rows.npy"
            make(path, **shape)
            found["growth"].append({"grows": name, **shape, "seconds": run("read", path)})
            path.unlink()
            print(found["growth"][-1], flush=True)
    path = folder / "large.npy"
    make(path, **LARGE)
    for _ in range(REPEATS):
        for processes in (1, 2):
            found["processes"].append(run("fit", path, processes))
            print(found["processes"][-1], flush=True)
    path.unlink()
    return found


def draw(found):
    """Draw cost against expected cost, and rows a second by processes."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    mpl.rcParams["svg.hashsalt"] = "growth"
    figure = Figure(figsize=(9.2, 2.9), layout="constrained")
    panels = figure.subplots(1, 4)
    top = 2e3 * max(point["seconds"] for point in found["growth"])
    low = 5e2 * min(point["seconds"] for point in found["growth"])
    ticks = [tick for tick in (10, 20, 50, 100, 200, 500, 1000) if low < tick < top]
    for panel, name in zip(panels, GROWTH, strict=False):
        points = [point for point in found["growth"] if point["grows"] == name]
        sizes = [point[name] for point in points]
        base = next(point for point in points if point[name] == BASE[name])
        panel.plot(
            sizes,
            [1e3 * base["seconds"] * size / BASE[name] for size in sizes],
            color="0.6",
            ls="--",
            label="n · d · K",
        )
        panel.plot(
            sizes, [1e3 * point["seconds"] for point in points], color="#0b6e4f", marker="o", label="measured"
        )
        panel.set(
            xscale="log", yscale="log", xlabel=name, title="milliseconds a read" if name == "rows" else None
        )
        panel.set_xticks(sizes, [f"{size:,}" if size < 1000 else f"{size // 1000}k" for size in sizes])
        panel.minorticks_off()
        panel.set(ylim=(low, top))
        panel.set_yticks(ticks, map(str, ticks) if name == "rows" else [""] * len(ticks))
    panels[0].legend(frameon=False)
    speeds = speeds_of(found)
    panels[3].bar(
        list(map(str, speeds)), [speed / 1e6 for speed in speeds.values()], color="#0b6e4f", width=0.5
    )
    panels[3].set(xlabel="processes", title="million rows a second")
    figure.savefig(PICTURE, metadata={"Date": None})


def speeds_of(found):
    """Return the median rows a second of whole fits, by processes."""
    return {
        processes: statistics.median(
            LARGE["rows"] * fit["reads"] / fit["seconds"]
            for fit in found["processes"]
            if fit["processes"] == processes
        )
        for processes in (1, 2)
    }


def main():
    """Measure and draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", default=None, help="where the data are made and deleted")
    parser.add_argument("--draw", action="store_true", help="draw the figures that are there")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        # A core for each process: the thread that reads ahead shares it with the products.
        os.sched_setaffinity(0, [int(os.environ.get("LOCAL_RANK", "0")) % (os.cpu_count() or 1)])
        what, path = arguments.child
        (read_once if what == "read" else fit_once)(path)
        return
    if not arguments.draw:
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            found = measure(pathlib.Path(folder))
        RESULT.write_text(json.dumps(found, indent=1) + "\n")
    found = json.loads(RESULT.read_text())
    draw(found)
    one, two = speeds_of(found).values()
    print(f"2 processes: {two / one:.2f} × the rows a second of one")


if __name__ == "__main__":
    main()
