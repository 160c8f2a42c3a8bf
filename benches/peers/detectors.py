"""Times Crible's detectors against their namesakes in PyOD, scikit-learn, isotree and river: same files, runs in turn.

usage: detectors.py [--crible target/release/crible] [--rounds 3] [--only NAME,…] [--shapes NAME,…] [--out FILE.md]
       detectors.py --adbench DIR [--crible …]    ROC AUC of the isolation forests alone, over labelled tables

Tables are drawn from a fixed seed: four normal clusters, one row in a hundred uniform around them. Their shapes are those
of sets that papers time with: shuttle (49,097 × 9), credit cards (284,807 × 29), a wide one (10,000 × 100), and one for
clusterings (100,000 × 20). Each side
fits and scores all rows with two threads, in a process of its own; what is compared is the time of fit and score alone,
reading not included. Every rival fits and scores a thousand rows before its clock starts, and ours lets its threads find
processors of their own: what a process pays once is not counted. In every round each side runs once, one after the other,
and the ratio is taken round by round.
Memory is given twice: the most a process had resident beyond what it had before the fit, and the most the whole process
had, which is what somebody has to provide.

Where both sides are one algorithm their rankings have to agree: Spearman's correlation of the scores is printed. How well
each finds the rows drawn uniformly is printed, too, as ROC AUC.
"""

import argparse
import csv
import importlib
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
    ("abod", "pyod.abod", None),
    ("cof", "pyod.cof", None),
    ("one_class_svm", "pyod.ocsvm", None),
    ("nystroem_svm", "pyod.ocsvm", None),
    ("extended_isolation_forest", "isotree.extended", None),
    ("sciforest", "isotree.sciforest", None),
    ("half_space_trees", "river.half_space_trees", None),
]
# Above so many rows a run takes longer than five minutes or more memory than there is (PyOD's COF holds all distances), or
# ours refuses (the exact machine).
LIMITS = {"pyod.kde": 20_000, "sklearn.optics": 20_000, "pyod.lof": 60_000, "pyod.knn": 60_000, "sklearn.lof": 60_000,
          "sklearn.knn": 60_000, "sklearn.hdbscan": 110_000, "sklearn.dbscan": 110_000, "pyod.abod": 60_000, "pyod.cof": 12_000,
          "pyod.ocsvm": 60_000, "one_class_svm": 50_000, "pyod.mcd": 60_000, "river.half_space_trees": 60_000}
# Labels of clusters are no ranking.
CLUSTERINGS = {"dbscan", "optics", "hdbscan"}


def table(name: str) -> tuple[np.ndarray, np.ndarray]:
    """The rows, and which of them are odd."""
    n, k = SHAPES[name]
    draw = np.random.default_rng(20261125)
    centres = draw.normal(0, 4, (4, k))
    rows = centres[draw.integers(0, 4, n)] + draw.normal(0, 1, (n, k)) @ np.diag(draw.uniform(0.5, 2, k))
    odd = draw.random(n) < 0.01
    rows[odd] = draw.uniform(-12, 12, (int(odd.sum()), k))
    return rows, odd


def pyod(name: str):
    """A detector of PyOD's, as its users make it."""
    # Only what is asked for: each brings what it needs, and memory is that of the whole process.
    importlib.import_module("pyod.models." + name.removeprefix("pyod."))
    from pyod import models

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
        "pyod.abod": lambda: models.abod.ABOD(method="fast", n_neighbors=20),
        "pyod.cof": lambda: models.cof.COF(method="fast"),
        "pyod.ocsvm": lambda: models.ocsvm.OCSVM(),
    }[name]()


