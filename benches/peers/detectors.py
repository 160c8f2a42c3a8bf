"""Times Crible's detectors against their namesakes in PyOD, scikit-learn and isotree: same files, runs in turn.

usage: detectors.py [--crible target/release/crible] [--rounds 3] [--only NAME,…] [--shapes NAME,…] [--out FILE.md]

Tables are drawn from a fixed seed: four normal clusters, one row in a hundred uniform around them. Their shapes are those
of sets that papers time with: shuttle (49,097 × 9), credit cards (284,807 × 29), a wide one (10,000 × 100), and one for
clusterings (100,000 × 20). Each side
fits and scores all rows with two threads, in a process of its own; what is compared is the time of fit and score alone,
reading not included. In every round each side runs once, one after the other, and the ratio is taken round by round.
Memory is the most a process had resident beyond what it had before the fit.

Where both sides are one algorithm their rankings have to agree: Spearman's correlation of the scores is printed.
"""

import argparse
import csv
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SHAPES = {"shuttle": (49_097, 9), "creditcard": (284_807, 29), "wide": (10_000, 100), "clusters": (100_000, 20)}

# Ours, the rival, and the least correlation of ranks that one algorithm on both sides owes; none where both draw by
# chance or the definitions differ.
PAIRS = [
    ("hbos", "pyod.hbos", 0.9),
    ("ecod", "pyod.ecod", 0.99),
    ("copod", "pyod.copod", 0.99),
    ("pca", "pyod.pca", None),
    ("mcd", "pyod.mcd", 0.9),
    ("cblof", "pyod.cblof", None),
    ("loda", "pyod.loda", None),
    ("inne", "pyod.inne", None),
    ("gmm", "pyod.gmm", None),
    ("kde", "pyod.kde", None),
    ("isolation_forest", "pyod.iforest", 0.8),
    ("isolation_forest", "sklearn.iforest", 0.8),
    ("isolation_forest", "isotree.iforest", 0.8),
    ("knn", "pyod.knn", 0.99),
    ("knn", "sklearn.knn", 0.99),
    ("lof", "pyod.lof", 0.99),
    ("lof", "sklearn.lof", 0.99),
    ("dbscan", "sklearn.dbscan", None),
    ("optics", "sklearn.optics", None),
    ("hdbscan", "sklearn.hdbscan", None),
]
# Above so many rows a rival takes longer than anybody waits, by its own published figures.
LIMITS = {"pyod.kde": 20_000, "sklearn.optics": 20_000, "pyod.lof": 60_000, "pyod.knn": 60_000, "sklearn.lof": 60_000,
          "sklearn.knn": 60_000, "sklearn.hdbscan": 110_000, "sklearn.dbscan": 110_000}


def table(name: str) -> np.ndarray:
    n, k = SHAPES[name]
    draw = np.random.default_rng(20261125)
    centres = draw.normal(0, 4, (4, k))
    rows = centres[draw.integers(0, 4, n)] + draw.normal(0, 1, (n, k)) @ np.diag(draw.uniform(0.5, 2, k))
    odd = draw.random(n) < 0.01
    rows[odd] = draw.uniform(-12, 12, (int(odd.sum()), k))
    return rows


def make(name: str):
    """A rival, as its users call it."""
    if name.startswith("pyod"):
        import pyod.models.cblof, pyod.models.copod, pyod.models.ecod, pyod.models.gmm, pyod.models.hbos  # noqa: E401
        import pyod.models.iforest, pyod.models.inne, pyod.models.kde, pyod.models.knn, pyod.models.loda  # noqa: E401
        import pyod.models.lof, pyod.models.mcd, pyod.models.pca  # noqa: E401

        models = pyod.models
        return {
            "pyod.hbos": lambda: models.hbos.HBOS(),
            "pyod.ecod": lambda: models.ecod.ECOD(n_jobs=2),
            "pyod.copod": lambda: models.copod.COPOD(n_jobs=2),
            "pyod.pca": lambda: models.pca.PCA(),
            "pyod.mcd": lambda: models.mcd.MCD(random_state=0),
            "pyod.cblof": lambda: models.cblof.CBLOF(random_state=0),
            "pyod.loda": lambda: models.loda.LODA(random_state=0),
            "pyod.inne": lambda: models.inne.INNE(random_state=0),
            "pyod.gmm": lambda: models.gmm.GMM(n_components=2, random_state=0),
            "pyod.kde": lambda: models.kde.KDE(),
            "pyod.iforest": lambda: models.iforest.IForest(n_jobs=2, random_state=0),
            "pyod.knn": lambda: models.knn.KNN(n_jobs=2),
            "pyod.lof": lambda: models.lof.LOF(n_jobs=2),
        }[name]()
    return None


