from __future__ import annotations

import numpy as np
import pytest

from amodal.metrics import (
    MetricUnavailable,
    conditional_coherence,
    fit_classifier,
    joint_coherence,
)

RNG = np.random.default_rng(0)


def blobs(rows: int, labels: str = "abc") -> tuple[np.ndarray, np.ndarray]:
    index = RNG.integers(0, len(labels), rows)
    return np.eye(3)[index] + RNG.normal(size=(rows, 3)) * 0.15, np.array(list(labels))[index]


def test_classifiers_predict_labels_of_cells() -> None:
    vectors, labels = blobs(300)
    classifier = fit_classifier(vectors, labels, *blobs(200))
    assert classifier.accuracy.value > 0.97
    drawn, wanted = blobs(200)
    assert conditional_coherence(classifier, drawn, wanted).value > 0.97
    assert conditional_coherence(classifier, drawn, RNG.permutation(wanted)).value == pytest.approx(
        1 / 3, abs=0.12
    )
    assert joint_coherence([classifier(drawn), wanted]).value > 0.97
    assert joint_coherence([classifier(drawn), RNG.permutation(wanted)]).value < 0.5


def test_a_label_without_training_rows_is_misclassified() -> None:
    vectors, labels = blobs(200)
    heldout, heldout_labels = blobs(200)
    heldout_labels = np.where(heldout_labels == "a", "unseen", heldout_labels)
    accuracy = fit_classifier(vectors, labels, heldout, heldout_labels).accuracy.value
    assert accuracy == pytest.approx(np.mean(heldout_labels != "unseen"), abs=0.05)


def test_unavailable_with_the_reason() -> None:
    vectors, labels = blobs(200)
    with pytest.raises(MetricUnavailable, match="the same label"):
        fit_classifier(vectors, np.full(200, "a"), vectors, labels)
    with pytest.raises(MetricUnavailable, match="at least 20 held-out rows"):
        fit_classifier(vectors, labels, vectors[:3], labels[:3])
    with pytest.raises(MetricUnavailable, match="at least 2 classified columns"):
        joint_coherence([labels])
