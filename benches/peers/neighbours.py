"""Detectors on neighbourhoods against scikit-learn, PyOD and hdbscan: fit and scores of the fit's rows, two
threads each side, whole processes in turn.

    cargo build --release -p crible-score --example fit_score
    .venv/bin/python benches/peers/neighbours.py [--pairs N] [CASE ...]

A case is SHAPE:OURS:PEER; without any, all of CASES run. Rows are drawn here, standardised, and written once
for both sides; reading them is not timed. Prints seconds of each side, processor seconds (of ours with
reading, of the peer without) for a machine that does other work too, peak memory, and the medians of the
ratios of pairs.
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

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
OURS = ROOT / "target/release/examples/fit_score"

CASES = [
    "shuttle:knn:sklearn_knn",
    "shuttle:knn:pyod_knn",
    "shuttle:lof:sklearn_lof",
    "shuttle:lof:pyod_lof",
    "wide:knn:sklearn_knn",
    "wide:knn:pyod_knn",
    "wide:lof:sklearn_lof",
    "wide:lof:pyod_lof",
    "clusters:dbscan:sklearn_dbscan",
    "clusters:hdbscan:sklearn_hdbscan",
    "clusters:hdbscan:hdbscan",
    "cards:knn:sklearn_knn",
    "cards:lof:sklearn_lof",
]


def shuttle(rng):
    """49,097 x 9: seven classes of very unequal size, whole numbers, correlated columns, few far out."""
    sizes = rng.multinomial(49_097, [0.78, 0.15, 0.05, 0.012, 0.005, 0.002, 0.001])
    parts = []
    for i, n in enumerate(sizes):
        mixing = rng.normal(0, 1, (9, 9)) * rng.uniform(0.3, 6.0, 9)
        parts.append(rng.standard_t(4, (n, 9)) @ mixing + rng.normal(0, 15, 9) * (i > 0))
    return np.round(np.concatenate(parts))


def cards(rng):
    """284,807 x 29: heavy-tailed components of falling variance, and an amount."""
    rows = rng.standard_t(3.5, (284_807, 29)) * np.linspace(2.0, 0.3, 29)
    rows[:, :10] += rng.normal(0, 1.5, (6, 10))[rng.integers(0, 6, len(rows))]
    rows[:, 28] = rng.lognormal(3.0, 1.4, len(rows))
    return rows


def wide(rng):
    """10,000 x 100: eight clusters in twenty columns, noise in the others."""
    rows = rng.normal(0, 1, (10_000, 100))
    rows[:, :20] += rng.normal(0, 3, (8, 20))[rng.integers(0, 8, 10_000)]
    return rows


def clusters(rng, n=100_000):
    """100,000 x 20: thirty clusters of different widths, and one row of twenty anywhere."""
    of = rng.integers(0, 30, n)
    rows = rng.normal(0, 6, (30, 20))[of] + rng.normal(0, 1, (n, 20)) * rng.uniform(0.4, 1.5, 30)[of, None]
    rows[:: 20] = rng.uniform(-15, 15, (len(rows[::20]), 20))
    return rows


def clusters_10k(rng):
    return clusters(rng, 10_000)


SHAPES = {f.__name__: f for f in [shuttle, cards, wide, clusters, clusters_10k]}


def eps(rows):
    """The knee of the distances, as ours finds it, so that both sides have one radius."""
    from sklearn.neighbors import NearestNeighbors

    sample = rows[np.random.default_rng(0).permutation(len(rows))[:2_000]]
    distances = NearestNeighbors(n_jobs=2).fit(rows).kneighbors(sample, 20)[0][:, -1]
    curve = np.sort(distances)[: int(np.ceil(0.95 * len(distances)))]
    below = np.linspace(0, 1, len(curve)) - (curve - curve[0]) / (curve[-1] - curve[0])
    return float(curve[below.argmax()])


def peer(name, rows):
    """Seconds of the fit with its scores; what takes no part in it is imported or computed before."""
    if name == "sklearn_knn":
        from sklearn.neighbors import NearestNeighbors

        run = lambda: NearestNeighbors(n_neighbors=5, n_jobs=2).fit(rows).kneighbors()[0][:, -1]
    elif name == "sklearn_lof":
        from sklearn.neighbors import LocalOutlierFactor

        run = lambda: -LocalOutlierFactor(n_neighbors=20, n_jobs=2).fit(rows).negative_outlier_factor_
    elif name == "pyod_knn":
        from pyod.models.knn import KNN

        run = lambda: KNN(n_neighbors=5, n_jobs=2).fit(rows).decision_scores_
    elif name == "pyod_lof":
        from pyod.models.lof import LOF

        run = lambda: LOF(n_neighbors=20, n_jobs=2).fit(rows).decision_scores_
    elif name == "sklearn_dbscan":
        from sklearn.cluster import DBSCAN

        radius = eps(rows)
        run = lambda: DBSCAN(eps=radius, min_samples=20, n_jobs=2).fit(rows).labels_
    elif name == "sklearn_hdbscan":
        from sklearn.cluster import HDBSCAN

        run = lambda: HDBSCAN(min_samples=20, min_cluster_size=20, n_jobs=2, copy=True).fit(rows).labels_
    elif name == "hdbscan":
        from hdbscan import HDBSCAN

        run = lambda: HDBSCAN(min_samples=19, min_cluster_size=20, core_dist_n_jobs=2).fit(rows).outlier_scores_
    elif name == "sklearn_optics":
        from sklearn.cluster import OPTICS

        run = lambda: OPTICS(min_samples=20, n_jobs=2).fit(rows).reachability_
    elif name == "pyod_cof":
        from pyod.models.cof import COF

        run = lambda: COF(method="memory").fit(rows).decision_scores_
    elif name == "pyod_abod":
        from pyod.models.abod import ABOD

        run = lambda: ABOD(n_neighbors=21, n_jobs=2).fit(rows).decision_scores_
    else:
        sys.exit(f"no peer {name}")
    start, processor = time.perf_counter(), time.process_time()
    scores = run()
    processor = time.process_time() - processor
    assert len(scores) == len(rows)
    return {"fit": time.perf_counter() - start, "processor": processor}


def run(command):
    """Seconds, processor seconds and peak mebibytes of a process that prints JSON."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        out = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{command[:3]}: {process.returncode}")
    result = json.loads(out)
    processor = result.get("processor", usage.ru_utime + usage.ru_stime)
    return result["fit"] + result.get("score", 0), processor, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=CASES)
    parser.add_argument("--pairs", type=int, default=3)
    parser.add_argument("--peer", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.peer:
        name, file, columns = arguments.peer
        print(json.dumps(peer(name, np.fromfile(file).reshape(-1, int(columns)))))
        return
    for case in arguments.cases:
        shape, ours, theirs = case.split(":")
        rows = SHAPES[shape](np.random.default_rng(7))
        rows = (rows - rows.mean(axis=0)) / rows.std(axis=0)
        with tempfile.NamedTemporaryFile(suffix=".f64") as file:
            rows.tofile(file.name)
            columns = str(rows.shape[1])
            del rows
            pairs = []
            for _ in range(arguments.pairs):
                one = run([str(OURS), ours, file.name, columns])
                other = run([sys.executable, __file__, "--peer", theirs, file.name, columns])
                pairs.append((one, other))
                sides = [f"{wall:.2f} s, processor {cpu:.2f} s, {peak:.0f} MiB" for wall, cpu, peak in pairs[-1]]
                print(f"  {sides[0]}; {sides[1]}", flush=True)
        wall, cpu = (statistics.median(other[i] / one[i] for one, other in pairs) for i in (0, 1))
        print(f"{case}: {wall:.1f} times as fast, {cpu:.1f} by processor seconds", flush=True)


if __name__ == "__main__":
    main()