def other(name: str, rows: np.ndarray):
    """What fits a rival that is no detector of PyOD's to all or the first of these rows, and scores them."""
    if name.startswith("isotree"):
        import isotree

        kind = {
            "isotree.iforest": {"ndim": 1},
            # Ours has planes of all columns unless told; isotree takes no more terms than columns either.
            "isotree.extended": {"ndim": rows.shape[1]},
            # Its documentation's settings for SCiForest.
            "isotree.sciforest": {"ndim": 2, "max_depth": 8, "coefs": "normal", "ntry": 10, "prob_pick_avg_gain": 1,
                                  "penalize_range": True},
        }[name]
        settings = {"ntrees": 100, "sample_size": 256, "missing_action": "fail", "nthreads": 2, "random_seed": 0} | kind
        return lambda rows: isotree.IsolationForest(**settings).fit(rows).predict(rows)
    if name == "river.half_space_trees":
        from river.anomaly import HalfSpaceTrees

        # As many trees as ours has; it wants numbers between 0 and 1, and rows that are dictionaries.
        low, high = rows.min(0), rows.max(0)
        dictionaries = [dict(enumerate(row.tolist())) for row in (rows - low) / (high - low)]

        def river(rows: np.ndarray) -> np.ndarray:
            model = HalfSpaceTrees(n_trees=100, height=8, window_size=250, seed=0)
            for row in dictionaries[:len(rows)]:
                model.learn_one(row)
            return np.array([model.score_one(row) for row in dictionaries[:len(rows)]])

        return river
    if name == "sklearn.iforest":
        from sklearn.ensemble import IsolationForest

        return lambda rows: -IsolationForest(n_jobs=2, random_state=0).fit(rows).score_samples(rows)
    if name == "sklearn.knn":
        from sklearn.neighbors import NearestNeighbors

        return lambda rows: NearestNeighbors(n_neighbors=5, n_jobs=2).fit(rows).kneighbors()[0][:, -1]
    if name == "sklearn.lof":
        from sklearn.neighbors import LocalOutlierFactor

        return lambda rows: -LocalOutlierFactor(n_jobs=2).fit(rows).negative_outlier_factor_
    from sklearn.cluster import DBSCAN, HDBSCAN, OPTICS

    cluster = {
        "sklearn.dbscan": lambda: DBSCAN(eps=float(np.sqrt(rows.shape[1])) * 0.5, n_jobs=2),
        "sklearn.optics": lambda: OPTICS(n_jobs=2),
        "sklearn.hdbscan": lambda: HDBSCAN(n_jobs=2),
    }[name]
    return lambda rows: (cluster().fit(rows).labels_ == -1).astype(float)


def rival(name: str, path: str) -> None:
    """In a process of its own: fits and scores, prints seconds and MiB, writes the scores."""
    import resource
    import time

    rows = np.load(path)
    rows = (rows - rows.mean(0)) / rows.std(0)
    work = (lambda rows: pyod(name).fit(rows).decision_scores_) if name.startswith("pyod") else other(name, rows)
    # Imports on demand, code compiled as it runs, pools of workers.
    work(rows[:1000])
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.perf_counter()
    scores = work(rows)
    seconds = time.perf_counter() - began
    mib = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    np.save(path + ".rival.npy", scores)
    print(json.dumps({"seconds": seconds, "mib": mib}))


# Between this process and the one that counts stands one that is small: a process inherits what its parent had resident.
LAUNCH = """import resource, subprocess, sys
code = subprocess.run(sys.argv[1:]).returncode
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
sys.exit(code)"""


def run(command: list[str], **more) -> tuple[str, float]:
    """What a process printed, and the most MiB it had resident."""
    done = subprocess.run([sys.executable, "-S", "-c", LAUNCH, *command], stdout=subprocess.PIPE, text=True, check=True, **more)
    *printed, most = done.stdout.splitlines()
    return "\n".join(printed), int(most) / 1024


def ours(crible: str, name: str, npz: str, folder: str) -> dict:
    report = f"{folder}/ours.json"
    run([crible, "bench", npz, "--detectors", name, "--threads", "2", "--json", report])
    (result,) = json.loads(Path(report).read_text())["results"]
    if result.get("error"):
        sys.exit(f"{name}: {result['error']}")
    return {"seconds": result["fit_seconds"] + result["score_seconds"], "mib": (result["peak_bytes"] or 0) / 2**20}


def scores(crible: str, name: str, npz: str, folder: str) -> tuple[np.ndarray, float]:
    """The scores, and the most MiB the whole process had resident: `bench` forgets what reading took to see what a fit takes."""
    out = f"{folder}/scores.csv"
    _, whole = run([crible, "detect", npz, "--detector", name, "--out", out])
    with open(out) as file:
        return np.array([float(row["score"]) for row in csv.DictReader(file)]), whole


def rank_correlation(a: np.ndarray, b: np.ndarray) -> float:
    from scipy.stats import spearmanr

    return float(spearmanr(a, b).statistic)


def auc(scores: np.ndarray, odd: np.ndarray) -> float:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(odd, scores))


