"""How far a command is: a bar in a terminal, a line every few seconds elsewhere. Starts no thread: commands fork."""

import logging
import sys
import time
from types import TracebackType
from typing import IO, Any, Self, TextIO, cast

from django.core.management.base import OutputWrapper
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

LINE_EVERY_S = 5.0
_REDRAW_EVERY_S = 0.1


class ProgressLines:
    """Prints a line every few seconds, as into a log."""

    has_bar = False

    def __init__(self, console: Console) -> None:
        self.console = console
        self._shown_at = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None: ...

    def say(self, line: str) -> None:
        """Print a line of its own."""
        self.console.print(Text(line), soft_wrap=True)

    def show(self, what: str, *, done: int, of: int | None, note: str) -> None:
        """Tell how far it is. of: None where nobody knows."""
        if time.monotonic() - self._shown_at >= LINE_EVERY_S:
            self._shown_at = time.monotonic()
            total = "" if of is None else f" of {of:,}"
            self.say(f"{what}: {done:,}{total}, {note}" if note else f"{what}: {done:,}{total}")


class ProgressBar(ProgressLines):
    """Shows a bar, and removes it at the end."""

    has_bar = True

    def __init__(self, console: Console) -> None:
        super().__init__(console)
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[so_far]}"),
            TimeElapsedColumn(),
            console=console,
            transient=True,
            expand=True,
            auto_refresh=False,
        )
        self._row = self._bar.add_task("", total=None, so_far="")
        self._drawn_at = 0.0

    def __enter__(self) -> Self:
        self._bar.start()
        log_to(sys.stderr)  # which is the bar's now: lines of the log go above it
        return self

    def __exit__(self, *_: Any) -> None:
        self._bar.stop()
        log_to(sys.stderr)

    def show(self, what: str, *, done: int, of: int | None, note: str) -> None:
        self._bar.update(self._row, description=what, completed=done, total=of, so_far=note)
        if time.monotonic() - self._drawn_at >= _REDRAW_EVERY_S:
            self._drawn_at = time.monotonic()
            self._bar.refresh()


def progress(stream: OutputWrapper, *, no_color: bool) -> ProgressLines:
    """Return what shows progress on a command's `stream`."""
    stream.ending = ""  # rich ends its lines itself
    stream.style_func = None
    console = Console(file=cast(IO[str], stream), no_color=no_color or None, highlight=False)
    return ProgressBar(console) if console.is_terminal else ProgressLines(console)


def log_to(stream: TextIO) -> None:
    """Have the log, where it goes to standard error, go there."""
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(stream)
