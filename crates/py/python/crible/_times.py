"""Times as microseconds since 1970, UTC."""

from __future__ import annotations

import datetime
from typing import Any

_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_MICROSECOND = datetime.timedelta(microseconds=1)


def micros(time: Any) -> int:
    """Microseconds since 1970 of a datetime, a date, a text of ISO 8601, a NumPy or pandas time, or the number itself.

    A time without a zone is taken for UTC.

        >>> micros("2024-06-01")
        1717200000000000
        >>> micros(datetime.date(2024, 6, 1)) == micros("2024-06-01T02:00:00+02:00")
        True
    """
    if isinstance(time, bool):
        raise ValueError(f"time is {time}: expected a datetime or a text of ISO 8601, such as 2024-06-01")
    if isinstance(time, int):
        return time
    if isinstance(time, str):
        text = time.strip()
        try:
            # Before Python 3.11 a closing Z is not understood.
            time = datetime.datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
        except ValueError:
            raise ValueError(f"time is {time!r}: expected a text of ISO 8601, such as 2024-06-01T13:45:00Z") from None
    if hasattr(time, "astype"):
        time = int(time.astype("datetime64[us]").astype("int64"))
        return time
    if isinstance(time, datetime.date) and not isinstance(time, datetime.datetime):
        time = datetime.datetime(time.year, time.month, time.day)
    if not isinstance(time, datetime.datetime) or time != time:
        raise ValueError(f"time is {time!r}: expected a datetime or a text of ISO 8601, such as 2024-06-01")
    if time.tzinfo is None:
        time = time.replace(tzinfo=datetime.timezone.utc)
    return (time - _EPOCH) // _MICROSECOND


def datetime_of(micros: int) -> datetime.datetime:
    """The datetime, in UTC.

    >>> datetime_of(0).isoformat()
    '1970-01-01T00:00:00+00:00'
    """
    return _EPOCH + micros * _MICROSECOND
