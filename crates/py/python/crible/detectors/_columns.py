"""Detectors that look at each column, or at many together in one line."""

from __future__ import annotations

from typing import Any, Iterable, Optional, Union

from ._base import Detector


class RobustZ(Detector):
    """A row is strange far from the median of a column, in median absolute deviations.

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    min_unit
        The least a column's unit may be, in the column's own units. 0 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = RobustZ().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "robust_z"

    def __init__(
        self,
        *,
        min_unit: Optional[float] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.min_unit = min_unit
        self.contamination = contamination
        self.threads = threads


class RobustDistance(Detector):
    """A row is strange far from the medians of all columns together.

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    min_unit
        The least a column's unit may be, in the column's own units. 0 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = RobustDistance().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "robust_distance"

    def __init__(
        self,
        *,
        min_unit: Optional[float] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.min_unit = min_unit
        self.contamination = contamination
        self.threads = threads


class ECOD(Detector):
    """A row is strange deep in the tails of its columns (Li et al. 2022).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    precision
        Relative error allowed in a tail probability of a thinned column, in (0, 1). 1/256 unless given.
    exact_up_to
        Distinct values up to which a column is kept whole. 8,192 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = ECOD().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "ecod"

    def __init__(
        self,
        *,
        precision: Optional[float] = None,
        exact_up_to: Optional[int] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.precision = precision
        self.exact_up_to = exact_up_to
        self.contamination = contamination
        self.threads = threads


class COPOD(Detector):
    """A row is strange deep in the likelier tail of its columns (Li et al. 2020).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    precision
        Relative error allowed in a tail probability of a thinned column, in (0, 1). 1/256 unless given.
    exact_up_to
        Distinct values up to which a column is kept whole. 8,192 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = COPOD().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "copod"

    def __init__(
        self,
        *,
        precision: Optional[float] = None,
        exact_up_to: Optional[int] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.precision = precision
        self.exact_up_to = exact_up_to
        self.contamination = contamination
        self.threads = threads


class HBOS(Detector):
    """A row is strange in thin bins of its columns (Goldstein and Dengel 2012).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    bins
        How many bins, or `"birge_rozenholc"`. 10 unless given.
    alpha
        Added to every density, in (0, 1). 0.1 unless given.
    tol
        How far outside, in bins, a value still counts for the outermost one. 0.5 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = HBOS().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "hbos"

    def __init__(
        self,
        *,
        bins: Optional[Union[int, str]] = None,
        alpha: Optional[float] = None,
        tol: Optional[float] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.bins = bins
        self.alpha = alpha
        self.tol = tol
        self.contamination = contamination
        self.threads = threads


class LODA(Detector):
    """A row is strange in thin bins of random projections (Pevný 2016).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    n_cuts
        Projections, 1 to 10,000. 100 unless given.
    alpha
        Added to every density, in (0, 1). 0.001 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = LODA().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "loda"

    def __init__(
        self,
        *,
        n_cuts: Optional[int] = None,
        alpha: Optional[float] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.n_cuts = n_cuts
        self.alpha = alpha
        self.contamination = contamination
        self.seed = seed
        self.threads = threads


class ESD(Detector):
    """A row is strange too far out to be normal, column by column (Rosner 1983).

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    alpha
        Level of the test of each column, in (0, 1). 0.05 unless given.
    max_share
        Share of the rows that may be outliers in a column, in (0, 0.5). 0.1 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = ESD().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "esd"

    def __init__(
        self,
        *,
        alpha: Optional[float] = None,
        max_share: Optional[float] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.alpha = alpha
        self.max_share = max_share
        self.contamination = contamination
        self.threads = threads


class Views(Detector):
    """A row is strange rare in one column, or in several.

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    counts_from
        From which -ln p on a column counts in full, 0 to 20. 2 unless given.
    rest
        What of -ln p counts in any case, above 0 and up to 1. 0.02 unless given.
    trim
        The share of rows that is left out before tails are fitted anew, 0 up to 0.5. 0.02 unless given.
    rounds
        How often that is done, 0 to 10. 2 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = Views().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "views"

    def __init__(
        self,
        *,
        counts_from: Optional[float] = None,
        rest: Optional[float] = None,
        trim: Optional[float] = None,
        rounds: Optional[int] = None,
        contamination: float = 0.1,
        threads: Optional[int] = None,
    ) -> None:
        self.counts_from = counts_from
        self.rest = rest
        self.trim = trim
        self.rounds = rounds
        self.contamination = contamination
        self.threads = threads


class Ensemble(Detector):
    """A row is strange where several detectors find it so: the default of `crible detect`.

    What X may be, shapes, attributes and errors are those of `Detector`.

    Parameters
    ----------
    detectors
        The members, by name, `"isolation_forest:n_trees=200"`, or detectors of this module; nine that need no
        tuning unless given.
    combine
        `"mean"`, `"max"`, `"upper_half"` or `"upper_middle"`. What suits the members unless given.
    held_out
        Share of the rows to calibrate on, in (0, 1). 0.5 unless given.
    split_from
        Rows from which on fit and calibration use different ones. 400 unless given.
    trim
        Share of the rows that members fitted on usual rows are not fitted on. 0.35 unless given.
    max_rows
        Rows to use at most. 60,000 unless given.
    contamination
        Share of the fit that is labelled as outliers, above 0 and up to 0.5.
    seed
        Seed of everything drawn by chance.
    threads
        Threads to use; one for each processor unless given. No score depends on it.

    Examples
    --------
    >>> rows = [[i, i % 7] for i in range(40)] + [[90, 90]]
    >>> detector = Ensemble().fit(rows)
    >>> detector.decision_function(rows).shape, int(detector.decision_scores_.argmax())
    ((41,), 40)
    """

    _name = "ensemble"

    def __init__(
        self,
        detectors: Optional[Iterable[Any]] = None,
        *,
        combine: Optional[str] = None,
        held_out: Optional[float] = None,
        split_from: Optional[int] = None,
        trim: Optional[float] = None,
        max_rows: Optional[int] = None,
        contamination: float = 0.1,
        seed: int = 0,
        threads: Optional[int] = None,
    ) -> None:
        self.detectors = detectors
        self.combine = combine
        self.held_out = held_out
        self.split_from = split_from
        self.trim = trim
        self.max_rows = max_rows
        self.contamination = contamination
        self.seed = seed
        self.threads = threads
