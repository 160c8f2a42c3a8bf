"""From files or frames to alerts."""

from __future__ import annotations

import datetime
import logging
import os
from functools import cached_property
from typing import Any, Iterable, Optional, Union

from . import _crible
from ._engine import Engine
from ._frames import is_frame, to_bytes
from ._progress import Progress, shown
from ._reasons import Reasons
from ._table import Table
from ._times import datetime_of, micros

Path = Union[str, "os.PathLike[str]"]
Paths = Union[Path, Iterable[Path]]

_log = logging.getLogger("crible")

#: Rejected rows that are logged one by one.
_TOLD = 3


def _paths(paths: Paths) -> list[str]:
    if isinstance(paths, (str, os.PathLike)):
        return [os.fspath(paths)]
    try:
        return [os.fspath(path) for path in paths]
    except TypeError:
        text = f"expected paths, a frame or crible.Transactions, got {type(paths).__name__}"
        raise ValueError(text) from None


def _text(path: Optional[Path]) -> Optional[str]:
    return None if path is None else os.fspath(path)


def _reading(
    feed: Optional[str], map: Optional[Path], account: Optional[str], key_file: Optional[Path], presets: Optional[Path]
) -> dict[str, Any]:
    return {
        "feed": feed,
        "map": _text(map),
        "account": account,
        "presets": _text(presets),
        "key_file": _text(key_file),
        "config": None,
    }


def _learning(
    config: Optional[Path],
    detectors: Union[None, str, Iterable[str]],
    warm_up: Optional[str],
    seed: Optional[int],
) -> dict[str, Any]:
    if config is not None:
        with open(config, encoding="utf-8") as file:
            config = file.read()
    if isinstance(detectors, str):
        detectors = detectors.split(",")
    return {
        "config": config,
        "detectors": None if detectors is None else list(detectors),
        "warm_up": warm_up,
        "seed": seed,
    }


class Transactions:
    """Transactions that were read, in order of time, and what became of every row: what `read` returns.

    Accounts and counterparties are pseudonyms; nothing of who they are is kept. `len` is the number of transactions,
    and `transactions[i]` one of them, as a `Payment` that an `Engine` observes.

        >>> import crible
        >>> transactions = crible.read(crible.simulate(accounts=20, days=20, seed=1))
        >>> file = transactions.files[0]
        >>> file["read"] == file["accepted"] + file["known"] + file["rejected"]
        True
    """

    def __init__(self, inner: _crible.Transactions) -> None:
        self._inner = inner

    def __len__(self) -> int:
        return len(self._inner)

    def __getitem__(self, row: int) -> _crible.Payment:
        return self._inner[row]

    @cached_property
    def table(self) -> Table:
        """The transactions as columns.

        `id`, `time` (UTC), `account`, `amount` in major units and `amount_minor`, exact, `currency`, what else the feed
        has, and the `file` and `row` (from 0) each was read in.
        """
        return Table(self._inner.columns())

    @cached_property
    def rejects(self) -> Table:
        """The rows that could not be read.

        `file`, `row` (from 0), `line` (from 1), `column`, `value`, masked, and `reason`.
        """
        return Table(self._inner.rejects())

    @property
    def files(self) -> list[dict[str, Any]]:
        """What became of each file: its `feed`, and how many rows were `read`, `accepted`, `known` from before and
        `rejected`, of which `no_transaction` are balances, totals or headings."""
        return self._inner.files()

    @property
    def notes(self) -> list[str]:
        """Files that could not be read at all, and what was passed over in folders and archives."""
        return self._inner.notes()

    @property
    def key_origin(self) -> str:
        """Where the key of the pseudonyms came from."""
        return self._inner.key_origin()

    @property
    def span(self) -> tuple[datetime.datetime, datetime.datetime]:
        """The times of the first transaction and the last."""
        first, last = self._inner.span()
        return datetime_of(first), datetime_of(last)

    def split(self, at: Any) -> tuple["Transactions", "Transactions"]:
        """The transactions before a time, and those from it on: to learn on the past and score what came later.

        `at` is a datetime, a date or a text of ISO 8601; without a zone it is UTC. What rows mean besides, such as
        being pending, and the rejected rows stay with the whole.
        """
        before, after = self._inner.split(micros(at))
        return Transactions(before), Transactions(after)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.table.__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        names = ", ".join(sorted({file["feed"] for file in self.files}))
        if not len(self):
            return f"<crible.Transactions: none ({names})>"
        first, last = (time.date().isoformat() for time in self.span)
        return f"<crible.Transactions: {len(self)} from {first} to {last} ({names}), {len(self.rejects)} rows rejected>"

    def _repr_html_(self) -> str:
        import html

        return f"<p>{html.escape(repr(self)[1:-1])}</p>{self.table._repr_html_()}"


