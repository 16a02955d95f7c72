"""Parallel map over threads, with a progress bar for slow work."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from amodal.errors import UsageError

__all__ = ["ProgressCallback", "in_parallel"]

SLOW = 2.0  # seconds until the bar appears

Item = TypeVar("Item")
Result = TypeVar("Result")
ProgressCallback = Callable[[int, int], None]


def in_parallel(
    task: Callable[[Item], Result],
    items: Sequence[Item],
    *,
    label: str,
    workers: int | None = None,
    progress: ProgressCallback | None = None,
) -> Iterator[Result]:
    """Yield the result of each item, in the items' order.

    Threads start at once, where processes take seconds, and decoders release the interpreter's lock.

    Args:
        task: function of one item; its first error stops the rest and is raised.
        items: arguments of `task`.
        label: text before the progress bar.
        workers: number of threads, at least 1; the number of cores by default.
        progress: called with (done, total) instead of showing a bar on stderr after 2 seconds.

    Raises:
        UsageError: fewer than one worker.

    Example:
        >>> list(in_parallel(len, ["a", "bc"], label="Counting"))
        [1, 2]
    """
    if workers is not None and workers < 1:
        raise UsageError(f"At least 1 worker is needed, not {workers}.")
    return _results(task, items, label, workers or os.cpu_count() or 1, progress)


def _results(
    task: Callable[[Item], Result],
    items: Sequence[Item],
    label: str,
    workers: int,
    progress: ProgressCallback | None,
) -> Iterator[Result]:
    with _bar_when_slow(label) as bar, ThreadPoolExecutor(workers) as pool:
        report = progress or bar
        try:
            for done, result in enumerate(pool.map(task, items), start=1):
                report(done, len(items))
                yield result
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


@contextmanager
def _bar_when_slow(label: str) -> Iterator[ProgressCallback]:
    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    )
    task = bar.add_task(label)
    start = time.monotonic()

    def report(done: int, total: int) -> None:
        if console.is_interactive and not bar.live.is_started and time.monotonic() - start > SLOW:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
