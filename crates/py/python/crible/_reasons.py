"""Why a payment stands out."""

from __future__ import annotations

import html
from typing import Any, Iterable, NamedTuple, Optional


class Reason(NamedTuple):
    """One column that speaks against a payment."""

    #: Name of the column.
    feature: str
    #: The sentence for a person.
    text: str
    #: The number the payment has there, in the column's unit; `None` where there is none.
    value: Optional[float]
    #: The number that would have been usual; `None` where there is nothing to compare with.
    typical: Optional[float]
    #: How much of the score it accounts for, 0 to 1.
    share: float


class Reasons(tuple):
    """Reasons, strongest first: a tuple of `Reason` that a notebook shows as a list.

    >>> print(Reasons([("hour", "it is three in the morning", 3.0, 14.0, 0.6)]))
    60 %  it is three in the morning
    """

    def __new__(cls, reasons: Iterable[tuple[str, str, Optional[float], Optional[float], float]]) -> "Reasons":
        return super().__new__(cls, (Reason(*reason) for reason in reasons))

    def __str__(self) -> str:
        return "\n".join(f"{reason.share:.0%}".replace("%", " %") + f"  {reason.text}" for reason in self)

    def __repr__(self) -> str:
        return f"<crible.Reasons: {len(self)}>\n{self}" if self else "<crible.Reasons: none>"

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td style='text-align:right'>{reason.share:.0%}</td>"
            f"<td style='text-align:left'>{html.escape(reason.text)}</td></tr>"
            for reason in self
        )
        return f"<table><thead><tr><th>share</th><th>reason</th></tr></thead><tbody>{rows}</tbody></table>"

    def plot(self, ax: Any = None) -> Any:
        """Draws the shares as bars with matplotlib; returns the axes.

        Raises ImportError where matplotlib is not installed.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(8, 0.6 + 0.45 * max(1, len(self))))
        places = range(len(self))
        ax.barh(places, [reason.share for reason in self])
        ax.set_yticks(places, [reason.text for reason in self])
        ax.invert_yaxis()
        ax.set_xlim(0, 1)
        ax.set_xlabel("share of the score")
        return ax
