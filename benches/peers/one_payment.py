"""Times one row at a time where it is usually done in Python: scikit-learn's and PyOD's isolation forest, PyOD's HBOS, and
river's half-space trees, which learn as well.

usage: one_payment.py [--rows 2000]

`cargo bench -p crible-benches --bench observe` prints ours; run both in turn on the same machine. Ours includes what these leave to
others: the behaviour of account, counterparty and category from which a row is made. The rivals get a row ready made, of as many
numbers as ours has columns to weigh.
"""

import argparse
import statistics
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
COLUMNS = 9
FITTED = 20_000


def percentiles(name: str, took: list[float]) -> None:
    took.sort()
    at = lambda share: took[int((len(took) - 1) * share)] * 1e6
    rate = len(took) / sum(took)
    print(f"| {name} | {statistics.median(took) * 1e6:.1f} µs | {at(0.99):.1f} µs | {at(0.999):.1f} µs | {rate:,.0f} |", flush=True)


def timed(one, rows) -> list[float]:
    took = []
    for row in rows:
        began = time.perf_counter()
        one(row)
        took.append(time.perf_counter() - began)
    return took


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=2_000)
    args = parser.parse_args()
    draw = np.random.default_rng(20261125)
    fitted, rows = draw.exponential(1, (FITTED, COLUMNS)), draw.exponential(1, (args.rows, COLUMNS))

    from pyod.models.hbos import HBOS
    from pyod.models.iforest import IForest
    from river.anomaly import HalfSpaceTrees
    from sklearn.ensemble import IsolationForest

    print("| one row by | median | 99 % | 99.9 % | a second |\n|---|---|---|---|---|")
    forest = IsolationForest(random_state=0).fit(fitted)
    percentiles("scikit-learn, isolation forest", timed(lambda row: forest.score_samples(row[None]), rows))
    pyod = IForest(random_state=0).fit(fitted)
    percentiles("PyOD, isolation forest", timed(lambda row: pyod.decision_function(row[None]), rows))
    hbos = HBOS().fit(fitted)
    percentiles("PyOD, HBOS", timed(lambda row: hbos.decision_function(row[None]), rows))

    # Its numbers have to be between 0 and 1; it scores and learns, as its users have it do.
    trees = HalfSpaceTrees(seed=0)
    named = [{f"x{j}": float(min(x / 10, 1.0)) for j, x in enumerate(row)} for row in rows]

    def score_and_learn(row: dict) -> None:
        trees.score_one(row)
        trees.learn_one(row)

    percentiles("river, half-space trees", timed(score_and_learn, named))


main()
