"""The recommendation in words."""

from __future__ import annotations

from collections.abc import Sequence

from amodal.comparison.leaderboard import SCORES, MethodResult, intervals_overlap, rank
from amodal.report.page.formatting import joined, percent

_MAX_NAMES = 3


def advice(results: Sequence[MethodResult], target: str | None = None) -> list[str]:
    """Sentences that recommend a method and give reasons, the most important first; method names in backticks.

    Methods whose 95 % intervals overlap count as equally good.

    Args:
        results: all methods.
        target: name of the target column.
    """
    finished = [result for result in results if not result.outcome.failure]
    sentences = _recommendation(finished)
    if len(finished) > 1:
        sentences += _strengths(finished, target)
    sentences += [
        f"`{result.method}` failed: {result.outcome.failure}" for result in results if result.outcome.failure
    ]
    return sentences


def _recommendation(finished: Sequence[MethodResult]) -> list[str]:
    if not finished:
        return ["No method finished, so that there is nothing to recommend."]
    ranking = rank(finished, "overall")
    if not ranking:
        return ["No score could be had, most often because rows are too few; each method's report says why."]
    best = ranking[0]
    if len(finished) == 1:
        return [f"Only `{best.method}` finished: there is nothing to compare it with."]
    sentence = f"Take `{best.method}`: its overall score is the best, {_format(best, 'overall')}."
    if ties := _ties(ranking, "overall"):
        verb = "is" if len(ties) == 1 else "are"
        sentence += f" {_names(ties, 'overall')} {verb} as good within the intervals{_smallest(best, ties)}."
    return [sentence]


def _smallest(best: MethodResult, ties: Sequence[MethodResult]) -> str:
    """A clause that names the smallest tied method where it has at most half the weights of the best."""
    small = min(ties, key=lambda result: result.costs["parameters"])
    ratio = best.costs["parameters"] / small.costs["parameters"]
    return f", and `{small.method}` has {ratio:.0f} times fewer weights" if ratio >= 2 else ""


def _strengths(finished: Sequence[MethodResult], target: str | None) -> list[str]:
    """One sentence for each method that is best in some score, and one for the scores in which all are tied."""
    strengths: dict[str, list[str]] = {}
    undecided = []
    for score, label in SCORES.items():
        ranking = rank(finished, score)
        if score == "overall" or len(ranking) < 2:
            continue
        name = f"prediction of {target}" if score == "target" else label
        best, ties = ranking[0], _ties(ranking, score)
        if len(ties) == len(ranking) - 1:
            undecided.append(name)
            continue
        within = f"; within the intervals also {_names(ties, score)}" if ties else ""
        strengths.setdefault(best.method, []).append(f"best {name} ({_format(best, score)}{within})")
    sentences = [f"`{method}`: {', '.join(reasons)}." for method, reasons in strengths.items()]
    if undecided:
        sentences.append(
            f"In {joined(undecided)} the intervals of all overlap: no method is better for certain."
        )
    return sentences


def _ties(ranking: Sequence[MethodResult], score: str) -> list[MethodResult]:
    best, *others = ranking
    return [other for other in others if intervals_overlap(best.scores[score], other.scores[score])]


def _format(result: MethodResult, score: str) -> str:
    value = result.scores[score].value
    return f"{value:.2f}" if score == "target" else percent(value)


def _names(results: Sequence[MethodResult], score: str) -> str:
    names = [f"`{result.method}` ({_format(result, score)})" for result in results[:_MAX_NAMES]]
    if len(results) > _MAX_NAMES:
        names.append(f"{len(results) - _MAX_NAMES} more")
    return joined(names)