def read(
    data: Any,
    *,
    feed: Optional[str] = None,
    map: Optional[Path] = None,
    account: Optional[str] = None,
    key_file: Optional[Path] = None,
    presets: Optional[Path] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Transactions:
    """Reads transactions from files or a frame.

    Parameters
    ----------
    data
        A path or several: files (CSV, XLSX, JSON, Parquet, Arrow, statements, plain or compressed), folders, zip
        archives, patterns. Or a frame: pandas, Polars, PyArrow, a `Table`, anything with Arrow's C stream.
    feed
        Read as this feed instead of recognising it; `crible feeds` lists them.
    map
        Names the columns of an unknown feed, `"account=COL,amount=COL,time=COL"`, or the path of a TOML file that does.
    account
        The account where files name none, or `"@folder"` for the name of each one's folder.
    key_file
        A file with the key of the pseudonyms; else `CRIBLE_KEY` of the environment, else one made of the contents.
    presets
        A folder of further presets; else `CRIBLE_PRESETS` of the environment.
    threads
        Threads to use; one for each processor unless given. No result depends on it.
    progress
        `True` and `False` show progress or not; `None` shows it in a notebook and on a terminal; or a function of
        `stage`, `done` and `total`.

    Raises
    ------
    FileNotFoundError
        A file is not there.
    CribleError
        A file is of no known feed, or no row of it can be used; `file`, `line`, `column` and `value` say where.
    ValueError
        A setting makes no sense.

    Examples
    --------
    >>> import crible
    >>> import polars
    >>> frame = polars.DataFrame({"when": ["2024-05-01", "2024-05-02"], "who": ["A1", "A1"], "much": [-12.5, -3.0]})
    >>> transactions = crible.read(frame, map="account=who,amount=much,time=when,currency=@EUR")
    >>> transactions.table["amount_minor"].tolist()
    [-1250, -300]
    """
    return _read(data, _reading(feed, map, account, key_file, presets), threads, progress)


def _read(data: Any, reading: dict[str, Any], threads: Optional[int], progress: Progress) -> Transactions:
    if isinstance(data, Transactions):
        return data
    with shown(progress) as report:
        if is_frame(data):
            name, contents = to_bytes(data)
            inner = _crible.read_bytes(name, contents, reading, threads, report)
        else:
            inner = _crible.read(_paths(data), reading, threads, report)
    transactions = Transactions(inner)
    _tell(transactions)
    return transactions


def _tell(transactions: Transactions) -> None:
    for file in transactions.files:
        _log.info("%s: %s (%s)", file["file"], file["feed"], file["why"])
        _log.info(
            "%s: rows read %d = accepted %d + already known %d + rejected %d",
            *(file[name] for name in ("file", "read", "accepted", "known", "rejected")),
        )
        for warning in file["warnings"]:
            _log.warning("%s: %s", file["file"], warning)
    for note in transactions.notes:
        _log.warning("%s", note)
    if len(transactions.rejects):
        _log.warning("%d rows were rejected: see Transactions.rejects", len(transactions.rejects))
        for reject, _ in zip(transactions.rejects.rows(), range(_TOLD)):
            _log.warning("%(file)s, line %(line)d, column %(column)s: %(reason)s", reject)
    _log.info("pseudonyms: keyed with %s", transactions.key_origin)


class Scored:
    """What `score` came to.

    A notebook shows the alerts with their reasons.
    """

    def __init__(self, inner: _crible.Scored) -> None:
        self._inner = inner

    @cached_property
    def alerts(self) -> Table:
        """The alerts, one a row: the columns that `crible score --out alerts.parquet` writes. `row` is counted from 0,
        `tail` is the probability that an ordinary transaction scores as high."""
        return Table(self._inner.alerts())

    @cached_property
    def scores(self) -> Table:
        """Every transaction's scores: the columns that `crible score --scores` writes, and the `severity`.

        `row`, `id`, `score`, `tail` and each detector's own, in the order of files and rows, with `file` before them
        where there are several.
        """
        return Table(self._inner.scores())

    @cached_property
    def engine(self) -> Engine:
        """The engine that scored, which has observed all of it: it goes on with what comes next."""
        return Engine(self._inner.engine)

    @cached_property
    def _report(self) -> Transactions:
        return Transactions(self._inner.transactions)

    @property
    def transactions(self) -> Transactions:
        """What was scored.

        Raises CribleError where the files were streamed, so that nothing of them was held.
        """
        if self._inner.is_streamed:
            text = "the files were streamed, and their transactions are not held: crible.read reads those of a part"
            raise _crible.CribleError(text)
        return self._report

    @property
    def rejects(self) -> Table:
        """The rows that could not be read, as in `Transactions.rejects`."""
        return self._report.rejects

    @property
    def files(self) -> list[dict[str, Any]]:
        """What became of each file, as in `Transactions.files`."""
        return self._report.files

    def __len__(self) -> int:
        """How many transactions were scored."""
        return len(self._inner)

    def explain(self, alert: int) -> Reasons:
        """The reasons of the alert in a row of `alerts`, strongest first.

        Raises IndexError where there is no such alert.
        """
        reasons = self._inner.reasons(alert) if alert >= 0 else None
        if reasons is None:
            raise IndexError(f"alert {alert} of {len(self.alerts)}")
        return Reasons(reasons)

    def to_jsonl(self) -> str:
        """The alerts as lines of JSON, as the command writes them (schema `crible.alert/1`)."""
        return "".join(line + "\n" for line in self._inner.lines())

    def plot(self, ax: Any = None) -> Any:
        """Draws the transactions' scores over time, the alerts marked, with matplotlib; returns the axes.

        Raises ImportError where matplotlib is not installed.
        """
        if ax is None:
            import matplotlib.pyplot as plt

            _, ax = plt.subplots(figsize=(9, 3.5))
        times = self._inner.times().view("datetime64[us]")
        ax.plot(times, self.scores["score"], ".", markersize=2, label="transactions")
        place = {id: at for at, id in enumerate(self.scores["id"])}
        alerted = [place[id] for id in self.alerts["transaction"]]
        ax.plot(times[alerted], self.alerts["score"], "o", fillstyle="none", label="alerts")
        ax.set_ylabel("score")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        names = ("critical", "high", "medium", "low")
        counts = ", ".join(f"{self.alerts['severity'].count(name)} {name}" for name in names)
        return f"<crible.Scored: {len(self.alerts)} alerts on {len(self)} transactions ({counts})>"

    def _repr_html_(self) -> str:
        import html

        alerts = self.alerts.rows()
        shown = ["severity", "at", "amount", "currency", "account", "looks_like", "reason_1", "reason_2"]
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in shown)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(str(alert[name] or ''))}</td>" for name in shown) + "</tr>"
            for alert, _ in zip(alerts, range(20))
        )
        text = html.escape(repr(self)[1:-1])
        return f"<p>{text}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def score(
    data: Any,
    *,
    budget: Union[int, str] = "100/day",
    min_severity: Optional[str] = None,
    all: bool = False,
    until: Any = None,
    detectors: Union[None, str, Iterable[str]] = None,
    config: Optional[Path] = None,
    warm_up: Optional[str] = None,
    seed: Optional[int] = None,
    hold: Optional[int] = None,
    feed: Optional[str] = None,
    map: Optional[Path] = None,
    account: Optional[str] = None,
    key_file: Optional[Path] = None,
    presets: Optional[Path] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Scored:
    """Reads transactions, learns what is usual, scores every one and raises the alerts that earn their place.

    Answers are those of the command `crible score` with the same settings, to the bit.

    Parameters
    ----------
    data
        What `read` takes, or what it returned.
    budget
        The most alerts of a day, such as `100` or `"100/day"`.
    min_severity
        Alert on this severity and graver ones, whatever share of them may be false: `"low"`, `"medium"`, `"high"` or
        `"critical"`. Unless given, medium and graver ones are shown, as many as leave an expected one in four false.
    all
        Fill the budget of every day, with ordinary transactions too.
    until
        Learn from what is before this time alone (UTC); all is scored.
    detectors
        Names of the detectors that score, `"ecod"` or `"isolation_forest:n_trees=200"`; `"views"` unless given.
    config
        The path of a TOML configuration.
    warm_up
        How long is only learned from, at most, such as `"7d"`; `"14d"` unless given.
    seed
        Seed of everything drawn by chance; 0 unless given.
    hold
        Read files as a stream, three times, with about this many rows in memory at once. What is more than 512 MiB of
        text is read so anyway, with 2,097,152 rows held. Results are the same, but for rows too far out of order, which
        are rejected; `Scored.transactions` is then not there.
    feed, map, account, key_file, presets, threads, progress
        As in `read`.

    Raises
    ------
    FileNotFoundError, CribleError, ValueError
        As `read` does.

    Examples
    --------
    >>> import crible
    >>> result = crible.score(crible.simulate(accounts=60, days=40, seed=7), min_severity="medium")
    >>> len(result.scores) == len(result.transactions)
    True
    >>> reasons = result.explain(0)
    >>> 0 < reasons[0].share <= 1
    True
    """
    learning = _learning(config, detectors, warm_up, seed)
    # It says how far ahead of all others a row may be dated.
    reading = {**_reading(feed, map, account, key_file, presets), "config": learning["config"]}
    last = None if until is None else micros(until)
    chosen = (learning, last, str(budget), min_severity, all, threads)
    in_memory = isinstance(data, Transactions) or is_frame(data)
    if in_memory and hold is not None:
        raise ValueError("hold is given for what is in memory: expected paths")
    if not in_memory and _crible.streams(paths := _paths(data), hold):
        with shown(progress) as report:
            scored = Scored(_crible.score_streamed(paths, reading, hold, *chosen, report))
        _tell(scored._report)
    else:
        transactions = _read(data, reading, threads, progress)
        with shown(progress) as report:
            scored = Scored(_crible.score(transactions._inner, *chosen, report))
    for name, reason in scored.engine._inner.skipped:
        _log.warning("the detector %s was left out: %s", name, reason)
    _log.info("%r", scored)
    return scored


