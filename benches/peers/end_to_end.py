"""Times `crible score` against what else one could run on the same file, whole processes in turn, and prints ratios.

usage: end_to_end.py CSV [--crible target/release/crible] [--peer pipeline.py] [--pairs 3] [--scaling]

CSV is a Handbook export (see datasets/manifest.toml). Needs the packages of requirements.txt. Every round runs each
command once, one after the other, so that a machine whose speed drifts slows all of them; the ratio is taken round by
round. Peak memory is the operating system's account of the finished process.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).parent
READ = "import sys, polars as pl; print(pl.read_csv(sys.argv[1], try_parse_dates=True).height)"


def run(command: list[str]) -> tuple[float, float]:
    """Wall seconds and peak memory in MiB of one process."""
    environment = os.environ | {"POLARS_MAX_THREADS": "2", "RAYON_NUM_THREADS": "2", "OMP_NUM_THREADS": "2"}
    began = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment)
    error = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    if status != 0:
        sys.exit(f"{command} failed: {error.decode()}")
    return seconds, usage.ru_maxrss / 1024


def ours(crible: str, path: str, folder: str) -> list[str]:
    return [crible, "score", path, "--out", f"{folder}/alerts.jsonl", "--threads", "2"]


def median(values: list[float]) -> float:
    return statistics.median(values)


def side_by_side(args: argparse.Namespace, folder: str) -> None:
    commands = {
        "crible": ours(args.crible, args.csv, folder),
        "peer": [sys.executable, args.peer, args.csv],
        "polars read_csv": [sys.executable, "-c", READ, args.csv],
    }
    rounds = []
    for command in commands.values():
        run(command)
    for _ in range(args.pairs):
        rounds.append({name: run(command) for name, command in commands.items()})
    print("| round | " + " | ".join(f"{n} s (MiB)" for n in commands) + " | peer / crible | crible / read_csv |")
    print("|---" * (len(commands) + 3) + "|")
    for i, r in enumerate(rounds, 1):
        cells = " | ".join(f"{s:.2f} ({m:.0f})" for s, m in r.values())
        seconds = {name: s for name, (s, _) in r.items()}
        ratios = f"{seconds['peer'] / seconds['crible']:.1f} | {seconds['crible'] / seconds['polars read_csv']:.2f}"
        print(f"| {i} | {cells} | {ratios} |")
    of = lambda a, b: median([r[a][0] / r[b][0] for r in rounds])
    print(f"\nmedian: peer / crible {of('peer', 'crible'):.1f}, crible / read_csv {of('crible', 'polars read_csv'):.2f}, ")
    print(f"peak memory of crible {max(r['crible'][1] for r in rounds):.0f} MiB")


def scaling(args: argparse.Namespace, folder: str) -> None:
    """Time against rows: the slope of the log-log line from 100,000 rows to all of them."""
    lines = Path(args.csv).read_bytes().split(b"\n")
    sizes = [100_000, 300_000, len(lines) - 2]
    points = []
    for rows in sizes:
        part = f"{folder}/part.csv"
        Path(part).write_bytes(b"\n".join(lines[: rows + 1]) + b"\n")
        seconds = min(run(ours(args.crible, part, folder))[0] for _ in range(args.pairs))
        points.append((rows, seconds))
        print(f"{rows} rows: {seconds:.3f} s")
    import math

    (n0, s0), (n1, s1) = points[0], points[-1]
    print(f"exponent {math.log(s1 / s0) / math.log(n1 / n0):.2f}")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("csv")
    parser.add_argument("--crible", default=str(HERE.parent.parent / "target/release/crible"))
    parser.add_argument("--peer", default=str(HERE / "pipeline.py"))
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--scaling", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        (scaling if args.scaling else side_by_side)(args, folder)


main()
