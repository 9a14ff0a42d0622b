"""How far a step is, told to whoever watches: a terminal, or nobody."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as RichProgress


class Progress(Protocol):
    """Told what is being done, how much of it is done, and how much there is (None if unknown)."""

    def __call__(self, what: str, done: int, total: int | None, /) -> None:
        """Take note; must be cheap, it is called often."""
        ...


def silent(_what: str, _done: int, _total: int | None, /) -> None:
    """Tell nobody."""


class Bars:
    """One bar on the terminal for each thing being done; use as a context manager."""

    def __init__(self, console: Console) -> None:
        self._bars = RichProgress(
            TextColumn("[progress.description]{task.description}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, what: str, done: int, total: int | None, /) -> None:
        """Move the bar of ``what``, or begin it."""
        if what not in self._tasks:
            self._tasks[what] = self._bars.add_task(what, total=total)
        self._bars.update(self._tasks[what], completed=done, total=total)

    def __enter__(self) -> Self:
        """Begin to draw."""
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop drawing and leave the terminal as it was."""
        self._bars.stop()
