"""A fit of a file that does not fit into its memory: reads, throughput and memory, against a plain read in the same run.

``python benchmarks/streaming.py --rows 10000000 --features 200 --memory-limit 900MB --parquet --cold`` makes the data (8 GB),
fits them and deletes them. Memory is what the whole process holds in anonymous and shared pages, sampled every 50 ms from
/proc; pages of files, which the kernel takes back whenever it wants, are not in it. With ``--cold`` the pages of the file are
given back all the time, so that each read comes from the disk.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
import time

import numpy as np

BLOCK = 100_000
FIT = """
import json, sys, time
import onelayer as ol
from onelayer.data import stream
path, limit, threads, C = sys.argv[1:5]
if int(threads):
    import torch
    torch.set_num_threads(int(threads))
began = time.perf_counter()
model = ol.LogisticRegression(C=float(C)).fit(stream(path, memory_limit=limit))
result, certificate = model.result_, model.certificate_
print(json.dumps({
    "status": str(result.status), "reads": result.reads, "passes": result.passes, "iterations": result.n_iter,
    "seconds": time.perf_counter() - began, "objective": certificate.objective, "gap": certificate.gap,
    "relative_gap": certificate.relative_gap,
}))
"""


def make(folder, rows, features, parquet):
    """Write X and y as .npy files, and both as Parquet; return the folders."""
    import torch

    arrays = folder / "arrays"
    arrays.mkdir(parents=True)
    X = np.lib.format.open_memmap(arrays / "X_0.npy", mode="w+", dtype=np.float32, shape=(rows, features))
    y = np.lib.format.open_memmap(arrays / "y_0.npy", mode="w+", dtype=np.uint8, shape=(rows,))
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(features, generator=generator) / features**0.5 * 2
    writer = None
    for start in range(0, rows, BLOCK):
        count = min(BLOCK, rows - start)
        block = torch.randn(count, features, generator=generator)
        label = (torch.rand(count, generator=generator) < torch.sigmoid(block @ weight)).to(torch.uint8)
        X[start : start + count], y[start : start + count] = block.numpy(), label.numpy()
        if parquet:
            writer = write_group(folder / "table.parquet", block.numpy(), label.numpy(), writer)
    X.flush()
    y.flush()
    if writer:
        writer.close()
    return [arrays] + ([folder / "table.parquet"] if parquet else [])


def write_group(path, X, y, writer):
    """Append rows to a Parquet file as one group; numbers drawn at random gain nothing from dictionaries."""
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.table({f"x{column}": X[:, column] for column in range(X.shape[1])} | {"y": y})
    if writer is None:
        writer = parquet.ParquetWriter(path, table.schema, use_dictionary=False, compression="none")
    writer.write_table(table, row_group_size=50_000)
    return writer


def files_of(source):
    return sorted(source.iterdir()) if source.is_dir() else [source]


def give_back(source):
    """Ask the kernel to forget the pages of files."""
    for path in files_of(source):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def plain_read(source):
    """Return the seconds that reading all bytes takes, a few megabytes at a time."""
    space, began = bytearray(2**24), time.perf_counter()
    for path in files_of(source):
        with path.open("rb", buffering=0) as file:
            while file.readinto(space):
                pass
    return time.perf_counter() - began


def held(pid):
    """Return the anonymous and shared bytes of a process."""
    try:
        lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(1024 * int(line.split()[1]) for line in lines if line.startswith(("RssAnon:", "RssShmem:")))


def fit(source, options):
    """Run a fit in a process of its own; return its account, with the most that it held."""
    command = [
        sys.executable,
        "-c",
        FIT,
        str(source),
        options.memory_limit,
        str(options.threads),
        str(options.C),
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    stopped, most = threading.Event(), 0

    def forget():
        while options.cold and not stopped.wait(0.3):
            give_back(source)

    thread = threading.Thread(target=forget)
    thread.start()
    while process.poll() is None:
        most = max(most, held(process.pid))
        time.sleep(0.05)
    stopped.set()
    thread.join()
    if process.returncode:
        sys.exit(f"the fit of {source.name} failed.")
    return json.loads(process.communicate()[0]) | {"held": most}


def measure(source, options):
    """Return the account of one source: plain reads before and after, and the fit between them."""
    size = sum(path.stat().st_size for path in files_of(source))
    plain = []
    for _ in range(2):
        if options.cold:
            give_back(source)
        plain.append(plain_read(source))
    if options.cold:
        give_back(source)
    account = fit(source, options)
    speed = account["reads"] * size / account["seconds"]
    return account | {
        "source": source.name,
        "bytes": size,
        "cold": options.cold,
        "plain_gb_per_second": size / min(plain) / 1e9,
        "fit_gb_per_second": speed / 1e9,
        "ratio": speed / (size / min(plain)),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--features", type=int, default=200)
    parser.add_argument("--memory-limit", default="900MB")
    parser.add_argument("--C", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=0, help="0: torch's own choice")
    parser.add_argument("--parquet", action="store_true", help="the same rows as Parquet, too")
    parser.add_argument("--cold", action="store_true", help="every read from the disk")
    parser.add_argument("--folder", help="where the data are made [default: a temporary folder]")
    parser.add_argument("--out", help="a JSON file for the accounts")
    options = parser.parse_args()
    accounts = []
    with tempfile.TemporaryDirectory(dir=options.folder, prefix="onelayer-streaming-") as folder:
        for source in make(pathlib.Path(folder), options.rows, options.features, options.parquet):
            account = measure(source, options)
            accounts.append(account)
            print(
                f"{account['source']:<14} {account['bytes'] / 1e9:.2f} GB  {account['status']}, relative gap "
                f"{account['relative_gap']:.1e}, {account['reads']:.1f} reads, {account['passes']:.1f} passes, "
                f"{account['seconds']:.1f} s, {account['fit_gb_per_second']:.2f} GB/s (plain read "
                f"{account['plain_gb_per_second']:.2f}), at most {account['held'] / 1e6:.0f} MB held",
                flush=True,
            )
    if len(accounts) == 2:
        one, two = accounts
        apart = abs(one["objective"] - two["objective"])
        print(f"objectives differ by {apart:.2g}; the proven gaps sum to {one['gap'] + two['gap']:.2g}")
    if options.out:
        pathlib.Path(options.out).write_text(json.dumps(accounts, indent=2) + "\n")


if __name__ == "__main__":
    main()
