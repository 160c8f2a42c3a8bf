"""The engine that a service embeds."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterable, Optional, Union

from . import _crible
from ._progress import Progress, shown
from ._table import Table
from ._times import datetime_of, micros

if TYPE_CHECKING:
    import datetime

    from ._reasons import Reasons

Source = Union[bytes, str, "os.PathLike[str]"]


def _bytes(source: Source) -> bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    with open(source, "rb") as file:
        return file.read()


def _write(path: Union[None, str, "os.PathLike[str]"], contents: bytes) -> bytes:
    """Writes a file that has its name only when it is whole."""
    if path is None:
        return contents
    beside = f"{os.fspath(path)}.part"
    with open(beside, "wb") as file:
        file.write(contents)
        file.flush()
        os.fsync(file.fileno())
    os.replace(beside, path)
    return contents


class Engine:
    """A model and the state of every account: scores transactions one at a time or a frame at a time, to the same bits.

    Learn one with `Engine.fit`, or load one that was saved. Other threads may go on while it works; one engine observes
    one transaction at a time. `share` gives handles for several threads.

        >>> import crible
        >>> history = crible.read(crible.simulate(accounts=40, days=40, seed=5))
        >>> past, today = history.split("2025-02-05")
        >>> engine = crible.Engine.fit(past)
        >>> observed = engine.observe(today[0])
        >>> observed.severity in ("low", "medium", "high", "critical") and 0 < observed.tail <= 1
        True

    Another process goes on where this one stopped, to the same bits:

        >>> service = crible.Engine.load(engine.save(), state=engine.save_state())
        >>> service.observe(today[1]).score == engine.observe(today[1]).score
        True
    """

    def __init__(self, inner: _crible.Engine) -> None:
        if not isinstance(inner, _crible.Engine):
            raise TypeError("an engine is made by Engine.fit or Engine.load")
        self._inner = inner

    @classmethod
    def fit(
        cls,
        transactions: Any,
        *,
        until: Any = None,
        replay: bool = True,
        detectors: Union[None, str, Iterable[str]] = None,
        config: Union[None, str, "os.PathLike[str]"] = None,
        warm_up: Optional[str] = None,
        seed: Optional[int] = None,
        threads: Optional[int] = None,
        progress: Progress = None,
    ) -> "Engine":
        """Learns what is usual from a history, which the engine has then observed.

        Parameters
        ----------
        transactions
            What `read` takes, or what it returned.
        until
            Take only what is before this time (UTC) for the history.
        replay
            `False` leaves the state empty: the engine then knows what is usual, and nobody's past.
        detectors, config, warm_up, seed, threads, progress
            As in `score`.

        Raises
        ------
        ValueError
            A setting makes no sense, or there are too few transactions.
        """
        from ._run import _learning, _read, _reading

        learning = _learning(config, detectors, warm_up, seed)
        reading = {**_reading(None, None, None, None, None), "config": learning["config"]}
        history = _read(transactions, reading, threads, progress)
        first = None if until is None else micros(until)
        with shown(progress) as report:
            return cls(_crible.fit(history._inner, learning, first, replay, threads, report))

    @classmethod
    def load(cls, model: Source, *, state: Optional[Source] = None) -> "Engine":
        """An engine with a saved model, and a saved state where one is given: paths, or bytes.

        Raises
        ------
        CribleError
            They are no model or state, were cut short or changed.
        """
        engine = cls(_crible.Engine.load(_bytes(model)))
        if state is not None:
            engine.load_state(state)
        return engine

    def save(self, path: Union[None, str, "os.PathLike[str]"] = None) -> bytes:
        """The model as bytes, written to `path` where one is given. It holds no transaction and no identifier."""
        return _write(path, self._inner.save())

    def save_state(self, path: Union[None, str, "os.PathLike[str]"] = None) -> bytes:
        """The state as bytes, written to `path` where one is given: pseudonyms and amounts of the last months.

        Keep it as you keep the transactions.
        """
        return _write(path, self._inner.save_state())

    def load_state(self, state: Source) -> None:
        """Puts a saved state, a path or bytes, in the place of this one.

        Raises CribleError where it is none; the engine is then as it was.
        """
        self._inner.load_state(_bytes(state))

    def replace_model(self, model: Source) -> None:
        """Goes on with another saved model, a path or bytes, and the state it has.

        Raises CribleError where it is none, or its columns need another kind of state.
        """
        self._inner.replace_model(_bytes(model))

    def merge(self, state: Source) -> None:
        """Takes in the state, a path or bytes, of an engine that observed other accounts.

        Raises CribleError where an account is in both.
        """
        self._inner.merge(_bytes(state))

    def observe(self, payment: _crible.Payment) -> _crible.Observation:
        """Scores one payment by what came before it, then remembers it.

        One that was observed before gets the verdict that it had.

        Raises
        ------
        CribleError
            It is too late or dated ahead of all others; the engine is then as it was.
        """
        return self._inner.observe(payment)

    def observe_many(self, transactions: Any, *, threads: Optional[int] = None, progress: Progress = None) -> Table:
        """Observes all of a frame or of files: the same scores as `observe` of each, on all threads.

        Where Ctrl-C ends the wait, the engine still observes all of it, and the next call waits for that.

        Parameters
        ----------
        transactions
            What `read` takes, or what it returned.

        Returns
        -------
        Table
            `row`, `id`, `score`, `tail`, each detector's own score and the `severity`, in the order of files and rows.

        Raises
        ------
        CribleError
            The first is too late, or the last are dated ahead; nothing is then taken in.
        """
        from ._run import read

        batch = read(transactions, threads=threads, progress=progress)
        with shown(progress) as report:
            return Table(self._inner.replay(batch._inner, threads, report))

    replay = observe_many

    def explain(self, observed: _crible.Observation, n: int = 3) -> "Reasons":
        """The strongest reasons of what this engine observed, up to `n`.

        Raises CribleError where the model was replaced since.
        """
        return observed.explain(n)

    def advance(self, now: Any) -> None:
        """Sets the time, so that a payment after a long silence is not taken for one that is dated ahead."""
        self._inner.advance(now)

    def share(self) -> "Handle":
        """A handle for a thread, to be cloned for the others. The engine itself is not usable afterwards."""
        return Handle(self._inner.share())

    @property
    def is_cold(self) -> bool:
        """Whether too little was observed yet, so that every severity is low."""
        return self._inner.is_cold

    @property
    def watermark(self) -> "Optional[datetime.datetime]":
        """The latest time observed."""
        at = self._inner.watermark
        return None if at is None else datetime_of(at)

    @property
    def detectors(self) -> list[str]:
        """Names of the detectors, or views, that have a score of their own."""
        return self._inner.detectors

    @property
    def columns(self) -> list[str]:
        """Names of the columns that every payment's behaviour is put into."""
        return self._inner.columns

    @property
    def model_id(self) -> str:
        """A hash of all that was learned: 16 hexadecimal digits."""
        return self._inner.model_id

    @property
    def state_bytes(self) -> int:
        """The size of the state in memory."""
        return self._inner.state_bytes

    def drift(self) -> str:
        """Week by week, how often transactions scored as high as ordinary ones seldom do, beside what was expected."""
        return self._inner.drift()

    def __reduce__(self) -> Any:
        return _unpickled, (self.save(), self.save_state())

    def __repr__(self) -> str:
        return repr(self._inner)


