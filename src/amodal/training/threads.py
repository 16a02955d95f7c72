"""The number of threads that a step's operations use."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import torch

_STEPS = 8
"""Steps that a number of threads is judged by."""

_GAIN = 0.95
"""A number of threads is changed for another whose steps take at most this share of the time."""

_SOONEST, _LATEST = 2.0, 30.0
"""Seconds between two trials: soon after a change, ever later while nothing changes."""


class ThreadTuner(pl.Callback):
    """Chooses the number of threads of an operation while training, by the time of steps.

    The threads of an operation wait for each other. Where other programs take their processors, the others of them spin
    until the last one is run again: two threads beside two busy programs are slower than one. So a step's time is
    measured with half and with twice as many threads every few seconds, and the faster number is kept.

    Which number is used changes sums in their last bits, so that this is for runs whose length is a time, which differ
    anyway.

    Args:
        clock: the time in seconds.
        most: threads at most; as many as torch uses by default.
    """

    def __init__(self, clock: Callable[[], float], most: int | None = None) -> None:
        self._clock = clock
        self._usual = torch.get_num_threads()
        self._most = most or self._usual
        self._threads = self._most
        self._times: deque[float] = deque(maxlen=_STEPS)
        self._candidate: int | None = None
        self._trial = 0.0
        self._trial_steps = 0
        self._pause = _SOONEST
        self._next_trial = 0.0
        self._fewer = True
        self._step_started = 0.0

    @property
    def threads(self) -> int:
        """The number of threads that was the fastest when it was last tried."""
        return self._threads

    def on_train_start(self, *_: Any) -> None:
        torch.set_num_threads(self._threads)
        self._times.clear()
        self._candidate = None
        self._next_trial = self._clock() + _SOONEST

    def on_train_end(self, *_: Any) -> None:
        torch.set_num_threads(self._usual)

    def on_exception(self, *_: Any) -> None:
        torch.set_num_threads(self._usual)

    def on_train_batch_start(self, *_: Any) -> None:
        self._step_started = self._clock()

    def on_train_batch_end(self, *_: Any) -> None:
        seconds = self._clock() - self._step_started
        if self._candidate is None:
            self._times.append(seconds)
            if len(self._times) == _STEPS and self._clock() >= self._next_trial:
                self._try_another()
            return
        self._trial_steps += 1
        # The first step after a change is no measure: threads are made, caches filled.
        if self._trial_steps > 1:
            self._trial += seconds
        self._judge()

    def _try_another(self) -> None:
        """Halve and double in turns, as far as there is anything to try."""
        fewer, more = max(1, self._threads // 2), min(self._most, self._threads * 2)
        self._candidate = fewer if self._fewer else more
        if self._candidate == self._threads:
            self._candidate = more if self._fewer else fewer
        self._fewer = not self._fewer
        self._trial, self._trial_steps = 0.0, 0
        torch.set_num_threads(self._candidate)

    def _judge(self) -> None:
        present = sum(self._times) * _GAIN
        if self._trial > present:
            self._end(self._threads, min(_LATEST, self._pause * 2))
        elif self._trial_steps == _STEPS + 1:
            self._end(self._candidate or self._threads, _SOONEST)

    def _end(self, threads: int, pause: float) -> None:
        self._threads, self._candidate, self._pause = threads, None, pause
        self._next_trial = self._clock() + pause
        self._times.clear()
        torch.set_num_threads(threads)
