from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import detection_auc, fit_matchers, match_scores

RNG = np.random.default_rng(0)


def rows(count: int, size: int = 6) -> np.ndarray:
    return RNG.normal(size=(count, size))


def test_real_rows_are_not_distinguished() -> None:
    score = detection_auc(rows(400), rows(400))
    assert score.value == pytest.approx(0.5, abs=0.08)
    assert score.low is not None
    assert score.high is not None
    assert score.low < score.value < score.high


def test_other_rows_are_distinguished() -> None:
    assert detection_auc(rows(200), rows(200) + 3).value > 0.98
    assert detection_auc(rows(200), np.zeros((200, 6))).value > 0.98


def test_rows_of_shuffled_columns_are_distinguished_by_match_scores() -> None:
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
