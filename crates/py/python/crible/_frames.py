"""Frames on their way in: as bytes of a file for the readers, as columns for detectors.

Why the readers get bytes and not Arrow's C stream: a capsule is a pointer, and taking it needs `unsafe`, which this
workspace forbids, or a crate that does it. Of those there are, pyo3-polars takes objects of Python's Polars alone, by a
protocol of its own, and turns on a feature of polars-error that links every program of the workspace with Python;
pyo3-arrow and arrow-pyarrow bring arrow-rs, whose arrays polars-arrow cannot take over without writing them as Arrow
bytes. Writing these takes a seventh of what reading the frame takes, and the frame's memory once more while it lasts.
"""

from __future__ import annotations

import csv
import io
import sys
from typing import Any, Optional

from ._table import Table


def is_frame(data: Any) -> bool:
    """Whether this is a frame of some library and no path."""
    return isinstance(data, Table) or hasattr(data, "__arrow_c_stream__") or _is_pandas(data)


def _is_pandas(data: Any) -> bool:
    pandas = sys.modules.get("pandas")
    return pandas is not None and isinstance(data, pandas.DataFrame)


def _is_polars(data: Any) -> bool:
    polars = sys.modules.get("polars")
    return polars is not None and isinstance(data, polars.DataFrame)


def _arrow(data: Any) -> Any:
    """A PyArrow table of anything with Arrow's C stream, or of pandas; `None` without PyArrow."""
    try:
        import pyarrow
    except ImportError:
        return None
    return pyarrow.Table.from_pandas(data, preserve_index=False) if _is_pandas(data) else pyarrow.table(data)


def to_bytes(data: Any) -> tuple[str, bytes]:
    """A name and the bytes of a file that holds what a frame holds: Arrow, or CSV where no library writes Arrow."""
    out = io.BytesIO()
    if isinstance(data, Table):
        return "frame.csv", _csv(data)
    if _is_polars(data):
        data.write_ipc(out)
        return "frame.arrow", out.getvalue()
    arrow = _arrow(data)
    if arrow is not None:
        import pyarrow.ipc

        with pyarrow.ipc.new_file(out, arrow.schema) as writer:
            writer.write_table(arrow)
        return "frame.arrow", out.getvalue()
    if _is_pandas(data):
        return "frame.csv", data.to_csv(index=False).encode()
    import polars

    polars.DataFrame(data).write_ipc(out)
    return "frame.arrow", out.getvalue()


def _csv(table: Table) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(table.columns)
    lists = []
    for name in table.columns:
        values = table._list(name)
        if table._kinds[name] == "time":
            values = [time.isoformat().replace("+00:00", "Z") for time in values]
        elif table._kinds[name] == "number":
            values = ["" if value != value else repr(value) for value in values]
        lists.append(values)
    writer.writerows(zip(*lists))
    return text.getvalue().encode()


def columns(data: Any) -> Optional[list[tuple[str, Any]]]:
    """Columns of a frame for detectors: `float64` arrays, NaN for a null, or lists of words; `None` for no frame."""
    if isinstance(data, Table):
        return [(name, _column(name, table_values(data, name))) for name in data.columns]
    if _is_pandas(data):
        return [(str(name), _pandas(str(name), data.iloc[:, at])) for at, name in enumerate(data.columns)]
    if not hasattr(data, "__arrow_c_stream__"):
        return None
    if not _is_polars(data):
        arrow = _arrow(data)
        if arrow is not None:
            return [(name, _arrow_column(name, arrow.column(at))) for at, name in enumerate(arrow.column_names)]
        import polars

        data = polars.DataFrame(data)
    return [(series.name, _polars(series)) for series in data.get_columns()]


def table_values(table: Table, name: str) -> Any:
    return table[name]


def _float(name: str, values: Any) -> Any:
    import numpy

    array = numpy.asarray(values)
    if array.dtype.kind not in "biuf":
        raise ValueError(f"column `{name}`: expected numbers or words, got {array.dtype}")
    return numpy.ascontiguousarray(array, dtype=numpy.float64)


def _words(values: list[Any]) -> list[Optional[str]]:
    return [None if value is None or value != value else str(value) for value in values]


def _column(name: str, values: Any) -> Any:
    return _words(values) if isinstance(values, list) else _float(name, values)


def _pandas(name: str, series: Any) -> Any:
    import pandas

    types = pandas.api.types
    if types.is_bool_dtype(series.dtype) or types.is_numeric_dtype(series.dtype):
        if types.is_complex_dtype(series.dtype):
            raise ValueError("Complex data not supported")
        return _float(name, series.to_numpy(dtype="float64", na_value=float("nan")))
    if series.dtype == object and len(series) and all(_is_number(value) for value in series):
        return _float(name, series.to_numpy(dtype="float64", na_value=float("nan")))
    is_words = isinstance(series.dtype, pandas.CategoricalDtype) or series.dtype == object
    if not is_words and not types.is_string_dtype(series.dtype):
        raise ValueError(f"column `{name}`: expected numbers or words, got {series.dtype}")
    return [None if null else str(value) for value, null in zip(series, series.isna())]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) or value is None


def _polars(series: Any) -> Any:
    import polars

    if series.dtype.is_numeric() or series.dtype == polars.Boolean or series.dtype == polars.Null:
        return _float(series.name, series.cast(polars.Float64).to_numpy())
    if series.dtype in (polars.String, polars.Categorical, polars.Enum):
        return series.cast(polars.String).to_list()
    raise ValueError(f"column `{series.name}`: expected numbers or words, got {series.dtype}")


def _arrow_column(name: str, column: Any) -> Any:
    import pyarrow

    types, kind = pyarrow.types, column.type
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind) or types.is_decimal(kind):
        return _float(name, column.cast(pyarrow.float64()).to_numpy())
    if types.is_null(kind):
        return _float(name, column.cast(pyarrow.float64()).to_numpy())
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return column.to_pylist()
    raise ValueError(f"column `{name}`: expected numbers or words, got {kind}")
