"""Measures the Python package: import, size, `crible.score`, `observe`, and PyOD with data in memory.

usage: python.py --crible target/release/crible [--data DIR] [--rounds 5] [--observe MICROSECONDS] [--shapes NAME,…]

Runs are taken in turn, one after the other, each in a process of its own; a figure is the median of the rounds, with
its range. `--data` is the folder with handbook_dev.csv.gz. `--observe` is the median that `cargo bench --bench observe`
prints for default detectors: as many payments of the same population are observed from Python.

Tables are those of detectors.py: drawn from a fixed seed, 49,097 × 9 and 10,000 × 100. Each side fits and scores all
rows with two threads, in one process, data in memory; a thousand rows are fitted first.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHAPES = {"shuttle": (49_097, 9), "wide": (10_000, 100)}
PAIRS = ["HBOS", "ECOD", "COPOD", "PCA", "MCD", "CBLOF", "LODA", "INNE", "GMM", "IForest", "KNN", "LOF", "ABOD"]


def timed(command: list[str], **more) -> tuple[float, str]:
    start = time.perf_counter()
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **more)
    return time.perf_counter() - start, done.stdout


def told(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def importing(rounds: int) -> None:
    empty, whole = [], []
    for _ in range(rounds):
        empty.append(timed([sys.executable, "-c", "pass"])[0])
        whole.append(timed([sys.executable, "-c", "import crible"])[0])
    took = [1000 * (with_it - without) for with_it, without in zip(whole, empty)]
    print(f"import crible: {told(took)} ms more than an empty program")
    import crible

    size = sum(path.stat().st_size for path in Path(crible.__file__).parent.rglob("*") if path.is_file())
    print(f"on disk: {size / 1e6:.1f} MB")


SCORE = (
    "import sys, crible; result = crible.score(sys.argv[1], threads=2); print(len(result.alerts), len(result.scores))"
)


def scoring(crible: str, data: str, rounds: int) -> None:
    path = f"{data}/handbook_dev.csv.gz"
    ratios, python, command = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        out = ["--out", f"{folder}/alerts.parquet", "--scores", f"{folder}/scores.parquet"]
        for _ in range(rounds):
            command.append(timed([crible, "score", path, "--threads", "2", *out])[0])
            python.append(timed([sys.executable, "-c", SCORE, path])[0])
            ratios.append(python[-1] / command[-1])
    print(f"crible.score on Handbook over the command: {told(ratios)} ({told(python)} s over {told(command)} s)")


def observing(rust: float, rounds: int) -> None:
    import crible

    table = crible.simulate(accounts=2_000, days=75, seed=3, fraud_rate=0.002)
    past, today = crible.read(table).split("2025-03-02")
    model, state = (engine := crible.Engine.fit(past)).save(), engine.save_state()
    medians, many = [], []
    for _ in range(rounds):
        engine = crible.Engine.load(model, state=state)
        payments, took = [today[at] for at in range(len(today))], []
        for payment in payments:
            start = time.perf_counter_ns()
            engine.observe(payment)
            took.append(time.perf_counter_ns() - start)
        medians.append(statistics.median(took) / 1000)
        engine = crible.Engine.load(model, state=state)
        start = time.perf_counter()
        engine.observe_many(today)
        many.append(len(today) / (time.perf_counter() - start))
    more = f", {statistics.median(medians) - rust:+.2f} µs against Rust's {rust}" if rust else ""
    print(f"observe: median {told(medians)} µs{more}; observe_many: {told(many)} a second")


def comparing(crible: str, rounds: int, shapes: list[str]) -> None:
    import importlib

    import numpy as np
    from crible import detectors, pyod

    print("| table | detector | PyOD / ours in Python | command / ours in Python |\n|---|---|---|---|")
    everything = []
    for shape in shapes:
        n, k = SHAPES[shape]
        draw = np.random.default_rng(20261125)
        centres = draw.normal(0, 4, (4, k))
        rows = centres[draw.integers(0, 4, n)] + draw.normal(0, 1, (n, k)) @ np.diag(draw.uniform(0.5, 2, k))
        odd = draw.random(n) < 0.01
        rows[odd] = draw.uniform(-12, 12, (int(odd.sum()), k))
        by_name = {one._name: one for one in vars(detectors).values() if isinstance(one, type) and one._name}
        with tempfile.TemporaryDirectory() as folder:
            np.savez(f"{folder}/table.npz", X=rows, y=odd)
            # PyOD's ABOD would take most of the time of all others.
            for name in PAIRS[:-1] if n > 20_000 else PAIRS:
                theirs = getattr(importlib.import_module(f"pyod.models.{name.lower()}"), name)
                jobs = {"n_jobs": 2} if name in ("ECOD", "COPOD", "IForest", "KNN", "LOF") else {}
                jobs |= {"n_neighbors": 20} if name == "ABOD" else {"n_components": 2} if name == "GMM" else {}
                mine = by_name[getattr(pyod, name)._name]
                standard = (rows - rows.mean(0)) / rows.std(0)
                mine(threads=2).fit(rows[:1000]), theirs(**jobs).fit(standard[:1000])
                against_pyod, against_command = [], []
                for _ in range(rounds):
                    start = time.perf_counter()
                    mine(threads=2).fit(rows)
                    ours = time.perf_counter() - start
                    start = time.perf_counter()
                    theirs(**jobs).fit(standard)
                    against_pyod.append((time.perf_counter() - start) / ours)
                    report = f"{folder}/report.json"
                    timed(
                        [
                            crible,
                            "bench",
                            f"{folder}/table.npz",
                            "--detectors",
                            mine._name,
                            "--threads",
                            "2",
                            "--json",
                            report,
                        ]
                    )
                    (result,) = json.loads(Path(report).read_text())["results"]
                    against_command.append((result["fit_seconds"] + result["score_seconds"]) / ours)
                everything.append((statistics.median(against_pyod), statistics.median(against_command)))
                print(f"| {shape} | {name} | {told(against_pyod)} | {told(against_command)} |", flush=True)
    for what, at in (("PyOD", 0), ("the command", 1)):
        all_of_it = [pair[at] for pair in everything]
        print(
            f"geometric mean, {what} over ours: {statistics.geometric_mean(all_of_it):.2f}, least {min(all_of_it):.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crible", required=True)
    parser.add_argument("--data", default=os.environ.get("CRIBLE_DATA"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--observe", type=float, default=0.0)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--only", default="import,score,observe,pyod")
    args = parser.parse_args()
    args.crible = os.path.abspath(args.crible)
    only = args.only.split(",")
    if "import" in only:
        importing(max(args.rounds, 9))
    if "score" in only and args.data:
        scoring(args.crible, args.data, args.rounds)
    if "observe" in only:
        observing(args.observe, args.rounds)
    if "pyod" in only:
        comparing(args.crible, args.rounds, args.shapes.split(","))


if __name__ == "__main__":
    main()
