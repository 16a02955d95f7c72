from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import MetricUnavailable, copying, detection_auc, fit_matchers, match_scores, missingness

RNG = np.random.default_rng(0)


def rows(count: int, size: int = 6) -> np.ndarray:
    return RNG.normal(size=(count, size))


def test_real_rows_cannot_be_told_from_real_rows() -> None:
    score = detection_auc(rows(400), rows(400))
    assert score.value == pytest.approx(0.5, abs=0.08)
    assert score.low is not None
    assert score.high is not None
    assert score.low < score.value < score.high


def test_other_rows_are_told_from_real_ones() -> None:
    assert detection_auc(rows(200), rows(200) + 3).value > 0.98
    assert detection_auc(rows(200), np.zeros((200, 6))).value > 0.98


def test_rows_of_shuffled_columns_are_told_by_what_does_not_match() -> None:
    def table(count: int) -> dict[str, np.ndarray]:
        shared = rows(count, 1)
        return {name: shared + 0.3 * rows(count, 1) for name in "ab"}

    def vectors(columns: dict[str, np.ndarray]) -> np.ndarray:
        return np.hstack([*columns.values(), match_scores(matchers, columns)])

    matchers, _ = fit_matchers(table(400))
    shuffled = table(300)
    shuffled["b"] = RNG.permutation(shuffled["b"])
    assert detection_auc(vectors(table(300)), vectors(shuffled)).value > 0.75
    assert detection_auc(vectors(table(300)), vectors(table(300))).value == pytest.approx(0.5, abs=0.09)


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


def test_missing_cells_are_counted_alone_and_together() -> None:
    present = RNG.random((2_000, 3)) > 0.3
    same = missingness(present[:1_000], present[1_000:])
    assert same.rates.value < 0.05
    assert same.pair_rates.value < 0.05
    whole = missingness(present, np.ones((100, 3), bool))
    assert whole.rates.value == pytest.approx(0.3, abs=0.03)
    assert whole.pair_rates.value == pytest.approx(0.09, abs=0.02)
    tied = np.repeat(present[:, :1], 3, axis=1)
    assert missingness(present, tied).rates.value < 0.05
    assert missingness(present, tied).pair_rates.value == pytest.approx(0.21, abs=0.03)
    np.testing.assert_allclose(np.diagonal(same.real), 1 - present[:1_000].mean(axis=0))


def test_one_column_has_no_pairs() -> None:
    assert missingness(np.ones((20, 1), bool), np.zeros((20, 1), bool)).pair_rates.value == 0.0


def test_too_few_rows_are_left_out_with_the_reason() -> None:
    with pytest.raises(MetricUnavailable, match="at least 50 generated rows, and there are 7"):
        detection_auc(rows(100), rows(7))
    for few in range(3):
        sets = [rows(5 if index == few else 50) for index in range(3)]
        name = ("training", "held-out", "generated")[few]
        with pytest.raises(MetricUnavailable, match=f"at least 20 {name} rows, and there are 5"):
            copying(*sets)
    with pytest.raises(MetricUnavailable, match="at least 10 real rows"):
        missingness(np.ones((3, 2), bool), np.ones((30, 2), bool))
