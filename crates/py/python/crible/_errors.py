"""The exception of a detector that was not fitted."""

from __future__ import annotations

import sys

from ._crible import CribleError


class NotFittedError(CribleError, ValueError, AttributeError):
    """A detector was asked for scores before `fit`.

    It is scikit-learn's `NotFittedError` as well where scikit-learn has been imported, so that code which waits for
    that one catches it.

        >>> import crible.detectors
        >>> crible.detectors.ECOD().decision_function([[1.0]])
        Traceback (most recent call last):
        ...
        crible._errors.NotFittedError: This ECOD instance is not fitted yet. Call 'fit' with appropriate arguments
        first.
    """


_both: type[NotFittedError] | None = None


def not_fitted(detector: object) -> NotFittedError:
    """The exception to raise for a detector."""
    global _both
    text = f"This {type(detector).__name__} instance is not fitted yet. Call 'fit' with appropriate arguments first."
    theirs = sys.modules.get("sklearn.exceptions")
    if theirs is None:
        return NotFittedError(text)
    if _both is None:
        members = {"__module__": NotFittedError.__module__, "__doc__": NotFittedError.__doc__}
        _both = type("NotFittedError", (NotFittedError, theirs.NotFittedError), members)
    return _both(text)
