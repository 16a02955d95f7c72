"""Which method to take, in words."""

from __future__ import annotations

from collections.abc import Sequence

from amodal.comparison.leaderboard import SCORES, Standing, ranked, tied
from amodal.report.page.formatting import joined, percent

_MANY = 3


def advice(standings: Sequence[Standing], target: str | None = None) -> list[str]:
    """A recommendation with its reasons, the most important first; methods' names stand between backticks.

    A difference within the 95 % intervals is said to be none.

    Args:
        standings: all methods.
        target: what the target is called, if there is one.
    """
    finished = [each for each in standings if not each.outcome.failure]
    sentences = _pick(finished)
    if len(finished) > 1:
        sentences += _reasons(finished, target)
    sentences += [
        f"`{each.method}` failed: {each.outcome.failure}" for each in standings if each.outcome.failure
    ]
    return sentences


def _pick(finished: Sequence[Standing]) -> list[str]:
    if not finished:
        return ["No method finished, so that there is nothing to recommend."]
    order = ranked(finished, "overall")
    if not order:
        return ["No score could be had, most often because rows are too few; each method's report says why."]
    best = order[0]
    if len(finished) == 1:
        return [f"Only `{best.method}` finished: there is nothing to compare it with."]
    said = f"Take `{best.method}`: its overall score is the best, {_said(best, 'overall')}."
    equal = [each for each in order[1:] if tied(best.scores["overall"], each.scores["overall"])]
    if equal:
        are = "is" if len(equal) == 1 else "are"
        said += f" {_names(equal, 'overall')} {are} as good within the intervals{_cheaper(best, equal)}."
    return [said]


def _cheaper(best: Standing, equal: Sequence[Standing]) -> str:
    """What speaks for one that is as good."""
    small = min(equal, key=lambda each: each.costs["parameters"])
    if small.costs["parameters"] * 2 > best.costs["parameters"]:
        return ""
    times = best.costs["parameters"] / small.costs["parameters"]
    return f", and `{small.method}` has {times:.0f} times fewer weights"


def _reasons(finished: Sequence[Standing], target: str | None) -> list[str]:
    """What each method is best at, and at what none is better than another for certain."""
    best: dict[str, list[str]] = {}
    alike = []
    for score, words in SCORES.items():
        order = ranked(finished, score)
        if score == "overall" or len(order) < 2:
            continue
        called = f"prediction of {target}" if score == "target" else words
        first, rest = order[0], order[1:]
        equal = [each for each in rest if tied(first.scores[score], each.scores[score])]
        if len(equal) == len(rest):
            alike.append(called)
            continue
        within = f"; within the intervals also {_names(equal, score)}" if equal else ""
        best.setdefault(first.method, []).append(f"best {called} ({_said(first, score)}{within})")
    sentences = [f"`{method}`: {', '.join(reasons)}." for method, reasons in best.items()]
    if alike:
        sentences.append(f"In {joined(alike)} the intervals of all overlap: no method is better for certain.")
    return sentences


def _said(each: Standing, score: str) -> str:
    value = each.scores[score].value
    return f"{value:.2f}" if score == "target" else percent(value)


def _names(standings: Sequence[Standing], score: str) -> str:
    names = [f"`{each.method}` ({_said(each, score)})" for each in standings[:_MANY]]
    if len(standings) > _MANY:
        names.append(f"{len(standings) - _MANY} more")
    return joined(names)
