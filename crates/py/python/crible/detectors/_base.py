"""What every detector has: scikit-learn's and PyOD's methods over a fitted model."""

from __future__ import annotations

import functools
import inspect
import math
import os
import warnings
from typing import Any, Iterable, Optional, Union

import numpy as np

from .. import _crible
from .._errors import not_fitted
from .._frames import columns as columns_of
from .._reasons import Reasons

Array = Any

#: Parameters that are this package's and no setters of a detector.
_OURS = ("contamination", "seed", "threads", "detectors")


class Detector:
    """What every detector has. Make one of the classes below it.

    As in PyOD, a higher score is stranger, and label 1 is an outlier. X is an array of shape (rows, columns) of finite
    numbers, which is read where it lies if it is `float64`; or a frame of pandas, Polars or PyArrow with numbers, words
    and nulls. A word becomes how rare it is, a null of a column of numbers the median of the fit, and where the fit has
    nulls, being null is a column of its own.

    A score depends on the model and the row alone: to the bit the same alone, in any batch, in any order, on any number
    of threads.

    Attributes
    ----------
    decision_scores_
        Scores of the rows of the fit, of shape (rows,).
    threshold_
        The score above which a row is an outlier: `contamination` of the fit are.
    labels_
        1 for an outlier of the fit and 0 for the rest, of shape (rows,).
    n_features_in_, feature_names_in_
        How many columns the fit had, and their names where they had names.

    Raises
    ------
    ValueError
        X is not two-dimensional, has NaN or infinities, other columns than the fit, or a dtype that is no number; or a
        parameter makes no sense.
    NotFittedError
        A score is asked for before `fit`.
    """

    _name = ""
    contamination: float
    seed: int
    threads: Optional[int]

    # Parameters, as scikit-learn reads and sets them.

    @classmethod
    @functools.cache
    def _parameter_names(cls) -> tuple[str, ...]:
        return tuple(name for name in inspect.signature(cls.__init__).parameters if name != "self")

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The parameters by name."""
        return {name: getattr(self, name) for name in self._parameter_names()}

    def set_params(self, **params: Any) -> "Detector":
        """Sets parameters; returns the detector.

        Raises ValueError where it has none of that name.
        """
        known = self._parameter_names()
        for name, value in params.items():
            if name not in known:
                raise ValueError(
                    f"Invalid parameter {name!r} for estimator {self}. Valid parameters are: {sorted(known)!r}."
                )
            setattr(self, name, value)
        return self

    def _spec(self) -> dict[str, Any]:
        given = {name: value for name, value in self._settings().items() if value is not None}
        members = getattr(self, "detectors", None)
        return {
            "name": self._name,
            "parameters": list(given.items()),
            "seed": self._seed(),
            "members": None if members is None else [_text(member) for member in members],
        }

    def _settings(self) -> dict[str, Any]:
        """Parameters of the detector itself, as it calls them; `None` where it has its own default."""
        return {name: getattr(self, name) for name in self._parameter_names() if name not in _OURS}

    def _seed(self) -> int:
        return _seed(getattr(self, "seed", 0))

    # Fitting and scoring.

    def fit(self, X: Any, y: Any = None) -> "Detector":
        """Fits on X; `y` is there for pipelines and is not looked at. Returns the detector."""
        if not (0.0 < self.contamination <= 0.5):
            raise ValueError(f"contamination is {self.contamination}: expected a share above 0 and up to 0.5")
        spec = self._spec()
        given = _given(X)
        names = _names(X, given)
        if isinstance(given, list):
            _check_table(given)
            fitted = _crible.fit_table(spec, given, self.threads)
            width = len(given)
        else:
            _check_rows(given)
            fitted = _crible.fit_matrix(spec, given, self.threads)
            width = given.shape[1]
        self._fitted = fitted
        self.n_features_in_ = width
        if names is not None:
            self.feature_names_in_ = names
        elif hasattr(self, "feature_names_in_"):
            del self.feature_names_in_
        self.decision_scores_ = fitted.scores()
        self._judge()
        return self

    def _judge(self) -> None:
        self.threshold_ = self._fitted.threshold(self.contamination)
        self.labels_ = (self.decision_scores_ > self.threshold_).astype(int)

    def decision_function(self, X: Any) -> Array:
        """Scores of the rows of X, of shape (rows,): higher is stranger."""
        given = self._checked(X)
        if isinstance(given, list):
            return self._fitted.score_table(given, self.threads)
        return self._fitted.score(given, self.threads)

    def predict(self, X: Any) -> Array:
        """1 for each row whose score is above `threshold_` and 0 for the rest, of shape (rows,)."""
        return (self.decision_function(X) > self.threshold_).astype(int)

    def fit_predict(self, X: Any, y: Any = None) -> Array:
        """Fits, and returns the labels of the fit."""
        return self.fit(X).labels_

    def predict_proba(self, X: Any, method: str = "tail") -> Array:
        """How sure it is that each row is usual, and that it is an outlier, of shape (rows, 2).

        `"tail"` is the probability that a row of the fit scores lower. `"linear"` is the place between the least and
        the largest score of the fit, and `"unify"` the error function of the standardised score: both are PyOD's.
        """
        scores = self.decision_function(X)
        fit = self.decision_scores_
        if method == "tail":
            outlier = 1.0 - self._fitted.tail(scores)
        elif method == "linear":
            spread = fit.max() - fit.min()
            outlier = np.clip((scores - fit.min()) / (spread if spread > 0.0 else 1.0), 0.0, 1.0)
        elif method == "unify":
            spread = fit.std()
            standard = (scores - fit.mean()) / ((spread if spread > 0.0 else 1.0) * math.sqrt(2.0))
            outlier = np.clip([math.erf(x) for x in standard], 0.0, 1.0)
        else:
            raise ValueError(f"method is {method!r}: expected tail, linear or unify")
        return np.column_stack([1.0 - outlier, outlier])

    def tail(self, X: Any) -> Array:
        """The probability that a row of the fit scores as high as each row of X, of shape (rows,)."""
        return self._fitted.tail(self.decision_function(X))

    def contributions(self, X: Any) -> Array:
        """What each column contributes to the score of each row, of shape (rows, columns): larger is stranger."""
        given = self._checked(X)
        if isinstance(given, list):
            return self._fitted.explain_table(given)
        return self._fitted.explain(given)

    def explain(self, X: Any, row: int = 0, n: int = 3) -> Reasons:
        """The `n` columns that contribute most to the score of a row of X, strongest first."""
        given = self._checked(X)
        is_table = isinstance(given, list)
        one = (
            [(name, values[row : row + 1 or None]) for name, values in given]
            if is_table
            else given[row : row + 1 or None]
        )
        parts = np.clip(self._fitted.explain_table(one)[0] if is_table else self._fitted.explain(one)[0], 0.0, None)
        total = float(parts.sum()) or 1.0
        names = getattr(self, "feature_names_in_", [f"column {at}" for at in range(len(parts))])
        reasons = []
        for at in np.argsort(-parts, kind="stable")[:n]:
            value = one[at][1][0] if is_table else one[0, at]
            number = None if isinstance(value, str) or value is None else float(value)
            reasons.append((str(names[at]), f"{names[at]} is {value}", number, None, float(parts[at]) / total))
        return Reasons(reasons)

    # Saving: our own format, which is versioned and checked, and nothing in it is executed.

    def save(self, path: Union[None, str, "os.PathLike[str]"] = None) -> bytes:
        """The fitted model as bytes, written to `path` where one is given."""
        from .._engine import _write

        self._check_fitted()
        return _write(path, self._fitted.to_bytes())

    def load(self, source: Union[bytes, str, "os.PathLike[str]"]) -> "Detector":
        """Takes the place of a fitted model that `save` wrote, a path or bytes; returns the detector.

        Raises CribleError where it is none.
        """
        from .._engine import _bytes

        fitted = _crible.Fitted.from_bytes(_bytes(source))
        self._fitted = fitted
        self.decision_scores_ = fitted.scores()
        if fitted.columns is not None:
            self.feature_names_in_ = np.array(fitted.columns, dtype=object)
        self.n_features_in_ = fitted.width
        self._judge()
        return self

    # What scikit-learn asks.

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import InputTags, Tags, TargetTags

        return Tags(
            estimator_type="outlier_detector",
            target_tags=TargetTags(required=False),
            input_tags=InputTags(),
        )

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_fitted")

    def _check_fitted(self) -> None:
        if not hasattr(self, "_fitted"):
            raise not_fitted(self)

    def _checked(self, X: Any) -> Any:
        """X as the fit had it: a matrix, or columns in the fit's order."""
        self._check_fitted()
        given = _given(X)
        names, known = _names(X, given), getattr(self, "feature_names_in_", None)
        if names is not None and known is not None:
            _check_names(names, known)
        elif names is not None or known is not None:
            whose = "X does not have valid feature names, but" if names is None else "X has feature names, but"
            how = "was fitted with feature names" if names is None else "was fitted without feature names"
            warnings.warn(f"{whose} {type(self).__name__} {how}", UserWarning, stacklevel=3)
        width = len(given) if isinstance(given, list) else given.shape[1]
        if width != self.n_features_in_:
            raise ValueError(
                f"X has {width} features, but {type(self).__name__} is expecting {self.n_features_in_} features "
                "as input"
            )
        is_table = self._fitted.columns is not None
        if isinstance(given, list):
            _check_table(given)
            if not is_table:
                return _rows(np.column_stack([_number(name, values) for name, values in given]))
            return given
        _check_rows(given)
        if not is_table:
            return given
        if not self._fitted.is_plain:
            raise ValueError("the fit had words or nulls: expected a frame with the columns of the fit")
        return [(name, np.ascontiguousarray(given[:, at])) for at, name in enumerate(self._fitted.columns)]

    def __repr__(self) -> str:
        defaults = inspect.signature(type(self).__init__).parameters
        given = [
            f"{name}={getattr(self, name)!r}"
            for name in self._parameter_names()
            if getattr(self, name) is not defaults[name].default and getattr(self, name) != defaults[name].default
        ]
        return f"{type(self).__name__}({', '.join(given)})"


