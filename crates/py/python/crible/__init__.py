"""Finds suspicious transactions without labels, and benchmarks the detectors that do.

    >>> import crible
    >>> history = crible.simulate(accounts=60, days=40, seed=7)
    >>> result = crible.score(history)
    >>> result.alerts.columns[:6]
    ['id', 'day', 'rank', 'severity', 'score', 'tail']

`score` goes from files or a frame to alerts in one call. `read` and `Engine` are its parts, for whoever learns on one
export and scores another, or a stream. `crible.detectors` has every detector with scikit-learn's and PyOD's methods;
`crible.pyod` has them under PyOD's names and parameters.

Nothing here depends on the number of threads or on how rows are cut into batches: a score is a function of the model
and the row.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from ._crible import CribleError, InternalError, Key, Observation, Payment, __version__, scenarios
from ._engine import Engine, Handle
from ._errors import NotFittedError
from ._reasons import Reason, Reasons
from ._run import Scored, Transactions, read, reveal, score, simulate
from ._table import Table

if TYPE_CHECKING:
    from . import detectors, pyod

__all__ = [
    "CribleError",
    "Engine",
    "Handle",
    "InternalError",
    "Key",
    "NotFittedError",
    "Observation",
    "Payment",
    "Reason",
    "Reasons",
    "Scored",
    "Table",
    "Transactions",
    "__version__",
    "detectors",
    "pyod",
    "read",
    "reveal",
    "scenarios",
    "score",
    "simulate",
]


def __getattr__(name: str) -> Any:
    # They need NumPy, which takes longer to import than all of this.
    if name in ("detectors", "pyod"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