def _unpickled(model: bytes, state: bytes) -> Engine:
    return Engine.load(model, state=state)


class Handle:
    """One thread's handle of a shared engine: `Engine.share` makes the first, `clone` one for each other thread.

    Handles observe at once what has no account in common; their verdicts are those of one engine that observed in the
    order in which they began.
    """

    def __init__(self, inner: _crible.Handle) -> None:
        self._inner = inner

    def observe(self, payment: _crible.Payment) -> _crible.Observation:
        """As `Engine.observe`."""
        return self._inner.observe(payment)

    def explain(self, observed: _crible.Observation, n: int = 3) -> "Reasons":
        """As `Engine.explain`."""
        return observed.explain(n)

    def clone(self) -> "Handle":
        """A handle for another thread."""
        return Handle(self._inner.clone())

    def save_state(self, path: Union[None, str, "os.PathLike[str]"] = None) -> bytes:
        """As `Engine.save_state`, of one moment between two payments, while others go on."""
        return _write(path, self._inner.save_state())

    def load_state(self, state: Source) -> None:
        """As `Engine.load_state`, for all handles."""
        self._inner.load_state(_bytes(state))

    def replace_model(self, model: Source) -> None:
        """As `Engine.replace_model`, for all handles."""
        self._inner.replace_model(_bytes(model))

    @property
    def is_cold(self) -> bool:
        """As `Engine.is_cold`."""
        return self._inner.is_cold