def _text(member: Any) -> str:
    """A detector as text, `name:parameter=value`."""
    if isinstance(member, Detector):
        given = {name: value for name, value in member._settings().items() if value is not None}
        return ":".join([member._name, *(f"{name}={value}" for name, value in given.items())])
    return str(member)


def _seed(seed: Any) -> int:
    if seed is None:
        return 0
    if isinstance(seed, (int, np.integer)) and not isinstance(seed, bool) and 0 <= seed < 2**64:
        return int(seed)
    if isinstance(seed, np.random.RandomState):
        return int(seed.randint(2**31 - 1))
    raise ValueError(f"seed is {seed!r}: expected a whole number, 0 or more")


def _given(X: Any) -> Any:
    """A matrix of `float64`, or the columns of a frame."""
    columns = columns_of(X)
    return _rows(X) if columns is None else columns


def _rows(X: Any) -> Array:
    if hasattr(X, "toarray") and hasattr(X, "nnz"):
        raise TypeError("Sparse data was passed for X, but dense data is required. Use X.toarray() to convert it.")
    try:
        rows = np.asarray(X)
    except ValueError as error:
        raise ValueError(f"X is no matrix: {error}") from None
    if rows.dtype.kind == "c":
        raise ValueError(f"Complex data not supported\n{rows!r}")
    if rows.ndim != 2:
        raise ValueError(
            f"Expected 2D array, got {'scalar' if rows.ndim == 0 else f'{rows.ndim}D'} array instead:\n"
            f"array={rows!r}.\n"
            "Reshape your data either using array.reshape(-1, 1) if your data has a single feature "
            "or array.reshape(1, -1) if it contains a single sample."
        )
    if rows.dtype.kind not in "biufO":
        raise ValueError(f"dtype is {rows.dtype}: expected numbers; words are taken in a frame")
    try:
        return np.asarray(rows, dtype=np.float64)
    except TypeError as error:
        # A dictionary or a set in a cell: the type is wrong, and scikit-learn says so with this class.
        raise TypeError(f"argument must be a string, a bytes-like object or a real number: {error}") from None