def rival(name: str, path: str) -> None:
    """In a process of its own: fits and scores, prints seconds and MiB, writes the scores."""
    import resource
    import time

    rows = np.load(path)
    rows = (rows - rows.mean(0)) / rows.std(0)
    model = make(name)
    if name == "isotree.iforest":
        import isotree

        model = isotree.IsolationForest(ntrees=100, sample_size=256, ndim=1, missing_action="fail", nthreads=2, random_seed=0)
    # What a process pays once (imports on demand, code compiled as it runs, pools of workers) is not counted.
    if name.startswith("pyod"):
        make(name).fit(rows[:1000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    if model is not None and name.startswith("pyod"):
        scores = model.fit(rows).decision_scores_
    elif name == "sklearn.iforest":
        from sklearn.ensemble import IsolationForest

        scores = -IsolationForest(n_jobs=2, random_state=0).fit(rows).score_samples(rows)
    elif name == "isotree.iforest":
        scores = model.fit(rows).predict(rows)
    elif name == "sklearn.knn":
        from sklearn.neighbors import NearestNeighbors

        scores = NearestNeighbors(n_neighbors=5, n_jobs=2).fit(rows).kneighbors()[0][:, -1]
    elif name == "sklearn.lof":
        from sklearn.neighbors import LocalOutlierFactor

        scores = -LocalOutlierFactor(n_jobs=2).fit(rows).negative_outlier_factor_
    else:
        from sklearn.cluster import DBSCAN, HDBSCAN, OPTICS

        cluster = {
            "sklearn.dbscan": lambda: DBSCAN(eps=float(np.sqrt(rows.shape[1])) * 0.5, n_jobs=2),
            "sklearn.optics": lambda: OPTICS(n_jobs=2),
            "sklearn.hdbscan": lambda: HDBSCAN(n_jobs=2),
        }[name]()
        scores = (cluster.fit(rows).labels_ == -1).astype(float)
    seconds = time.perf_counter() - began
    mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    np.save(path + ".rival.npy", scores)
    print(json.dumps({"seconds": seconds, "mib": mib}))


def ours(crible: str, name: str, npz: str, folder: str) -> dict:
    report = f"{folder}/ours.json"
    subprocess.run([crible, "bench", npz, "--detectors", name, "--threads", "2", "--json", report],
                   check=True, stdout=subprocess.DEVNULL)
    (result,) = json.loads(Path(report).read_text())["results"]
    if result.get("error"):
        sys.exit(f"{name}: {result['error']}")
    return {"seconds": result["fit_seconds"] + result["score_seconds"], "mib": (result["peak_bytes"] or 0) / 2**20}


def scores(crible: str, name: str, npz: str, folder: str) -> np.ndarray:
    out = f"{folder}/scores.csv"
    subprocess.run([crible, "detect", npz, "--detector", name, "--out", out], check=True)
    with open(out) as file:
        return np.array([float(row["score"]) for row in csv.DictReader(file)])


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--crible", default=str(HERE.parent.parent / "target/release/crible"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--out")
    parser.add_argument("--rival", nargs=2)
    args = parser.parse_args()
    if args.rival:
        rival(*args.rival)
        return
    only = set(filter(None, args.only.split(",")))
    environment = os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}
    lines = [f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", "",
             "| table | detector | rival | rival / ours, median | range | ours s | ours MiB | rival MiB | rank correlation |",
             "|---|---|---|---|---|---|---|---|---|"]
    ratios: dict[str, list[float]] = {}
    for shape in args.shapes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            rows = table(shape)
            npy, npz = f"{folder}/{shape}.npy", f"{folder}/{shape}.npz"
            np.save(npy, rows)
            # The label is for the bench's figures, which nobody reads here.
            np.savez(npz, X=rows, y=np.arange(len(rows)) % 100 == 0)
            for name, other, owed in PAIRS:
                if (only and name not in only) or len(rows) > LIMITS.get(other, 10**9):
                    continue
                rounds = []
                for _ in range(args.rounds):
                    mine = ours(args.crible, name, npz, folder)
                    done = subprocess.run([sys.executable, __file__, "--rival", other, npy], env=environment,
                                          stdout=subprocess.PIPE, check=True)
                    rounds.append((mine, json.loads(done.stdout.splitlines()[-1])))
                all_ratios = [theirs["seconds"] / mine["seconds"] for mine, theirs in rounds]
                ratio = statistics.median(all_ratios)
                ratios.setdefault(other, []).append(ratio)
                agreement = "–"
                if owed is not None:
                    r = rank_correlation(scores(args.crible, name, npz, folder), np.load(npy + ".rival.npy"))
                    agreement = f"{r:.3f}" + ("" if r >= owed else f" (below {owed})")
                most = lambda side: max(r[side]["mib"] for r in rounds)
                lines.append(f"| {shape} | {name} | {other} | {ratio:.1f} | {min(all_ratios):.1f} to {max(all_ratios):.1f} | "
                             f"{statistics.median(m['seconds'] for m, _ in rounds):.3f} | {most(0):.0f} | {most(1):.0f} | {agreement} |")
                print(lines[-1], flush=True)
    pyod = [r for other, rs in ratios.items() if other.startswith("pyod") for r in rs]
    if pyod:
        lines += ["", f"Geometric mean against PyOD over {len(pyod)} pairs: {statistics.geometric_mean(pyod):.1f}, least {min(pyod):.1f}."]
        print(lines[-1])
    if args.out:
        Path(args.out).write_text("\n".join(lines) + "\n")


main()
