"""Ends that are asked for from outside: Ctrl-C, and the signals by which a system or a terminal stops a process."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Terminated", "handling", "interruption", "raised_as_exceptions"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """The process was asked to end, by SIGTERM or SIGHUP; to be treated as Ctrl-C is.

    Args:
        number: the signal's.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def interruption(number: int) -> KeyboardInterrupt:
    """The exception that stands for a signal."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


@contextmanager
def handling(handler: Callable[[int], None]) -> Iterator[None]:
    """Call `handler` with the number of the first signal that asks for an end; a second one is treated as before.

    A signal that is ignored (by `nohup`, or by a shell for what runs in the background) stays ignored. Threads other
    than the main one get no signals, and nothing is done there.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    usual = {
        number: before
        for number in _SIGNALS
        if (before := signal.getsignal(number)) not in (signal.SIG_IGN, None)
    }

    def restore() -> None:
        for number, before in usual.items():
            signal.signal(number, before)

    def on_signal(number: int, _: Any) -> None:
        restore()
        handler(number)

    for number in usual:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        restore()


@contextmanager
def raised_as_exceptions() -> Iterator[None]:
    """Raise `KeyboardInterrupt` or `Terminated` where a signal asks for an end, so that what was begun is cleared away.

    A second signal ends the process at once.
    """

    def raise_it(number: int) -> None:
        raise interruption(number)

    with handling(raise_it):
        yield
