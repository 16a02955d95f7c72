from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import MetricUnavailable, copying, detection_auc, missingness

RNG = np.random.default_rng(0)


def rows(count: int, size: int = 6) -> np.ndarray:
    return RNG.normal(size=(count, size))


def test_new_rows_are_not_copies() -> None:
    found = copying(rows(1_000), rows(500), rows(500))
    assert found.dcr_share.value == pytest.approx(0.5, abs=0.07)
    assert found.nndr_share.value == pytest.approx(0.05, abs=0.04)
    assert found.duplicates.value == found.heldout_duplicates.value == 0


def test_copies_of_training_rows_are_caught() -> None:
    training = rows(1_000)
    copied = RNG.permutation(1_000)[:300]
    found = copying(training, rows(300), training[copied])
    assert (found.dcr_share.value, found.nndr_share.value, found.duplicates.value) == (1.0, 1.0, 1.0)
    np.testing.assert_array_equal(found.nearest, copied)
    found = copying(training, rows(300), training[copied] + 0.01 * rows(300))
    assert found.dcr_share.value > 0.99
    assert found.nndr_share.value > 0.99
    assert found.duplicates.value == 0


def test_plain_rows_are_near_to_all_but_no_copies() -> None:
    # Not nearer to each other than to training rows, of which one could then be the nearest to all of them.
    found = copying(rows(1_000), rows(300), 0.3 * rows(300))
    assert found.dcr_share.value > 0.75
    assert found.nndr_share.value < 0.15


def test_a_table_that_repeats_itself_has_heldout_duplicates() -> None:
    training = rows(50).repeat(2, axis=0)
    found = copying(training, training[:40], training[:40])
    assert found.heldout_duplicates.value == 1.0
    assert found.dcr_share.value == pytest.approx(0.5)


def test_too_few_rows_are_unavailable() -> None:
    with pytest.raises(MetricUnavailable, match="at least 50 generated rows, and there are 7"):
        detection_auc(rows(100), rows(7))
    for few in range(3):
        sets = [rows(5 if index == few else 50) for index in range(3)]
        name = ("training", "held-out", "generated")[few]
        with pytest.raises(MetricUnavailable, match=f"at least 20 {name} rows, and there are 5"):
            copying(*sets)
    with pytest.raises(MetricUnavailable, match="at least 10 real rows"):
        missingness(np.ones((3, 2), bool), np.ones((30, 2), bool))
