"""Results as columns, for whichever frame library there is."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any, Iterator

from ._times import datetime_of

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

#: Rows that are shown of a longer table.
_SHOWN = 10


class Table:
    """Named columns of one length: what Crible answers with.

    A column of numbers is a NumPy array (`float64`, `int64`, `bool`, or `datetime64[us]` in UTC), one of words a list
    of `str` and `None`. Numbers are not copied on their way here.

    Every library that takes Arrow's C stream takes a table as it is: `polars.DataFrame(table)`, `pyarrow.table(table)`,
    `pandas.DataFrame.from_arrow(table)`, DuckDB.

        >>> import crible
        >>> table = crible.simulate(accounts=3, days=2, seed=1)
        >>> table.columns[:3]
        ['id', 'time', 'account']
        >>> table["amount"].dtype
        dtype('float64')
    """

    def __init__(self, columns: list[tuple[str, str, Any]]) -> None:
        self._kinds = {name: kind for name, kind, _ in columns}
        self._values = {name: _typed(kind, values) for name, kind, values in columns}
        self._rows = len(columns[0][2]) if columns else 0

    @property
    def columns(self) -> list[str]:
        """Names of the columns, in order."""
        return list(self._values)

    def __len__(self) -> int:
        return self._rows

    def __getitem__(self, name: str) -> Any:
        try:
            return self._values[name]
        except (KeyError, TypeError):
            raise KeyError(f"{name!r}: expected one of {', '.join(self._values)}") from None

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def rows(self) -> Iterator[dict[str, Any]]:
        """The rows as dictionaries of Python's own types; times are datetimes in UTC."""
        columns = [(name, self._list(name)) for name in self._values]
        for row in range(self._rows):
            yield {name: values[row] for name, values in columns}

    def to_dict(self) -> dict[str, Any]:
        """The columns by name."""
        return dict(self._values)

    def to_pandas(self) -> "pandas.DataFrame":
        """A pandas DataFrame. Times are in UTC. Numbers share this table's memory."""
        import pandas

        columns: dict[str, Any] = {}
        for name, kind in self._kinds.items():
            values = self._values[name]
            columns[name] = pandas.Series(values, copy=False).dt.tz_localize("UTC") if kind == "time" else values
        return pandas.DataFrame(columns, copy=False)

    def to_polars(self) -> "polars.DataFrame":
        """A Polars DataFrame. Times are in UTC."""
        import polars

        columns = []
        for name, kind in self._kinds.items():
            values = self._values[name]
            if kind == "word":
                columns.append(polars.Series(name, values, dtype=polars.String))
            elif kind == "time":
                columns.append(polars.Series(name, values).dt.replace_time_zone("UTC"))
            else:
                columns.append(polars.Series(name, values))
        return polars.DataFrame(columns)

    def to_arrow(self) -> "pyarrow.Table":
        """A PyArrow table. Times are in UTC. Numbers share this table's memory."""
        import pyarrow

        columns = {}
        for name, kind in self._kinds.items():
            values = self._values[name]
            if kind == "word":
                columns[name] = pyarrow.array(values, type=pyarrow.string())
            elif kind == "time":
                columns[name] = pyarrow.array(values).cast(pyarrow.timestamp("us", tz="UTC"))
            else:
                columns[name] = pyarrow.array(values)
        return pyarrow.table(columns)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """Arrow's C stream, by PyArrow or Polars: whoever reads one has one of them."""
        try:
            arrow = self.to_arrow()
        except ImportError:
            return self.to_polars().__arrow_c_stream__(requested_schema)
        return arrow.__arrow_c_stream__(requested_schema)

    def _list(self, name: str) -> list[Any]:
        values, kind = self._values[name], self._kinds[name]
        if kind == "word":
            return values
        if kind == "time":
            return [datetime_of(micros) for micros in values.astype("int64").tolist()]
        return values.tolist()

    def _head(self) -> list[list[str]]:
        def text(value: Any) -> str:
            if value is None:
                return ""
            return f"{value:.6g}" if isinstance(value, float) else str(value)

        part = {name: values[:_SHOWN] for name, values in self._values.items()}
        head = Table([(name, self._kinds[name], values) for name, values in part.items()])
        return [[text(value) for value in row.values()] for row in head.rows()]

    def __repr__(self) -> str:
        names, head = self.columns, self._head()
        widths = [min(32, max([len(name), *(len(row[at]) for row in head)])) for at, name in enumerate(names)]
        lines = [
            "  ".join(f"{text[:width]:<{width}}" for text, width in zip(row, widths)).rstrip() for row in [names, *head]
        ]
        more = f"… {self._rows - _SHOWN} more" if self._rows > _SHOWN else ""
        return "\n".join([f"<crible.Table: {self._rows} rows>", *lines, *([more] if more else [])])

    def _repr_html_(self) -> str:
        def cells(row: list[str], tag: str) -> str:
            return "".join(f"<{tag}>{html.escape(text)}</{tag}>" for text in row)

        body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in self._head())
        more = f"<p>{self._rows - _SHOWN} more rows</p>" if self._rows > _SHOWN else ""
        return f"<table><thead><tr>{cells(self.columns, 'th')}</tr></thead><tbody>{body}</tbody></table>{more}"


def _typed(kind: str, values: Any) -> Any:
    return values.view("datetime64[us]") if kind == "time" and values.dtype == "int64" else values
