from __future__ import annotations

from amodal.comparison.advice import advice
from amodal.comparison.leaderboard import leaderboard
from tests.comparison.results import failed, finished

BEST = {"overall": (0.68, 0.7, 0.72), "completion": (0.1, 0.2, 0.3)}


def test_the_best_is_told_with_reasons() -> None:
    other = finished("mmvae", overall=(0.3, 0.35, 0.4), completion=(0.5, 0.6, 0.7))
    assert advice([finished("mvtcae", **BEST), other]) == [
        "Take `mvtcae`: its overall score is the best, 70 %.",
        "`mmvae`: best completion (60 %).",
    ]


def test_differences_within_the_intervals_are_none() -> None:
    near = finished("mmvae", parameters=100, overall=(0.6, 0.65, 0.69), completion=(0.2, 0.25, 0.4))
    far = finished("mvae", overall=(0.1, 0.2, 0.3))
    said = advice([far, near, finished("mvtcae", **BEST)])
    assert said == [
        "Take `mvtcae`: its overall score is the best, 70 %. `mmvae` (65 %) is as good within the intervals, "
        "and `mmvae` has 10 times fewer weights.",
        "In completion the intervals of all overlap: no method is better for certain.",
    ]


def test_some_are_within_the_intervals_and_some_are_not() -> None:
    results = [
        finished("mvtcae", target=(0.5, 0.6, 0.7)),
        finished("mvae", target=(0.4, 0.55, 0.65)),
        finished("mopoe", target=(0.1, 0.2, 0.3)),
    ]
    assert advice(results, "digit")[1:] == [
        "`mvtcae`: best prediction of digit (0.60; within the intervals also `mvae` (0.55))."
    ]


def test_there_may_be_nothing_to_recommend() -> None:
    assert advice([failed("mvtcae")]) == [
        "No method finished, so that there is nothing to recommend.",
        "`mvtcae` failed: memory ran out",
    ]
    assert "No score could be had" in advice([finished("mvtcae"), finished("mvae")])[0]
    assert "Only `mvtcae` finished" in advice([failed("mvae"), finished("mvtcae", **BEST)])[0]


def test_failures_and_scores_that_are_missing_are_empty_cells() -> None:
    frame = leaderboard(
        [failed("mvae"), finished("mmvm"), finished("mvtcae", **BEST), finished("mopoe", overall=(0, 0.9, 1))]
    )
    assert frame["method"].tolist() == ["mopoe", "mvtcae", "mmvm", "mvae"]
    assert "target" not in frame
    assert frame.loc[1, ["overall_low", "overall", "overall_high"]].tolist() == [0.68, 0.7, 0.72]
    assert frame.loc[3, "failure"] == "memory ran out"
    assert frame["failure"].isna().tolist() == [True, True, True, False]
    assert frame.loc[3].drop(["method", "failure"]).isna().all()
    assert frame["memory_mb"].tolist()[:3] == [500, 500, 500]
