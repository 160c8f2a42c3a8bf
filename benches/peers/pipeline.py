"""From a Handbook export to ranked rows, as one would put it together in Python: Polars for the features, scikit-learn's
isolation forest for the score, the hundred strangest customers of each day for the answer.

usage: pipeline.py CSV
"""

import sys

import polars as pl
from sklearn.ensemble import IsolationForest

DAYS = (1, 7, 30)


def windows(entity: str, short: str) -> list[pl.Expr]:
    """Mean amount and number of transactions of an entity over each window, the transaction itself included."""
    at = "TX_DATETIME"
    return [
        expr.over(entity).alias(f"{short}_{what}_{days}d")
        for days in DAYS
        for what, expr in (
            ("mean", pl.col("TX_AMOUNT").rolling_mean_by(at, f"{days}d")),
            ("count", pl.col("one").rolling_sum_by(at, f"{days}d")),
        )
    ]


def main(path: str) -> None:
    frame = pl.read_csv(path, try_parse_dates=True).sort("TX_DATETIME", "TRANSACTION_ID")
    frame = frame.with_columns(one=pl.lit(1.0)).with_columns(
        *windows("CUSTOMER_ID", "customer"),
        *windows("TERMINAL_ID", "terminal"),
        weekend=(pl.col("TX_DATETIME").dt.weekday() > 5).cast(pl.Float64),
        night=(pl.col("TX_DATETIME").dt.hour() < 7).cast(pl.Float64),
    )
    names = [n for n in frame.columns if n.startswith(("customer_", "terminal_"))]
    matrix = frame.select("TX_AMOUNT", "weekend", "night", *names).to_numpy()
    forest = IsolationForest(random_state=0, n_jobs=2).fit(matrix)
    ranked = (
        frame.with_columns(score=pl.Series(-forest.score_samples(matrix)), day=pl.col("TX_DATETIME").dt.date())
        .group_by("day", "CUSTOMER_ID")
        .agg(pl.col("score").max())
        .sort(["day", "score"], descending=[False, True])
        .group_by("day", maintain_order=True)
        .head(100)
    )
    ranked.write_ndjson("/dev/null")
    print(ranked.height, "alerts")


main(sys.argv[1])
