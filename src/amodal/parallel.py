"""Work in threads, with a progress bar, and in forked processes."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from amodal.errors import UsageError

__all__ = ["ProgressCallback", "in_parallel"]

BAR_DELAY = 2.0  # seconds until a bar appears

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
    """Results of a task on each item, in the items' order.

    Threads do the work: processes take seconds to start, and decoding releases the interpreter's lock.

    Args:
        task: a function of an item; an error stops the rest and is raised.
        items: its arguments.
        label: the bar's text.
        workers: number of threads, at least 1; all cores by default.
        progress: called with (done, total) in place of a bar on stderr that appears after 2 seconds.

    Raises:
        UsageError: fewer than one worker.

    Example:
        >>> list(in_parallel(len, ["a", "bc"], label="Counting"))
        [1, 2]
    """
    if workers is not None and workers < 1:
        raise UsageError(f"At least 1 worker is needed, not {workers}.")

    def results() -> Iterator[Result]:
        with _delayed_bar(label) as bar, ThreadPoolExecutor(workers or os.cpu_count() or 1) as pool:
            report = progress or bar
            try:
                for done, result in enumerate(pool.map(task, items), start=1):
                    report(done, len(items))
                    yield result
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    # A generator of its own, so that a wrong number is refused at once.
    return results()


def _compute_in_one_thread() -> None:
    """Let a forked process compute, which waits for ever for the threads that its parent had.

    A fork copies one thread. The libraries of PyTorch, NumPy and OpenCV still hand work to the others, as their thread
    pools were filled in the parent; with one thread they compute in the caller's.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(1)
    if "cv2" in sys.modules:
        sys.modules["cv2"].setNumThreads(1)
    if "threadpoolctl" in sys.modules:
        sys.modules["threadpoolctl"].threadpool_limits(1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_compute_in_one_thread)


@contextmanager
def _delayed_bar(label: str) -> Iterator[ProgressCallback]:
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
        if console.is_interactive and not bar.live.is_started and time.monotonic() - start > BAR_DELAY:
            bar.start()
        bar.update(task, completed=done, total=total)

    try:
        yield report
    finally:
        if bar.live.is_started:
            bar.stop()
