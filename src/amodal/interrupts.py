"""Interruptions from outside: Ctrl-C, SIGTERM and SIGHUP."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

__all__ = ["Terminated", "handling", "interruption", "raised_as_exceptions"]

_SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))


class Terminated(KeyboardInterrupt):
    """Interruption by SIGTERM or SIGHUP, treated like Ctrl-C.

    Args:
        number: signal number.
    """

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def interruption(number: int) -> KeyboardInterrupt:
    """The exception raised for a signal."""
    return KeyboardInterrupt() if number == signal.SIGINT else Terminated(number)


@contextmanager
def handling(handler: Callable[[int], None]) -> Iterator[None]:
    """Call `handler` with the number of the first interrupting signal; a second one has its previous effect.

    A signal that is ignored (by `nohup`, or by a shell for background jobs) stays ignored. Has no effect outside the
    main thread, which alone receives signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = {
        number: before
        for number in _SIGNALS
        if (before := signal.getsignal(number)) not in (signal.SIG_IGN, None)
    }

    def restore() -> None:
        for number, before in previous.items():
            signal.signal(number, before)

    def on_signal(number: int, _: Any) -> None:
        restore()
        handler(number)

    for number in previous:
        signal.signal(number, on_signal)
    try:
        yield
    finally:
        restore()


@contextmanager
def raised_as_exceptions() -> Iterator[None]:
    """Raise `KeyboardInterrupt` or `Terminated` on a signal, so that `finally` blocks run.

    A second signal kills the process at once.
    """

    def raise_interruption(number: int) -> None:
        raise interruption(number)

    with handling(raise_interruption):
        yield
