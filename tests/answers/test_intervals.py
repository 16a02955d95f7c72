from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from amodal.answers.intervals import allowed_intervals, cells_at
from amodal.modalities import NumberQuantile

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("decimals", [0, 2, 5])
def test_intervals_are_what_rounded_cells_allow(decimals: int) -> None:
    numbers = NumberQuantile.fit(pd.Series(RNG.gamma(2, 10, 500).round(decimals)), None)
    cuts = [np.array([7.5, 7.0, 20.0]), np.array([30.0, 12.0, 20.0])]
    zero = np.zeros(3)
    starts, ends = allowed_intervals(
        numbers, [(cut, zero) for cut in cuts], lambda cells: (cells > cuts[0]) & (cells <= cuts[1]), 3
    )
    points = np.sort(np.concatenate([RNG.normal(size=20_000), RNG.uniform(-5.5, 5.5, 2_000)])).astype(
        np.float32
    )
    edges = np.concatenate([each[np.isfinite(each)] for each in (starts, ends)])
    points = np.concatenate(
        [points, edges, np.nextafter(edges, np.float32(9)), np.nextafter(edges, np.float32(-9))]
    )
    cells = cells_at(numbers, points)
    for row in range(3):
        inside = ((points[:, None] >= starts[row]) & (points[:, None] <= ends[row])).any(1)
        assert np.array_equal(inside, (cells > cuts[0][row]) & (cells <= cuts[1][row]))
    assert not (starts[2] <= ends[2]).any()
