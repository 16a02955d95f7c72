"""Seeds from what scikit-learn takes as `random_state`."""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from amodal.errors import UsageError

_SEEDS = 2**32


def seed_of(random_state: Any, name: str = "random_state") -> int:
    """A seed from 0 to 2^32 - 1.

    Args:
        random_state: a whole number, also as a float or of NumPy; a `RandomState` or `Generator`, which advances; None
            for another seed at each call.
        name: of the argument, for the message.

    Raises:
        UsageError: it is none of these.

    Example:
        >>> seed_of(np.int64(3)), seed_of(3.0)
        (3, 3)
    """
    if random_state is None:
        random_state = np.random.default_rng()
    if isinstance(random_state, str) and random_state.isdecimal():
        random_state = int(random_state)  # of a settings file or an option
    if isinstance(random_state, np.random.RandomState):
        return int(random_state.randint(_SEEDS, dtype=np.uint32))
    if isinstance(random_state, np.random.Generator):
        return int(random_state.integers(_SEEDS))
    is_whole = isinstance(random_state, Integral | Real) and float(random_state).is_integer()
    if not is_whole or not 0 <= int(random_state) < _SEEDS:
        raise UsageError(
            f"{name} must be a whole number from 0 to {_SEEDS - 1:,}, a NumPy generator or None, not {random_state!r}."
        )
    return int(random_state)
