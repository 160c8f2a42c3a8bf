"""How far long work has come, for a person at a terminal or a notebook."""

from __future__ import annotations

import sys
import time
from typing import Callable, Optional, Union

Progress = Union[None, bool, Callable[[str, int, int], object]]

#: Nothing is shown of what takes less, in seconds.
_PATIENCE = 1.0


class _Bar:
    """A line on standard error that is written over until it is done."""

    def __init__(self, line: Callable[[str], None]) -> None:
        self.line = line
        self.began = time.monotonic()
        self.shown = ""

    def __call__(self, stage: str, done: int, total: int) -> None:
        if time.monotonic() - self.began < _PATIENCE:
            return
        share = f" {100 * done // total:3d} %" if total else ""
        text = f"crible: {stage}{share}"
        if text != self.shown:
            self.line(text)
            self.shown = text

    def close(self) -> None:
        if self.shown:
            self.line("")


def _terminal(text: str) -> None:
    print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)


def _notebook() -> Optional[Callable[[str], None]]:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return None
    from IPython.display import DisplayHandle

    handle = DisplayHandle()
    shown = []

    def line(text: str) -> None:
        data = {"text/plain": text}
        if shown:
            handle.update(data, raw=True)
        else:
            shown.append(handle.display(data, raw=True))

    return line


class shown:
    """Shows progress while its block runs, as `progress` says: `None` where somebody watches, a bool, or a function of
    stage, done and total."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.bar: Optional[_Bar] = None

    def __enter__(self) -> Optional[Callable[[str, int, int], object]]:
        if callable(self.progress):
            return self.progress
        if self.progress is False:
            return None
        line = _notebook()
        if line is None and (self.progress or (sys.stderr is not None and sys.stderr.isatty())):
            line = _terminal
        if line is None:
            return None
        self.bar = _Bar(line)
        return self.bar

    def __exit__(self, *_: object) -> None:
        if self.bar is not None:
            self.bar.close()
