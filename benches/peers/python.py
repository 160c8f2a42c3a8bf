"""Measures the Python package: import, size, `crible.score`, `observe`, and detectors with data in memory.

usage: python.py --crible target/release/crible --beside PROGRAM [--data DIR] [--rounds 5] [--observe MICROSECONDS]
                 [--shapes NAME,…] [--only import,score,observe,many,detectors,memory]

Runs are taken in turn, one after the other; a figure is the median of the rounds, with its range. PROGRAM is what
`cargo bench -p crible-benches --bench beside_python --no-run` names: it does in Rust what is asked of the package, in a
process that stays, as this one does. `--data` is the folder with handbook_dev.csv.gz. `--observe` is the median that
`cargo bench --bench observe` prints for default detectors: as many payments of the same population are observed here.

Tables are those of detectors.py: drawn from a fixed seed, 49,097 × 9 and 10,000 × 100. Each side fits and scores all
rows once with two threads, the data in its memory in the same layout, and has just done the same untimed. `fit` here
has scored all rows when it returns, and has the threshold and the labels too, as PyOD's conventions ask.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import datetime, timezone
from pathlib import Path

SHAPES = {"shuttle": (49_097, 9), "wide": (10_000, 100)}
PAIRS = ["HBOS", "ECOD", "COPOD", "PCA", "MCD", "CBLOF", "LODA", "INNE", "GMM", "IForest", "KNN", "LOF", "ABOD"]

#: One of each kind: columns alone, histograms, projections, covariance, trees, clusters, neighbours of a sample.
BIG = ["ecod", "hbos", "loda", "pca", "mcd", "isolation_forest", "kmeans", "sampled_knn"]


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


class Beside:
    """The program in Rust: asked by a line, it answers with the seconds that it took."""

    def __init__(self, program: str, *arguments: str) -> None:
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.process = subprocess.Popen([program, "2", *arguments], **pipes)

    def ask(self, what: str) -> float:
        self.process.stdin.write(what + "\n")
        self.process.stdin.flush()
        return float(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def seconds(work) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def many(program: str, rounds: int) -> None:
    import crible

    ratios, alike, rates = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        key, payments, model, state = (f"{folder}/{name}" for name in ("key", "payments.csv", "model", "state"))
        Path(key).write_text("a key of thirty-two letters or so\n")
        frame = crible.simulate(accounts=2_000, days=75, seed=3, fraud_rate=0.002).to_polars().fill_nan(None)
        frame.write_csv(payments)
        past, today = crible.read(payments, key_file=key).split("2025-03-02")
        engine = crible.Engine.fit(past)
        engine.save(model), engine.save_state(state)
        # The file that Rust reads has the payments that are observed, and no others.
        frame.filter(frame["time"] >= datetime(2025, 3, 2, tzinfo=timezone.utc)).write_csv(payments)
        again = crible.read(payments, key_file=key)
        assert len(again) == len(today)
        rust = Beside(program, payments, key, model, state)
        for _ in range(rounds):
            theirs, kept = (min(rust.ask(what) for _ in range(2)) for what in ("replay", "kept"))
            ours = []
            for _ in range(2):
                engine = crible.Engine.load(model, state=state)
                ours.append(seconds(lambda: engine.observe_many(again, threads=2)))
            ratios.append(min(ours) / theirs)
            alike.append(min(ours) / kept)
            rates.append(len(again) / min(ours))
        rust.close()
    rate = f"{len(again)} payments, {statistics.median(rates):.0f} a second"
    print(f"observe_many over replay in Rust: {told(ratios)}; where that keeps as much: {told(alike)}; {rate}")


def drawn(shape: str):
    import numpy as np

    n, k = SHAPES[shape]
    draw = np.random.default_rng(20261125)
    centres = draw.normal(0, 4, (4, k))
    rows = centres[draw.integers(0, 4, n)] + draw.normal(0, 1, (n, k)) @ np.diag(draw.uniform(0.5, 2, k))
    odd = draw.random(n) < 0.01
    rows[odd] = draw.uniform(-12, 12, (int(odd.sum()), k))
    return rows


def accepted(cblof, rows) -> int:
    """A seed with whose clusters PyOD's CBLOF does not fail."""
    for seed in range(100):
        try:
            cblof(random_state=seed).fit(rows)
            cblof(random_state=seed).fit(rows[:1000])
            return seed
        except ValueError:
            pass
    raise SystemExit("CBLOF of PyOD finds no clusters with any seed")


