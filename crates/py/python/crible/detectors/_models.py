"""Detectors that grow trees, or model all columns together."""

from __future__ import annotations

from typing import Optional

from ._base import Detector


class IsolationForest(Detector):
    """A row is strange alone after few random splits (Liu et al. 2008).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_trees
        Number of trees, 1 to 100,000. 100 unless given.
    max_samples
        Rows each tree is grown on. 256 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = IsolationForest().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "isolation_forest"

    def __init__(
        self,
        *,
        n_trees: Optional[int] = None,
        max_samples: Optional[int] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_trees = n_trees
        self.max_samples = max_samples
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class ExtendedIsolationForest(Detector):
    """A row is strange alone after few random splits along hyperplanes (Hariri et al. 2021).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_trees
        Number of trees. 100 unless given.
    max_samples
        Rows each tree is grown on. 256 unless given.
    n_terms
        Columns a cut takes. All columns unless given.
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
    >>> detector = ExtendedIsolationForest().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "extended_isolation_forest"

    def __init__(
        self,
        *,
        n_trees: Optional[int] = None,
        max_samples: Optional[int] = None,
        n_terms: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_trees = n_trees
        self.max_samples = max_samples
        self.n_terms = n_terms
        self.scale = scale
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class SCiForest(Detector):
    """A row is strange split off early, alone or in a small cluster (Liu et al. 2010).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_trees
        Number of trees. 100 unless given.
    max_samples
        Rows each tree is grown on. 256 unless given.
    n_terms
        Columns a cut takes. 2 unless given.
    n_planes
        Hyperplanes a node tries. 10 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = SCiForest().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "sciforest"

    def __init__(
        self,
        *,
        n_trees: Optional[int] = None,
        max_samples: Optional[int] = None,
        n_terms: Optional[int] = None,
        n_planes: Optional[int] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_trees = n_trees
        self.max_samples = max_samples
        self.n_terms = n_terms
        self.n_planes = n_planes
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class HalfSpaceTrees(Detector):
    """A row is strange where few recent rows are (Tan et al. 2011).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_trees
        Number of trees. 100 unless given.
    height
        Splits from the root to a leaf, 1 to 20. 8 unless given.
    window
        Rows to learn until they become the reference. 250 unless given.
    size_limit
        Share of the reference at which a walk ends, in (0, 1). 0.1 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = HalfSpaceTrees().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "half_space_trees"

    def __init__(
        self,
        *,
        n_trees: Optional[int] = None,
        height: Optional[int] = None,
        window: Optional[int] = None,
        size_limit: Optional[float] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_trees = n_trees
        self.height = height
        self.window = window
        self.size_limit = size_limit
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class RobustRandomCutForest(Detector):
    """A row is strange that changes random trees most (Guha et al. 2016).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_trees
        Number of trees. 50 unless given.
    max_samples
        Rows a tree holds. 256 unless given.
    window
        Rows after which one is forgotten. 10,000 unless given.
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
    >>> detector = RobustRandomCutForest().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "robust_random_cut_forest"

    def __init__(
        self,
        *,
        n_trees: Optional[int] = None,
        max_samples: Optional[int] = None,
        window: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_trees = n_trees
        self.max_samples = max_samples
        self.window = window
        self.scale = scale
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class PCA(Detector):
    """A row is strange against the way columns go together (Shyu et al. 2003).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    components
        Which components make up the score: `"all"`, `"major_and_minor"` or `"residual"`. `"all"` unless given.
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
    >>> detector = PCA().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "pca"

    def __init__(
        self,
        *,
        components: Optional[str] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.components = components
        self.scale = scale
        self.contamination = contamination
        self.threads = threads


class MCD(Detector):
    """A row is strange far from the bulk, by its covariance (Rousseeuw and Van Driessen 1999).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    support
        Share of the rows whose covariance has the least determinant, in [0.5, 1]. (rows + columns + 1) / 2 of
        the rows unless given.
    n_starts
        Random starts. 500 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = MCD().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "mcd"

    def __init__(
        self,
        *,
        support: Optional[float] = None,
        n_starts: Optional[int] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.support = support
        self.n_starts = n_starts
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class GMM(Detector):
    """A row is strange where a mixture of normal distributions is thin.

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_components
        Components, 1 to 256. 2 unless given.
    tolerance
        Gain in mean log density below which to stop. 0.001 unless given.
    max_iterations
        Iterations at most. 100 unless given.
    ridge
        Added to variances, which are of standardised columns. 1e-6 unless given.
    n_samples
        Samples, each of which gives a mixture. 1 unless given.
    max_samples
        Rows of a sample at most. 1,048,576 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = GMM().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "gmm"

    def __init__(
        self,
        *,
        n_components: Optional[int] = None,
        tolerance: Optional[float] = None,
        max_iterations: Optional[int] = None,
        ridge: Optional[float] = None,
        n_samples: Optional[int] = None,
        max_samples: Optional[int] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_components = n_components
        self.tolerance = tolerance
        self.max_iterations = max_iterations
        self.ridge = ridge
        self.n_samples = n_samples
        self.max_samples = max_samples
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class KDE(Detector):
    """A row is strange where the fit is thin.

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    bandwidth
        Standard deviation of the kernel, in the columns' units. 1 unless given.
    max_samples
        Rows to keep at most. 4,096 unless given.
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
    >>> detector = KDE().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "kde"

    def __init__(
        self,
        *,
        bandwidth: Optional[float] = None,
        max_samples: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.bandwidth = bandwidth
        self.max_samples = max_samples
        self.scale = scale
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class OneClassSVM(Detector):
    """A row is strange outside of a surface around the fit (Schölkopf et al. 2001).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    nu
        At most this share of the fit lies outside, in (0, 1). 0.5 unless given.
    gamma
        Kernels are exp(-gamma × squared distance). 1 / columns unless given.
    tolerance
        Violation of the optimality conditions at which the solver stops. 0.001 unless given.
    max_rows
        Rows above which the fit refuses. 50,000 unless given.
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
    >>> detector = OneClassSVM().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "one_class_svm"

    def __init__(
        self,
        *,
        nu: Optional[float] = None,
        gamma: Optional[float] = None,
        tolerance: Optional[float] = None,
        max_rows: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.nu = nu
        self.gamma = gamma
        self.tolerance = tolerance
        self.max_rows = max_rows
        self.scale = scale
        self.contamination = contamination
        self.threads = threads


class NystroemSVM(Detector):
    """The same as `OneClassSVM`, in linear time (Williams and Seeger 2001).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    nu
        At most this share of the fit lies outside, in (0, 1). 0.5 unless given.
    gamma
        Kernels are exp(-gamma × squared distance). 1 / columns unless given.
    n_landmarks
        Rows drawn as landmarks. 256 unless given.
    max_samples
        Rows the weights are learned from. 16,384 unless given.
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
    >>> detector = NystroemSVM().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "nystroem_svm"

    def __init__(
        self,
        *,
        nu: Optional[float] = None,
        gamma: Optional[float] = None,
        n_landmarks: Optional[int] = None,
        max_samples: Optional[int] = None,
        scale: Optional[str] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.nu = nu
        self.gamma = gamma
        self.n_landmarks = n_landmarks
        self.max_samples = max_samples
        self.scale = scale
        self.contamination = contamination
        self.seed = seed
        self.threads = threads