def simulate(
    *,
    accounts: int = 1_000,
    days: int = 90,
    start: Any = None,
    fraud_rate: float = 0.005,
    scenarios: Optional[Iterable[str]] = None,
    seed: int = 0,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Table:
    """Invented transactions with labels: the columns that `crible simulate` writes, and the `scenario` of each fraud.

    Parameters
    ----------
    accounts, days
        How many accounts, and how many days from `start` on (2025-01-01 unless given).
    fraud_rate
        The share of rows that are frauds, 0 to 0.2.
    scenarios
        Which frauds; `crible.scenarios()` names them all. Those that others do with somebody's card or account unless
        given.
    seed
        The same seed gives the same transactions on every machine.

    Raises
    ------
    ValueError
        A setting is out of its range.

    Examples
    --------
    >>> import crible
    >>> table = crible.simulate(accounts=100, days=30, seed=3)
    >>> set(table["fraud"].tolist())
    {0, 1}
    """
    first = None if start is None else micros(start)
    chosen = None if scenarios is None else list(scenarios)
    with shown(progress) as report:
        return Table(_crible.simulate(accounts, days, first, fraud_rate, chosen, seed, threads, report))


def reveal(
    pseudonyms: Union[str, Iterable[str]],
    data: Paths,
    *,
    feed: Optional[str] = None,
    map: Optional[Path] = None,
    account: Optional[str] = None,
    key_file: Optional[Path] = None,
    presets: Optional[Path] = None,
    threads: Optional[int] = None,
    progress: Progress = None,
) -> Table:
    """Whom pseudonyms stand for, by reading the files they were made of with the key they were made with.

    Without a key this finds something only where `data` are exactly the files of the run that made the pseudonyms.
    Nothing of it is logged.

    Parameters
    ----------
    pseudonyms
        16 hexadecimal digits of an account or counterparty each, or 32 of a transaction.
    data
        The paths of the files.
    feed, map, account, key_file, presets, threads, progress
        As in `read`.

    Returns
    -------
    Table
        `pseudonym`, `role`, `identifier`, and the `file` and `row` (from 0) where it stands first, and in how many
        `rows`.

    Raises
    ------
    ValueError
        One is no pseudonym; it is not said back.
    FileNotFoundError, CribleError
        As `read` does.
    """
    wanted = [pseudonyms] if isinstance(pseudonyms, str) else list(pseudonyms)
    reading = _reading(feed, map, account, key_file, presets)
    with shown(progress) as report:
        return Table(_crible.reveal(wanted, _paths(data), reading, threads, report))
