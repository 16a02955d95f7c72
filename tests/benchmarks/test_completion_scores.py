import numpy as np
import pytest

from benchmarks.completion_scores import (
    as_good,
    as_label,
    coverage,
    crps,
    most_frequent,
    number_scores,
    r2,
    share,
)


def test_labels_are_the_same_however_their_numbers_are_written() -> None:
    assert {as_label(cell) for cell in (7, 7.0, "7", "7.0", np.int64(7))} == {"7.0"}
    assert as_label("007") != as_label("seven") == "seven"


def test_the_most_frequent_label_of_each_row_and_the_first_of_equals() -> None:
    draws = [["a", "x", "p"], ["b", "x", "q"], ["b", "y", "p"], ["a", "z", "q"]]
    assert most_frequent(draws) == ["a", "x", "p"]


def test_r2_of_the_truth_of_its_mean_and_of_a_column_without_variance() -> None:
    truth = np.array([1.0, 2.0, 6.0])
    assert r2(truth, truth) == 1
    assert r2(truth, np.full(3, 3.0)) == 0
    assert r2(truth, np.full(3, 4.0)) == pytest.approx(1 - 17 / 14)
    assert r2(np.ones(3), np.ones(3)) == 1
    assert r2(np.ones(3), np.zeros(3)) == 0


@pytest.mark.parametrize("count", [4, 19, 20])
@pytest.mark.parametrize("width", [0.5, 0.8])
def test_exact_quantiles_cover_as_often_as_they_should(count: int, width: float) -> None:
    truth = (np.arange(20_000) + 0.5) / 20_000
    quantiles = np.tile(np.arange(1, count + 1) / (count + 1), (len(truth), 1))
    assert coverage(truth, quantiles, width) == pytest.approx(width, abs=0.01)


def test_draws_that_often_equal_the_truth_cover_as_often_as_they_should() -> None:
    generator = np.random.default_rng(0)
    cells = generator.poisson(0.5, (20_000, 21)).astype(float)
    assert coverage(cells[:, 0], cells[:, 1:]) == pytest.approx(0.8, abs=0.01)


def test_draws_that_are_too_sure_cover_too_little_and_unsure_ones_too_much() -> None:
    generator = np.random.default_rng(0)
    truth, draws = generator.normal(size=4000), generator.normal(size=(4000, 20))
    # The interval is 2.56 deviations wide: a half of it holds .478 and the double .990 of a normal number.
    assert coverage(truth, draws / 2) == pytest.approx(0.478, abs=0.03)
    assert coverage(truth, draws * 2) == pytest.approx(0.990, abs=0.02)


def test_crps_of_a_point_mass_is_its_absolute_error() -> None:
    truth = np.array([1.0, 5.0])
    assert crps(truth, np.full((2, 7), 3.0)) == 2
    assert crps(truth, np.array([[2.0], [5.0]])) == 0.5


def test_crps_of_a_known_sample() -> None:
    # Draws 0, 1 and 3 of the truth 1: mean error 1, mean distance of different draws 2, of which half counts.
    assert crps(np.array([1.0]), np.array([[3.0, 0.0, 1.0]])) == pytest.approx(0.0)
    assert crps(np.array([2.0]), np.array([[3.0, 0.0, 1.0]])) == pytest.approx(4 / 3 - 1)


def test_crps_does_not_depend_on_the_number_of_draws() -> None:
    generator = np.random.default_rng(0)
    truth = generator.normal(size=20_000)
    # Of a standard normal number by standard normal draws: 1 / sqrt(pi).
    for count in (2, 20):
        assert crps(truth, generator.normal(size=(20_000, count))) == pytest.approx(np.pi**-0.5, abs=0.02)


def test_share_between_base_and_best_rival() -> None:
    assert share(0.5, 0.5, 0.9) == 0
    assert share(0.7, 0.5, 0.9) == pytest.approx(0.5)
    assert share(0.9, 0.5, 0.9) == pytest.approx(1.0)


def test_share_is_cut_at_both_ends() -> None:
    assert share(0.99, 0.5, 0.6) == 1
    assert share(-30.0, 0.0, 0.5) == -1


@pytest.mark.parametrize("best", [0.5, 0.505])
def test_share_where_no_rival_beats_the_base(best: float) -> None:
    assert share(0.5, 0.5, best) == 1
    assert share(0.495, 0.5, best) == 1
    assert share(0.9, 0.5, best) == 1
    assert share(0.4, 0.5, best) == pytest.approx(-0.1)
    assert share(-7.0, 0.5, best) == -1


def test_as_good_is_within_a_hundredth() -> None:
    assert as_good(0.89, 0.90)
    assert as_good(0.95, 0.90)
    assert not as_good(0.889, 0.90)


def test_a_mean_of_few_draws_is_corrected_for_their_number() -> None:
    generator = np.random.default_rng(0)
    raised = generator.normal(size=20_000)
    truth = raised + generator.normal(size=20_000)
    scores = {
        count: number_scores(truth, raised[:, None] + generator.normal(size=(20_000, count)))
        for count in (4, 40)
    }
    # Half of the variance is told, and a fourth of the other half is added by four draws.
    assert scores[4]["score"] == pytest.approx(0.375, abs=0.02)
    for count in scores:
        assert scores[count]["score, infinite draws"] == pytest.approx(0.5, abs=0.02)
        assert scores[count]["coverage"] == pytest.approx(0.8, abs=0.02)