def _check_rows(rows: Array) -> None:
    for what, count in zip(("sample", "feature"), rows.shape):
        if count == 0:
            raise ValueError(f"Found array with 0 {what}(s) (shape={rows.shape}) while a minimum of 1 is required.")


def _check_table(columns: list[tuple[str, Any]]) -> None:
    shape = (len(columns[0][1]) if columns else 0, len(columns))
    for what, count in zip(("sample", "feature"), shape):
        if count == 0:
            raise ValueError(f"Found array with 0 {what}(s) (shape={shape}) while a minimum of 1 is required.")
    for name, values in columns:
        if not isinstance(values, list) and np.isinf(values).any():
            row = int(np.argwhere(np.isinf(values))[0, 0])
            raise ValueError(
                f"Input X contains infinity or a value too large for dtype('float64'): column `{name}`, row {row}"
            )


def _number(name: str, values: Any) -> Array:
    if isinstance(values, list):
        raise ValueError(f"column `{name}`: expected numbers, as in the fit, got words")
    return values


def _names(X: Any, given: Any) -> Optional[Array]:
    """Names of the columns where all are texts, as scikit-learn keeps them."""
    if not isinstance(given, list):
        return None
    names: Iterable[Any] = getattr(X, "columns", None) if hasattr(X, "iloc") else [name for name, _ in given]
    names = list(names if names is not None else [])
    texts = [isinstance(name, str) for name in names]
    if any(texts) and not all(texts):
        raise TypeError(
            "Feature names are only supported if all input features have string names, but your input has "
            f"{sorted({type(name).__name__ for name in names})} as feature name / column name types. "
            "If you want feature names to be stored and validated, you must convert them all to strings, "
            "by using X.columns = X.columns.astype(str) for example."
        )
    return np.array(names, dtype=object) if names and all(texts) else None


def _check_names(names: Array, known: Array) -> None:
    if list(names) == list(known):
        return
    unseen, missing = sorted(set(names) - set(known)), sorted(set(known) - set(names))
    text = "The feature names should match those that were passed during fit.\n"

    def listed(some: list[str]) -> str:
        return "".join(f"- {name}\n" for name in some[:5]) + ("- ...\n" if len(some) > 5 else "")

    if unseen:
        text += "Feature names unseen at fit time:\n" + listed(unseen)
    if missing:
        text += "Feature names seen at fit time, yet now missing:\n" + listed(missing)
    if not unseen and not missing:
        text += "Feature names must be in the same order as they were in fit.\n"
    raise ValueError(text)
