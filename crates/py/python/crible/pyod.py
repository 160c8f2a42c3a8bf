"""Detectors under PyOD's names, parameters and defaults: in PyOD's examples only the import changes.

    >>> import numpy as np
    >>> from crible.pyod import IForest
    >>> rows = np.random.default_rng(0).normal(size=(500, 3))
    >>> rows[7] = 9.0
    >>> forest = IForest(contamination=0.01, random_state=42).fit(rows)
    >>> int(forest.labels_[7]), forest.predict_proba(rows).shape
    (1, (500, 2))

A parameter that has no meaning here, such as `leaf_size`, is accepted at PyOD's default and refused at any other value,
so that nothing is ignored in silence. `n_jobs` is the number of threads, -1 for one for each processor. Scores are not
PyOD's to the digit: they do not depend on the batch, which PyOD's ECOD and COPOD do, and columns are standardised where
distances are measured unless a `scale="raw"` of the class in `crible.detectors` says otherwise; here they are raw, as
in PyOD.
"""

from __future__ import annotations

from typing import Any, Optional

from .detectors import _base

#: PyOD's parameters that change how it works and not what it finds.
_IDLE = (
    "algorithm",
    "leaf_size",
    "n_jobs",
    "verbose",
    "behaviour",
    "copy",
    "cache_size",
    "shrinking",
    "store_precision",
)


class _Pyod(_base.Detector):
    """A detector with PyOD's parameters."""

    #: PyOD's parameters that a setter has, and the setter.
    _setters: dict[str, str] = {}
    #: PyOD's defaults of parameters that have no setter.
    _fixed: dict[str, Any] = {}
    #: What a setter takes for PyOD's "auto"; the detector's own default where there is nothing.
    _auto: dict[str, Any] = {}
    #: Settings that make the detector PyOD's.
    _always: dict[str, Any] = {}
    n_jobs: Optional[int]
    random_state: Any

    def _settings(self) -> dict[str, Any]:
        for name, only in self._fixed.items():
            value = getattr(self, name)
            if name not in _IDLE and value is not only and value != only:
                raise ValueError(f"{name} is {value!r}: {type(self).__name__} of crible.pyod has {only!r} alone")
        given = {}
        for name, setter in self._setters.items():
            value = getattr(self, name)
            value = self._auto.get(name) if isinstance(value, str) and value == "auto" else value
            if value is not None:
                given[setter] = value
        return {**self._always, **given}

    def _seed(self) -> int:
        return _base._seed(getattr(self, "random_state", None))

    @property
    def threads(self) -> Optional[int]:  # type: ignore[override]
        jobs = getattr(self, "n_jobs", None)
        return None if jobs is None or jobs < 1 else int(jobs)

    def predict(self, X: Any, return_confidence: bool = False) -> Any:
        if return_confidence:
            raise ValueError("return_confidence is True: crible.pyod has False alone; see predict_proba")
        return super().predict(X)

    def predict_proba(self, X: Any, method: str = "linear", return_confidence: bool = False) -> Any:
        if return_confidence:
            raise ValueError("return_confidence is True: crible.pyod has False alone")
        return super().predict_proba(X, method)


