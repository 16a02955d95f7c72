"""The learning rate's schedule, as factors of its peak."""

from __future__ import annotations

import math
from dataclasses import dataclass

_WARM_UP_STEPS = 100
_LAST_RATE = 0.02
"""Learning rate at the end of a decay, as a fraction of the peak."""


def warm_up(step: int) -> float:
    """A line from nearly 0 at step 0 to 1 after the first steps."""
    return min(1.0, (step + 1) / _WARM_UP_STEPS)


def cosine(fraction: float) -> float:
    """A cosine from 1 at fraction 0 to the last rate at fraction 1 (Loshchilov & Hutter, arXiv 1608.03983)."""
    return _LAST_RATE + (1 - _LAST_RATE) * 0.5 * (1 + math.cos(math.pi * fraction))


@dataclass(frozen=True)
class LRDecay:
    """The decay of the learning rate before a stage ends early.

    Attributes:
        start: epochs of the stage that were done when it began.
        epochs: its length.
    """

    start: float
    epochs: int

    def fraction(self, epochs_done: float) -> float:
        """Fraction of the decay that is over, 0 to 1."""
        return min(1.0, (epochs_done - self.start) / max(1, self.epochs))
