"""Compare onelayer with all peers that are installed: seconds and memory to a certified gap.

``python benchmarks/compare.py [--problems iris,fashion-mnist] [--peers onelayer,sklearn] [--repeat 3] ...``

Each fit runs in a process of its own, and ``onelayer.certify`` judges the results, ours and theirs (see ``gaps.py``).
Contestants climb a ladder of tolerances once; then the cheapest settings that reach a gap of 1e-3 and of 1e-6 are repeated, one contestant
after the other in turn. Written are OUT.json (every run), OUT.md, OUT.png and OUT.svg. Ctrl-C keeps what was measured,
and ``--resume`` goes on from there.
"""

import argparse
import os
import pathlib
import signal
import tempfile

import machine
import picture
import table
from contest import Contest
from peers import PEERS
from problems import PROBLEMS, Missing, select
from results import Results
from rich.console import Console
from rich.progress import Progress
from running import Runner

__all__ = ["main"]


def main(arguments=None):
    """Run what the command line asks for; return the exit code."""
    options = _options(arguments)
    console = Console(stderr=True, highlight=False)
    peers = _peers(options.peers)
    problems = select(options.problems.split(","))
    if "all" in options.problems.split(",") and options.embeddings:
        # The stand-in is for where the real ones are missing.
        problems = [problem for problem in problems if problem.group != "synthetic-embeddings"]
    results = Results(
        options.out.with_name(options.out.name + ".json"), resume=options.resume or options.report
    )
    if options.report:
        _write(results, options.out, console)
        return 0
    _check_same(results.head, options)
    # A run under `timeout` or in a queue is ended like by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        absent = machine.missing(peers)
    except KeyboardInterrupt:
        console.print("interrupted before anything ran")
        return 130
    peers = [peer for peer in peers if peer.distribution not in absent]
    before = results.head
    results.head = {
        **machine.describe(peers, options.threads, options.device),
        # What is kept from before may have been repeated less often.
        "repeat": min(options.repeat, before.get("repeat", options.repeat)),
        "device_kind": options.device,
        "max_rows": options.max_rows,
        "missing": absent,
        "skipped": before.get("skipped", {}),
    }
    # The runs that were kept may be of libraries that are not asked for now.
    results.head["versions"] = {**before.get("versions", {}), **results.head["versions"]}
    code = 0
    try:
        _run(options, problems, peers, results, console)
    except KeyboardInterrupt:
        console.print("interrupted; what was measured is kept (--resume goes on)")
        code = 130
    _write(results, options.out, console)
    for name, reason in {**absent, **results.head["skipped"]}.items():
        console.print(f"left out: {name}: {reason}")
    return code


def _run(options, problems, peers, results, console):
    runner = Runner(options.threads, options.time_limit, options.device)

    def say(line):
        # A line in a log stays one line.
        console.print(line, soft_wrap=True, markup=False)

    with Progress(console=console) as progress:
        bar = progress.add_task("problems", total=len(problems))
        for problem in problems:
            with tempfile.TemporaryDirectory(prefix="onelayer-bench-") as folder:
                try:
                    prepared = problem.prepare(folder, options)
                except Missing as error:
                    results.head["skipped"][problem.name] = str(error)
                    progress.advance(bar)
                    continue
                results.head["skipped"].pop(problem.name, None)
                task = prepared.task
                results.problems[problem.name] = {
                    "loss": task.loss,
                    "alpha": task.alpha,
                    "classes": task.classes,
                    "delta": task.delta,
                    "shape": list(prepared.shape),
                    "data_bytes": prepared.data_bytes,
                }
                chosen = [peer for peer in peers if peer.takes(task, options.device)]
                contest = Contest(
                    problem, prepared, chosen, results, runner, options.ladder_limit, options.certify_all, say
                )
                climbing = progress.add_task(problem.name, total=len(chosen))
                for peer in chosen:
                    progress.update(climbing, description=f"{problem.name}: {peer.name}")
                    contest.climb(peer)
                    progress.advance(climbing)
                progress.update(climbing, description=f"{problem.name}: repeats")
                contest.repeat(options.repeat)
                progress.remove_task(climbing)
                progress.advance(bar)


def _write(results, out, console):
    results.write()
    written = [results.file.name]
    if results.problems:
        page = out.with_name(out.name + ".md")
        page.write_text(table.page(results))
        pictures = [out.with_name(out.name + ending) for ending in (".png", ".svg")]
        picture.draw(results, pictures)
        written += [file.name for file in (page, *pictures)]
    console.print(f"wrote {', '.join(written)}")


def _peers(names):
    """Return the contestants with these names, or of these libraries ("sklearn" for all of its solvers)."""
    wanted = set(names.split(","))
    if "all" in wanted:
        return list(PEERS.values())
    libraries = {name.split("-")[0] for name in PEERS}
    unknown = wanted - set(PEERS) - libraries
    if unknown:
        raise SystemExit(f"no contestant {', '.join(sorted(unknown))}; there are {', '.join(PEERS)}")
    return [peer for name, peer in PEERS.items() if name in wanted or name.split("-")[0] in wanted]


def _check_same(head, options):
    """Refuse to mix runs that cannot be compared."""
    asked = {"threads": options.threads, "device_kind": options.device, "max_rows": options.max_rows}
    for key, value in asked.items():
        if key in head and head[key] != value:
            raise SystemExit(
                f"--resume: the file was made with {key} = {head[key]}, not {value}; give another --out"
            )


def _options(arguments):
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = ", ".join(problem.name for problem in PROBLEMS)
    parser.add_argument("--problems", default="all", help=f"names or groups, with commas: {names}")
    parser.add_argument("--peers", default="all", help=f"names or libraries, with commas: {', '.join(PEERS)}")
    parser.add_argument("--repeat", type=int, default=3, help="runs of each deciding setting")
    parser.add_argument("--time-limit", type=float, default=120, help="seconds for one fit")
    parser.add_argument(
        "--ladder-limit",
        type=float,
        help="seconds for all first runs of one contestant (default: 3 time limits)",
    )
    parser.add_argument("--threads", type=int, default=_cores(), help="for every library")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--out", type=pathlib.Path, help="path without an ending")
    parser.add_argument("--resume", action="store_true", help="keep the runs that OUT.json holds")
    parser.add_argument(
        "--report", action="store_true", help="run nothing; write page and pictures from OUT.json"
    )
    parser.add_argument(
        "--embeddings",
        default=os.environ.get("ONELAYER_EMBEDDINGS"),
        help="an .npz with X and y; default: the variable ONELAYER_EMBEDDINGS",
    )
    parser.add_argument(
        "--text",
        default=os.environ.get("ONELAYER_TEXT"),
        help="an .npz with data, indices, indptr, shape and y of a CSR matrix; default: the variable ONELAYER_TEXT",
    )
    parser.add_argument(
        "--certify-all", action="store_true", help="ask for a certificate of every result, needed or not"
    )
    parser.add_argument("--max-rows", type=int, help="for trying things out: draw so many rows")
    options = parser.parse_args(arguments)
    if options.device == "cuda" and not _has_cuda():
        parser.error("--device cuda: torch finds no CUDA device")
    options.ladder_limit = options.ladder_limit or 3 * options.time_limit
    if options.out is None:
        folder = pathlib.Path(__file__).parent / "results"
        options.out = folder / f"{options.device}-{options.threads}threads"
    return options


def _has_cuda():
    import torch

    return torch.cuda.is_available()


def _cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


if __name__ == "__main__":
    raise SystemExit(main())
