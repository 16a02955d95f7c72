"""Signals that ask a process to end: Ctrl-C, SIGTERM and SIGHUP."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Terminated", "handle_signals", "interrupt_of", "signals_as_exceptions"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP asked the process to end; treated like Ctrl-C.

    Args:
        number: of the signal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def interrupt_of(number: int) -> KeyboardInterrupt:
    """The exception of a signal, by its number."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


@contextmanager
def handle_signals(handler: Callable[[int], None]) -> Iterator[None]:
    """Call `handler` with the number of the first signal that asks for an end; a second has its usual effect.

    A signal that is ignored (by `nohup`, or by a shell for background jobs) stays ignored. Threads other than the main
    one get no signals: no handler is installed in them.
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
def signals_as_exceptions() -> Iterator[None]:
    """Raise `KeyboardInterrupt` or `Terminated` on a signal, so that unfinished work is cleaned up.

    A second signal ends the process at once.
    """

    def raise_it(number: int) -> None:
        raise interrupt_of(number)

    with handle_signals(raise_it):
        yield