def comparing(program: str, rounds: int, shapes: list[str]) -> None:
    import importlib

    import numpy as np
    from crible import detectors, pyod

    names = ["PyOD / ours", "Rust / ours, rows together", "Rust / ours, columns together"]
    print(f"| table | detector | {' | '.join(names)} |\n|---|---|---|---|---|")
    everything = []
    by_name = {one._name: one for one in vars(detectors).values() if isinstance(one, type) and one._name}
    for shape in shapes:
        rows = drawn(shape)
        columns, standard = np.asfortranarray(rows), (rows - rows.mean(0)) / rows.std(0)
        with tempfile.TemporaryDirectory() as folder:
            np.savez(f"{folder}/table.npz", X=rows)
            rust = Beside(program, f"{folder}/table.npz")
            # PyOD's ABOD would take most of the time of all others.
            for name in PAIRS[:-1] if len(rows) > 20_000 else PAIRS:
                theirs = getattr(importlib.import_module(f"pyod.models.{name.lower()}"), name)
                jobs = {"n_jobs": 2} if name in ("ECOD", "COPOD", "IForest", "KNN", "LOF") else {}
                jobs |= {"n_neighbors": 20} if name == "ABOD" else {"n_components": 2} if name == "GMM" else {}
                mine = by_name[getattr(pyod, name)._name]
                if name == "CBLOF":
                    jobs |= {"random_state": accepted(theirs, standard)}
                theirs(**jobs).fit(standard[:1000])

                def pair(layout: str, data) -> tuple[float, float]:
                    # Each side once untimed, then once timed: the threads of either were just awake.
                    asked = f"{layout} {mine._name}"
                    rust.ask(asked)
                    in_rust = rust.ask(asked)
                    mine(threads=2).fit(data)
                    return in_rust, seconds(lambda: mine(threads=2).fit(data))

                of_pyod, of_rows, of_columns = [], [], []
                for _ in range(rounds):
                    in_rust, ours = pair("rows", rows)
                    of_rows.append(in_rust / ours)
                    in_rust, in_columns = pair("columns", columns)
                    of_columns.append(in_rust / in_columns)
                    # Their fit may take a minute, and is no faster when repeated.
                    if len(of_pyod) < 3:
                        of_pyod.append(seconds(lambda: theirs(**jobs).fit(standard)) / ours)
                all_three = (of_pyod, of_rows, of_columns)
                everything.append([statistics.median(ratios) for ratios in all_three])
                print(f"| {shape} | {name} | {' | '.join(map(told, all_three))} |", flush=True)
            rust.close()
    for name, ratios in zip(names, zip(*everything)):
        print(f"geometric mean, {name}: {statistics.geometric_mean(ratios):.2f}, least {min(ratios):.2f}")


GROWTH = """
import resource, sys, numpy as np
from crible import detectors
name, n, k = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
one = {one._name: one for one in vars(detectors).values() if isinstance(one, type) and one._name}[name]
rows = np.empty((n, k), order=sys.argv[4])
draw = np.random.default_rng(20261130)
for at in range(0, n, 50_000):
    rows[at : at + 50_000] = draw.normal(size=rows[at : at + 50_000].shape)
detector = one(threads=2)
detector.fit(rows[:1000])
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
before = peak()
detector.fit(rows)
fitted = peak()
detector.decision_function(rows)
print(rows.nbytes / 2**20, before, fitted - before, peak() - before)
"""


def growing(n: int, k: int, names: list[str]) -> None:
    print("| detector | layout | array, MiB | process before | more after fit | more after scoring |")
    print("|---|---|---|---|---|---|")
    for name in names:
        for layout in "CF":
            said = timed([sys.executable, "-c", GROWTH, name, str(n), str(k), layout])[1]
            array, before, fitted, scored = (f"{float(one):.0f}" for one in said.split())
            print(f"| {name} | {layout} | {array} | {before} | {fitted} | {scored} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--crible", required=True)
    parser.add_argument("--data", default=os.environ.get("CRIBLE_DATA"))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--observe", type=float, default=0.0)
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--beside")
    parser.add_argument("--only", default="import,score,observe,many,detectors,memory")
    parser.add_argument("--big", default="2000000x64")
    parser.add_argument("--detectors", default=",".join(BIG))
    args = parser.parse_args()
    args.crible = os.path.abspath(args.crible)
    if {"many", "detectors"} & set(args.only.split(",")) and not args.beside:
        parser.error("--beside: expected the program beside_python")
    only = args.only.split(",")
    if "import" in only:
        importing(max(args.rounds, 9))
    if "score" in only and args.data:
        scoring(args.crible, args.data, args.rounds)
    if "observe" in only:
        observing(args.observe, args.rounds)
    if "many" in only:
        many(args.beside, args.rounds)
    if "detectors" in only:
        comparing(args.beside, args.rounds, args.shapes.split(","))
    if "memory" in only:
        growing(*map(int, args.big.split("x")), args.detectors.split(","))


if __name__ == "__main__":
    main()
