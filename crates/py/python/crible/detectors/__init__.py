"""Detectors with scikit-learn's and PyOD's methods: `fit`, `decision_function`, `predict`, `predict_proba`.

    >>> import numpy as np
    >>> from crible.detectors import IsolationForest
    >>> rows = np.random.default_rng(0).normal(size=(500, 3))
    >>> rows[7] = 9.0
    >>> forest = IsolationForest(contamination=0.01).fit(rows)
    >>> int(forest.decision_scores_.argmax())
    7

They fit into pipelines, `clone` and `GridSearchCV`. `crible.pyod` has them under PyOD's names and parameters.
"""

from __future__ import annotations

from ._base import Detector
from ._columns import (
    COPOD,
    ECOD,
    ESD,
    HBOS,
    LODA,
    Ensemble,
    RobustDistance,
    RobustZ,
    Views,
)
from ._models import (
    GMM,
    KDE,
    MCD,
    PCA,
    ExtendedIsolationForest,
    HalfSpaceTrees,
    IsolationForest,
    NystroemSVM,
    OneClassSVM,
    RobustRandomCutForest,
    SCiForest,
)
from ._neighbours import (
    ABOD,
    CBLOF,
    COF,
    DBSCAN,
    HDBSCAN,
    INNE,
    KNN,
    LOF,
    OPTICS,
    KMeans,
    SampledKNN,
)

__all__ = [
    "ABOD",
    "CBLOF",
    "COF",
    "COPOD",
    "DBSCAN",
    "Detector",
    "ECOD",
    "ESD",
    "Ensemble",
    "ExtendedIsolationForest",
    "GMM",
    "HBOS",
    "HDBSCAN",
    "HalfSpaceTrees",
    "INNE",
    "IsolationForest",
    "KDE",
    "KMeans",
    "KNN",
    "LODA",
    "LOF",
    "MCD",
    "NystroemSVM",
    "OPTICS",
    "OneClassSVM",
    "PCA",
    "RobustDistance",
    "RobustRandomCutForest",
    "RobustZ",
    "SCiForest",
    "SampledKNN",
    "Views",
]