class IForest(_Pyod):
    """Isolation forest. As PyOD's class of this name."""

    _name = "isolation_forest"
    _setters = {"n_estimators": "n_trees", "max_samples": "max_samples"}
    _fixed = {"max_features": 1.0, "bootstrap": False, "behaviour": "old", "verbose": 0}

    def __init__(
        self,
        n_estimators: Any = 100,
        max_samples: Any = "auto",
        contamination: float = 0.1,
        max_features: Any = 1.0,
        bootstrap: Any = False,
        n_jobs: Optional[int] = 1,
        behaviour: Any = "old",
        random_state: Any = None,
        verbose: Any = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.contamination = contamination
        self.max_features = max_features
        self.bootstrap = bootstrap
        self.n_jobs = n_jobs
        self.behaviour = behaviour
        self.random_state = random_state
        self.verbose = verbose


class HBOS(_Pyod):
    """Histogram-based outlier score. As PyOD's class of this name."""

    _name = "hbos"
    _setters = {"n_bins": "bins", "alpha": "alpha", "tol": "tol"}
    _auto = {"n_bins": "birge_rozenholc"}

    def __init__(
        self,
        n_bins: Any = 10,
        alpha: Any = 0.1,
        tol: Any = 0.5,
        contamination: float = 0.1,
    ) -> None:
        self.n_bins = n_bins
        self.alpha = alpha
        self.tol = tol
        self.contamination = contamination


class ECOD(_Pyod):
    """Empirical cumulative distributions. As PyOD's class of this name."""

    _name = "ecod"

    def __init__(
        self,
        contamination: float = 0.1,
        n_jobs: Optional[int] = 1,
    ) -> None:
        self.contamination = contamination
        self.n_jobs = n_jobs


class COPOD(_Pyod):
    """Copula-based outlier detection. As PyOD's class of this name."""

    _name = "copod"

    def __init__(
        self,
        contamination: float = 0.1,
        n_jobs: Optional[int] = 1,
    ) -> None:
        self.contamination = contamination
        self.n_jobs = n_jobs


class KNN(_Pyod):
    """Distance to the nearest neighbours. As PyOD's class of this name."""

    _name = "knn"
    _setters = {"n_neighbors": "n_neighbors", "method": "method"}
    _always = {"scale": "raw"}
    _fixed = {
        "radius": 1.0,
        "algorithm": "auto",
        "leaf_size": 30,
        "metric": "minkowski",
        "p": 2,
        "metric_params": None,
    }

    def __init__(
        self,
        contamination: float = 0.1,
        n_neighbors: Any = 5,
        method: Any = "largest",
        radius: Any = 1.0,
        algorithm: Any = "auto",
        leaf_size: Any = 30,
        metric: Any = "minkowski",
        p: Any = 2,
        metric_params: Any = None,
        n_jobs: Optional[int] = 1,
    ) -> None:
        self.contamination = contamination
        self.n_neighbors = n_neighbors
        self.method = method
        self.radius = radius
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.p = p
        self.metric_params = metric_params
        self.n_jobs = n_jobs


class LOF(_Pyod):
    """Local outlier factor. As PyOD's class of this name."""

    _name = "lof"
    _setters = {"n_neighbors": "n_neighbors"}
    _always = {"scale": "raw"}
    _fixed = {
        "algorithm": "auto",
        "leaf_size": 30,
        "metric": "minkowski",
        "p": 2,
        "metric_params": None,
        "novelty": True,
    }

    def __init__(
        self,
        n_neighbors: Any = 20,
        algorithm: Any = "auto",
        leaf_size: Any = 30,
        metric: Any = "minkowski",
        p: Any = 2,
        metric_params: Any = None,
        contamination: float = 0.1,
        n_jobs: Optional[int] = 1,
        novelty: Any = True,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.p = p
        self.metric_params = metric_params
        self.contamination = contamination
        self.n_jobs = n_jobs
        self.novelty = novelty


class PCA(_Pyod):
    """Principal components. As PyOD's class of this name."""

    _name = "pca"
    _fixed = {
        "n_components": None,
        "n_selected_components": None,
        "copy": True,
        "whiten": False,
        "svd_solver": "auto",
        "tol": 0.0,
        "iterated_power": "auto",
        "weighted": True,
        "standardization": True,
    }

    def __init__(
        self,
        n_components: Any = None,
        n_selected_components: Any = None,
        contamination: float = 0.1,
        copy: Any = True,
        whiten: Any = False,
        svd_solver: Any = "auto",
        tol: Any = 0.0,
        iterated_power: Any = "auto",
        random_state: Any = None,
        weighted: Any = True,
        standardization: Any = True,
    ) -> None:
        self.n_components = n_components
        self.n_selected_components = n_selected_components
        self.contamination = contamination
        self.copy = copy
        self.whiten = whiten
        self.svd_solver = svd_solver
        self.tol = tol
        self.iterated_power = iterated_power
        self.random_state = random_state
        self.weighted = weighted
        self.standardization = standardization


class MCD(_Pyod):
    """Minimum covariance determinant. As PyOD's class of this name."""

    _name = "mcd"
    _setters = {"support_fraction": "support"}
    _fixed = {"store_precision": True, "assume_centered": False}

    def __init__(
        self,
        contamination: float = 0.1,
        store_precision: Any = True,
        assume_centered: Any = False,
        support_fraction: Any = None,
        random_state: Any = None,
    ) -> None:
        self.contamination = contamination
        self.store_precision = store_precision
        self.assume_centered = assume_centered
        self.support_fraction = support_fraction
        self.random_state = random_state


class CBLOF(_Pyod):
    """Cluster-based local outlier factor. As PyOD's class of this name."""

    _name = "cblof"
    _setters = {"n_clusters": "n_clusters", "alpha": "alpha", "beta": "beta"}
    _fixed = {"clustering_estimator": None, "use_weights": False, "check_estimator": False}

    def __init__(
        self,
        n_clusters: Any = 8,
        contamination: float = 0.1,
        clustering_estimator: Any = None,
        alpha: Any = 0.9,
        beta: Any = 5,
        use_weights: Any = False,
        check_estimator: Any = False,
        random_state: Any = None,
        n_jobs: Optional[int] = 1,
    ) -> None:
        self.n_clusters = n_clusters
        self.contamination = contamination
        self.clustering_estimator = clustering_estimator
        self.alpha = alpha
        self.beta = beta
        self.use_weights = use_weights
        self.check_estimator = check_estimator
        self.random_state = random_state
        self.n_jobs = n_jobs


class LODA(_Pyod):
    """Lightweight online detector of anomalies. As PyOD's class of this name."""

    _name = "loda"
    _setters = {"n_random_cuts": "n_cuts"}
    _fixed = {"n_bins": 10}

    def __init__(
        self,
        contamination: float = 0.1,
        n_bins: Any = 10,
        n_random_cuts: Any = 100,
        random_state: Any = None,
    ) -> None:
        self.contamination = contamination
        self.n_bins = n_bins
        self.n_random_cuts = n_random_cuts
        self.random_state = random_state


class INNE(_Pyod):
    """Isolation by nearest neighbours. As PyOD's class of this name."""

    _name = "inne"
    _setters = {"n_estimators": "n_estimators", "max_samples": "max_samples"}
    _always = {"scale": "raw"}

    def __init__(
        self,
        n_estimators: Any = 200,
        max_samples: Any = "auto",
        contamination: float = 0.1,
        random_state: Any = None,
    ) -> None:
        self.n_estimators = n_estimators
        self.max_samples = max_samples
        self.contamination = contamination
        self.random_state = random_state


class GMM(_Pyod):
    """Gaussian mixture. As PyOD's class of this name."""

    _name = "gmm"
    _setters = {"n_components": "n_components", "tol": "tolerance", "reg_covar": "ridge", "max_iter": "max_iterations"}
    _fixed = {
        "covariance_type": "full",
        "n_init": 1,
        "init_params": "kmeans",
        "weights_init": None,
        "means_init": None,
        "precisions_init": None,
        "warm_start": False,
    }

    def __init__(
        self,
        n_components: Any = 1,
        covariance_type: Any = "full",
        tol: Any = 1e-3,
        reg_covar: Any = 1e-6,
        max_iter: Any = 100,
        n_init: Any = 1,
        init_params: Any = "kmeans",
        weights_init: Any = None,
        means_init: Any = None,
        precisions_init: Any = None,
        random_state: Any = None,
        warm_start: Any = False,
        contamination: float = 0.1,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.tol = tol
        self.reg_covar = reg_covar
        self.max_iter = max_iter
        self.n_init = n_init
        self.init_params = init_params
        self.weights_init = weights_init
        self.means_init = means_init
        self.precisions_init = precisions_init
        self.random_state = random_state
        self.warm_start = warm_start
        self.contamination = contamination


class KDE(_Pyod):
    """Kernel density estimation. As PyOD's class of this name."""

    _name = "kde"
    _setters = {"bandwidth": "bandwidth"}
    _always = {"scale": "raw"}
    _fixed = {"algorithm": "auto", "leaf_size": 30, "metric": "minkowski", "metric_params": None}

    def __init__(
        self,
        contamination: float = 0.1,
        bandwidth: Any = 1.0,
        algorithm: Any = "auto",
        leaf_size: Any = 30,
        metric: Any = "minkowski",
        metric_params: Any = None,
    ) -> None:
        self.contamination = contamination
        self.bandwidth = bandwidth
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.metric_params = metric_params


class OCSVM(_Pyod):
    """One-class support vector machine. As PyOD's class of this name."""

    _name = "one_class_svm"
    _setters = {"nu": "nu", "gamma": "gamma", "tol": "tolerance"}
    _always = {"scale": "raw"}
    _fixed = {
        "kernel": "rbf",
        "degree": 3,
        "coef0": 0.0,
        "shrinking": True,
        "cache_size": 200,
        "verbose": False,
        "max_iter": -1,
    }

    def __init__(
        self,
        kernel: Any = "rbf",
        degree: Any = 3,
        gamma: Any = "auto",
        coef0: Any = 0.0,
        tol: Any = 1e-3,
        nu: Any = 0.5,
        shrinking: Any = True,
        cache_size: Any = 200,
        verbose: Any = False,
        max_iter: Any = -1,
        contamination: float = 0.1,
    ) -> None:
        self.kernel = kernel
        self.degree = degree
        self.gamma = gamma
        self.coef0 = coef0
        self.tol = tol
        self.nu = nu
        self.shrinking = shrinking
        self.cache_size = cache_size
        self.verbose = verbose
        self.max_iter = max_iter
        self.contamination = contamination


class ABOD(_Pyod):
    """Angle-based outlier detection. As PyOD's class of this name."""

    _name = "abod"
    _setters = {"n_neighbors": "n_neighbors"}
    _always = {"scale": "raw"}
    _fixed = {
        "method": "fast",
        "algorithm": "auto",
        "leaf_size": 30,
        "metric": "minkowski",
        "p": 2,
        "metric_params": None,
    }

    def __init__(
        self,
        contamination: float = 0.1,
        n_neighbors: Any = 5,
        method: Any = "fast",
        algorithm: Any = "auto",
        leaf_size: Any = 30,
        metric: Any = "minkowski",
        p: Any = 2,
        metric_params: Any = None,
        n_jobs: Optional[int] = 1,
    ) -> None:
        self.contamination = contamination
        self.n_neighbors = n_neighbors
        self.method = method
        self.algorithm = algorithm
        self.leaf_size = leaf_size
        self.metric = metric
        self.p = p
        self.metric_params = metric_params
        self.n_jobs = n_jobs


class COF(_Pyod):
    """Connectivity-based outlier factor. As PyOD's class of this name."""

    _name = "cof"
    _setters = {"n_neighbors": "n_neighbors"}
    _always = {"scale": "raw"}
    _fixed = {"method": "fast"}

    def __init__(
        self,
        contamination: float = 0.1,
        n_neighbors: Any = 20,
        method: Any = "fast",
    ) -> None:
        self.contamination = contamination
        self.n_neighbors = n_neighbors
        self.method = method


__all__ = [
    "ABOD",
    "CBLOF",
    "COF",
    "COPOD",
    "ECOD",
    "GMM",
    "HBOS",
    "IForest",
    "INNE",
    "KDE",
    "KNN",
    "LODA",
    "LOF",
    "MCD",
    "OCSVM",
    "PCA",
]