def adbench(crible: str, folder: str) -> None:
    """ROC AUC of our isolation forest, scikit-learn's and isotree's, three seeds each, over the tables of a folder."""
    import isotree
    import polars
    from sklearn.ensemble import IsolationForest

    print("| table | ours | scikit-learn | isotree |\n|---|---|---|---|")
    means = []
    for path in sorted(Path(folder).glob("*.parquet")):
        frame = polars.read_parquet(path)
        odd = frame["label"].to_numpy()
        rows = frame.drop("label").to_numpy().astype(float)
        deviation = rows.std(0)
        rows = (rows - rows.mean(0)) / np.where(deviation > 0, deviation, 1)
        with tempfile.TemporaryDirectory() as temporary:
            report = f"{temporary}/ours.json"
            run([crible, "bench", str(path), "--detectors", "isolation_forest", "--seeds", "3", "--json", report])
            (result,) = json.loads(Path(report).read_text())["results"]
        theirs = [
            np.mean([auc(-IsolationForest(random_state=seed).fit(rows).score_samples(rows), odd) for seed in range(3)]),
            np.mean([auc(isotree.IsolationForest(ntrees=100, sample_size=256, ndim=1, missing_action="fail", nthreads=2,
                                                 random_seed=seed).fit(rows).predict(rows), odd) for seed in range(3)]),
        ]
        means.append([result["roc_auc"], *theirs])
        print(f"| {path.stem} | " + " | ".join(f"{x:.3f}" for x in means[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{x:.4f}" for x in np.mean(means, 0)) + " |")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--crible", default=str(HERE.parent.parent / "target/release/crible"))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--shapes", default=",".join(SHAPES))
    parser.add_argument("--out")
    parser.add_argument("--adbench")
    parser.add_argument("--rival", nargs=2)
    args = parser.parse_args()
    if args.rival:
        rival(*args.rival)
        return
    if args.adbench:
        adbench(args.crible, args.adbench)
        return
    only = set(filter(None, args.only.split(",")))
    environment = os.environ | {"OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "NUMBA_NUM_THREADS": "2"}
    lines = [f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}", "",
             "| table | detector | rival | rival / ours, median | range | ours s | growth MiB, ours | rival | process MiB, ours | rival "
             "| rank correlation | AUC, ours | rival |",
             "|---|---|---|---|---|---|---|---|---|---|---|---|---|"]
    ratios: dict[str, list[float]] = {}
    for shape in args.shapes.split(","):
        with tempfile.TemporaryDirectory() as folder:
            rows, odd = table(shape)
            npy, npz = f"{folder}/{shape}.npy", f"{folder}/{shape}.npz"
            np.save(npy, rows)
            np.savez(npz, X=rows, y=odd)
            for name, other, owed in PAIRS:
                if (only and name not in only) or len(rows) > min(LIMITS.get(side, 10**9) for side in (name, other)):
                    continue
                rounds = []
                for _ in range(args.rounds):
                    mine = ours(args.crible, name, npz, folder)
                    printed, whole = run([sys.executable, __file__, "--rival", other, npy], env=environment)
                    rounds.append((mine, json.loads(printed.splitlines()[-1]) | {"whole": whole}))
                all_ratios = [theirs["seconds"] / mine["seconds"] for mine, theirs in rounds]
                ratio = statistics.median(all_ratios)
                ratios.setdefault(other, []).append(ratio)
                agreement, found = "–", "– | –"
                mine, whole = scores(args.crible, name, npz, folder)
                if name not in CLUSTERINGS:
                    both = mine, np.load(npy + ".rival.npy")
                    found = " | ".join(f"{auc(side, odd):.3f}" for side in both)
                    if owed is not None:
                        r = rank_correlation(*both)
                        agreement = f"{r:.3f}" + ("" if r >= owed else f" (below {owed})")
                most = lambda side, what: max(r[side][what] for r in rounds)
                lines.append(f"| {shape} | {name} | {other} | {ratio:.1f} | {min(all_ratios):.1f} to {max(all_ratios):.1f} | "
                             f"{statistics.median(m['seconds'] for m, _ in rounds):.3f} | {most(0, 'mib'):.0f} | {most(1, 'mib'):.0f} | "
                             f"{whole:.0f} | {most(1, 'whole'):.0f} | {agreement} | {found} |")
                print(lines[-1], flush=True)
    pyod = [r for other, rs in ratios.items() if other.startswith("pyod") for r in rs]
    if pyod:
        lines += ["", f"Geometric mean against PyOD over {len(pyod)} pairs: {statistics.geometric_mean(pyod):.1f}, least {min(pyod):.1f}."]
        print(lines[-1])
    if args.out:
        Path(args.out).write_text("\n".join(lines) + "\n")


main()
