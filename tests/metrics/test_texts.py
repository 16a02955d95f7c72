from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import (
    length_distance,
    mel_distance,
    ngram_overlap,
    token_f1,
)


def test_words_and_frames_are_compared_one_row_at_a_time() -> None:
    assert token_f1(["A red hen", "b"], ["hen red a", "c"]).tolist() == [1.0, 0.0]
    assert mel_distance(np.zeros((2, 3, 4)), np.full((2, 3, 4), 2.0)).tolist() == [2.0, 2.0]


def test_texts_are_compared_by_words_and_length() -> None:
    real = [f"the {thing} sees a {colour} hen" for thing in ("cat", "dog") for colour in ("red", "blue")] * 10
    assert ngram_overlap(real, list(reversed(real))).value == pytest.approx(1.0)
    assert length_distance(real, list(reversed(real))).value == 0.0
    assert length_distance(real, [f"{text} {text}" for text in real]).value == pytest.approx(1.0)
    backwards = [" ".join(reversed(text.split())) for text in real]
    assert ngram_overlap(real, backwards, n=1).value == pytest.approx(1.0)
    assert ngram_overlap(real, backwards).value == 0.0
