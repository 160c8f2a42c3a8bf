"""Detectors that look at neighbours and clusters."""

from __future__ import annotations

from typing import Optional

from ._base import Detector


class KNN(Detector):
    """A row is strange far from its nearest neighbours (Ramaswamy et al. 2000).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_neighbors
        Neighbours, 1 to 65,536. 5 unless given.
    method
        What of their distances is the score: `"largest"`, `"mean"` or `"median"`. `"largest"` unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = KNN().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "knn"

    def __init__(
        self,
        *,
        n_neighbors: Optional[int] = None,
        method: Optional[str] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.method = method
        self.scale = scale
        self.contamination = contamination
        self.threads = threads


class SampledKNN(Detector):
    """A row is strange far from its nearest neighbours in small samples (Sugiyama and Borgwardt 2013).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_samples
        Number of samples. 16 unless given.
    max_samples
        Rows of each. 64 unless given.
    n_neighbors
        Which neighbour's distance counts, 1 to 16. 1 unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = SampledKNN().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "sampled_knn"

    def __init__(
        self,
        *,
        n_samples: Optional[int] = None,
        max_samples: Optional[int] = None,
        n_neighbors: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_samples = n_samples
        self.max_samples = max_samples
        self.n_neighbors = n_neighbors
        self.scale = scale
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class LOF(Detector):
    """A row is strange in thinner surroundings than its neighbours (Breunig et al. 2000).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_neighbors
        Neighbours, 1 to 65,536. 20 unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = LOF().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "lof"

    def __init__(
        self,
        *,
        n_neighbors: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.scale = scale
        self.contamination = contamination
        self.threads = threads


class COF(Detector):
    """A row is strange at the end of a longer way to its neighbours than theirs to their own (Tang et al. 2002).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_neighbors
        Neighbours, 1 to 4,096. 20 unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = COF().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "cof"

    def __init__(
        self,
        *,
        n_neighbors: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.scale = scale
        self.contamination = contamination
        self.threads = threads


class ABOD(Detector):
    """A row is strange where other rows are seen in one direction only (Kriegel et al. 2008).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_neighbors
        Neighbours, 2 to 1,024. 20 unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = ABOD().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "abod"

    def __init__(
        self,
        *,
        n_neighbors: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.scale = scale
        self.contamination = contamination
        self.threads = threads


class INNE(Detector):
    """A row is strange outside of balls around sampled rows (Bandaragoda et al. 2018).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_estimators
        Number of estimators. 200 unless given.
    max_samples
        Centres of each. 8 unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = INNE().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "inne"

    def __init__(
        self,
        *,
        n_estimators: Optional[int] = None,
        max_samples: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.scale = scale
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class KMeans(Detector):
    """A row is strange far from every cluster centre.

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_clusters
        Number of centres. 8 unless given.
    n_runs
        Starts, of which the best is kept. 2 unless given.
    max_iterations
        Iterations at most. 300 unless given.
    tolerance
        Movement of the centres, in standard deviations, that ends a run. 0.01 unless given.
    max_samples
        Rows to fit on at most. 16,384 unless given.
    min_share
        Share of the rows below which a centre is let go. 0 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = KMeans(n_clusters=1).fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "kmeans"

    def __init__(
        self,
        *,
        n_clusters: Optional[int] = None,
        n_runs: Optional[int] = None,
        max_iterations: Optional[int] = None,
        tolerance: Optional[float] = None,
        max_samples: Optional[int] = None,
        min_share: Optional[float] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.n_runs = n_runs
        self.max_iterations = max_iterations
        self.tolerance = tolerance
        self.max_samples = max_samples
        self.min_share = min_share
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class CBLOF(Detector):
    """A row is strange far from the centres of large clusters (He et al. 2003).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_clusters
        Number of clusters. 8 unless given.
    alpha
        Share of the rows that large clusters hold, in (0, 1). 0.9 unless given.
    beta
        How many times the next one a large cluster has, above 1. 5 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = CBLOF().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "cblof"

    def __init__(
        self,
        *,
        n_clusters: Optional[int] = None,
        alpha: Optional[float] = None,
        beta: Optional[float] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_clusters = n_clusters
        self.alpha = alpha
        self.beta = beta
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class DBSCAN(Detector):
    """A row is strange far from every dense row (Ester et al. 1996).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    eps
        Radius of a neighbourhood, above 0. The knee of the distances unless given.
    min_points
        Rows in the neighbourhood of a core row. 20 unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = DBSCAN().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "dbscan"

    def __init__(
        self,
        *,
        eps: Optional[float] = None,
        min_points: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.eps = eps
        self.min_points = min_points
        self.scale = scale
        self.contamination = contamination
        self.threads = threads


class OPTICS(Detector):
    """A row is strange reached late by a growing cluster (Ankerst et al. 1999).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    min_points
        Rows within the core distance. 20 unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = OPTICS().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "optics"

    def __init__(
        self,
        *,
        min_points: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.min_points = min_points
        self.scale = scale
        self.contamination = contamination
        self.threads = threads


class HDBSCAN(Detector):
    """A row is strange outside of its own cluster, however dense that is (Campello et al. 2015).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    min_points
        Rows within the core distance. 20 unless given.
    min_cluster_size
        Rows of a cluster at least. 20 unless given.
    scale
        Units of the columns: `"deviations"`, standard deviations of the fit, or `"raw"`. `"deviations"` unless
        given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = HDBSCAN().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "hdbscan"

    def __init__(
        self,
        *,
        min_points: Optional[int] = None,
        min_cluster_size: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.min_points = min_points
        self.min_cluster_size = min_cluster_size
        self.scale = scale
        self.contamination = contamination
        self.threads = threads
