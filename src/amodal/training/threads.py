"""Choice of the number of threads of an operation while training."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import lightning.pytorch as pl
import torch

_STEPS, _SECONDS = 6, 1.5
"""Steps that a number of threads is judged by, or fewer, two at least, that take so many seconds."""

_GAIN = 0.95
"""A new number of threads is kept if its steps take at most this fraction of the time."""

_SLOWER, _FASTER = 1.5, 0.75
"""Ratios of step times above, or below, which the machine's load has changed."""

_SOONEST, _LATEST = 2.0, 30.0
"""Seconds between two trials, doubled after each that does not pay."""

_TRIAL_FRACTION = 0.03
"""Most of the time that trials which do not pay may take."""

_BUSY = 0.9
"""Threads that compute for a smaller fraction of the time wait for a processor."""


class _Steps:
    """The last steps with one number of threads: their seconds, and their processor seconds over all threads."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.computed: list[float] = []

    def add(self, seconds: float, computed: float) -> None:
        self.seconds = [*self.seconds[1 - _STEPS :], seconds]
        self.computed = [*self.computed[1 - _STEPS :], computed]

    def last(self, count: int) -> _Steps:
        steps = _Steps()
        steps.seconds, steps.computed = self.seconds[-count:], self.computed[-count:]
        return steps

    @property
    def enough(self) -> bool:
        return len(self.seconds) >= _STEPS or (len(self.seconds) >= 2 and sum(self.seconds) >= _SECONDS)

    @property
    def mean(self) -> float:
        return sum(self.seconds) / len(self.seconds)

    def wait(self, threads: int) -> bool:
        """True when so many threads had to wait for a processor."""
        return sum(self.computed) < _BUSY * threads * sum(self.seconds)


class ThreadTuner(pl.Callback):
    """Chooses the number of threads of an operation while training, by the time of steps.

    The threads of an operation wait for each other. Where another program takes a processor, they spin until the last
    one runs again: next to two busy programs two threads are slower than one. Steps are timed with half and with twice
    as many threads from time to time, beginning with one thread, and the faster number is kept. More threads are not
    tried while threads wait for a processor.

    The number changes sums in their last bits, so that this is for runs with a time limit, which differ anyway. One
    tuner serves all stages.

    Args:
        clock: gives the time in seconds.
        most: threads at most; torch's number by default.
        cpu_clock: gives the processor seconds of this process, over all its threads.

    Attributes:
        threads: the fastest number so far.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        most: int | None = None,
        cpu_clock: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._usual = torch.get_num_threads()
        self._most = most or self._usual
        self.threads = 1
        self._active = False
        self._candidate = 1
        self._settled: float | None = None
        self._pause = 0.0
        self._next_trial = 0.0
        self._more = True
        self._warm = False
        self._present = _Steps()
        self._trial = _Steps()
        self._trial_started = 0.0
        self._step_started = (0.0, 0.0)

    def on_fit_start(self, trainer: pl.Trainer, pl_module: pl.LightningModule) -> None:
        # Processes that train together wait for each other, and a graphics card does not depend on threads.
        self._active = trainer.world_size == 1 and pl_module.device.type == "cpu" and self._most > 1
        if self._active:
            self._settle(self.threads, 0.0)

    def on_fit_end(self, *_: Any) -> None:
        torch.set_num_threads(self._usual)

    def on_exception(self, *_: Any) -> None:
        torch.set_num_threads(self._usual)

    def on_train_batch_start(self, *_: Any) -> None:
        self._step_started = self._clock(), self._cpu_clock()

    def on_train_batch_end(self, *_: Any) -> None:
        if not self._active:
            return
        started, cpu_started = self._step_started
        step = self._clock() - started, self._cpu_clock() - cpu_started
        if not self._warm:
            # The first step after a change is not representative: threads start, caches fill.
            self._warm = True
        elif self._candidate == self.threads:
            self._present.add(*step)
            self._watch()
        else:
            self._trial.add(*step)
            self._judge()

    def _watch(self) -> None:
        """Begin a trial when it is time, or when the machine's load has changed."""
        present = self._present
        if self._settled is not None and len(present.seconds) >= 2:
            change = sum(present.seconds[-2:]) / 2 / self._settled
            if change > _SLOWER or change < _FASTER:
                self._present = present = present.last(2)
                self._settled, self._pause, self._next_trial = None, 0.0, self._clock()
        if present.enough:
            self._settled = self._settled or present.mean
            if self._clock() >= self._next_trial:
                self._begin_trial()

    def _begin_trial(self) -> None:
        fewer, more = max(1, self.threads // 2), min(self._most, self.threads * 2)
        if self._present.wait(self.threads):
            candidate = fewer
        else:
            first, second = (more, fewer) if self._more else (fewer, more)
            candidate = first if first != self.threads else second
        if candidate == self.threads:
            self._next_trial = self._clock() + _SOONEST
            return
        self._more = candidate > self.threads
        self._trial, self._trial_started = _Steps(), self._clock()
        self._use(candidate)

    def _judge(self) -> None:
        wanted = self._present.mean * _GAIN
        if sum(self._trial.seconds) > wanted * max(2, len(self._present.seconds)):
            pays = False
        elif self._trial.enough:
            pays = self._trial.mean <= wanted
        else:
            return
        if pays:
            self._settle(self._candidate, 0.0)
        else:
            self._more = not self._more
            cost = (self._clock() - self._trial_started) / _TRIAL_FRACTION
            self._settle(self.threads, max(_SOONEST, min(_LATEST, self._pause * 2), cost))

    def _settle(self, threads: int, pause: float) -> None:
        self.threads, self._pause, self._settled = threads, pause, None
        self._next_trial = self._clock() + pause
        self._present = _Steps()
        self._use(threads)

    def _use(self, threads: int) -> None:
        self._candidate, self._warm = threads, False
        torch.set_num_threads(threads)
