from __future__ import annotations

import numpy as np
import pytest

from amodal import UsageError, pool

ESTIMATES = np.array([[1.0, 5.0], [1.4, 5.5], [0.8, 4.1], [1.1, 5.2], [1.2, 4.9]])
VARIANCES = np.array([[0.04, 0.5], [0.05, 0.4], [0.06, 0.45], [0.04, 0.55], [0.05, 0.5]])


def test_pooling_is_rubins_closed_form() -> None:
    pooled = pool(ESTIMATES, VARIANCES)
    for column in range(2):
        q, u, m = ESTIMATES[:, column], VARIANCES[:, column], 5
        within, between = sum(u) / m, sum((q - sum(q) / m) ** 2) / (m - 1)
        ratio = (1 + 1 / m) * between / within
        assert pooled.estimate[column] == pytest.approx(sum(q) / m)
        assert pooled.variance[column] == pytest.approx(within + (1 + 1 / m) * between)
        assert pooled.degrees_of_freedom[column] == pytest.approx((m - 1) * (1 + 1 / ratio) ** 2)
        freedom = pooled.degrees_of_freedom[column]
        missing = (ratio + 2 / (freedom + 3)) / (ratio + 1)
        assert pooled.missing_information[column] == pytest.approx(missing)


def test_few_rows_have_barnard_and_rubins_degrees_of_freedom() -> None:
    pooled = pool(ESTIMATES[:, 0], VARIANCES[:, 0], degrees_of_freedom=20)
    share = 1.2 * ESTIMATES[:, 0].var(ddof=1) / pooled.variance
    large, observed = 4 / share**2, 21 / 23 * 20 * (1 - share)
    assert pooled.degrees_of_freedom == pytest.approx(large * observed / (large + observed))
    assert pooled.degrees_of_freedom < 20


def test_tables_that_agree_lose_nothing() -> None:
    pooled = pool([2.0, 2.0, 2.0], [0.25, 0.25, 0.25])
    assert float(pooled.variance) == 0.25
    assert np.isinf(pooled.degrees_of_freedom)
    assert float(pooled.missing_information) == 0.0
    low, high = pooled.interval(0.95)
    assert (low, high) == pytest.approx((2 - 1.959964 * 0.5, 2 + 1.959964 * 0.5), abs=1e-5)


def test_intervals_of_repeated_imputations_cover_the_truth() -> None:
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        # The mean of 40 numbers, half of which are missing and drawn properly from their posterior.
        seen = rng.normal(size=20)
        means, variances = [], []
        for _ in range(10):
            variance = 19 * seen.var(ddof=1) / rng.chisquare(19)
            centre = rng.normal(seen.mean(), np.sqrt(variance / 20))
            full = np.concatenate([seen, rng.normal(centre, np.sqrt(variance), 20)])
            means.append(full.mean())
            variances.append(full.var(ddof=1) / 40)
        low, high = pool(means, variances, degrees_of_freedom=39).interval(0.9)
        covered += low <= 0 <= high
    assert abs(covered - 360) < 5 * np.sqrt(400 * 0.09)


@pytest.mark.parametrize(
    ("estimates", "variances", "said"),
    [([1.0], [1.0], "two tables"), ([1.0, 2.0], [1.0], "shape"), ([1.0, 2.0], [1.0, -1.0], "negative")],
)
def test_what_cannot_be_pooled_is_refused(estimates: list, variances: list, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        pool(estimates, variances)
