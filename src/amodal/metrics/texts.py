"""Distances of completed and generated texts from real ones, by their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import wasserstein_distance

from amodal.metrics.estimate import Estimate, MetricUnavailable, need_both
from amodal.metrics.sampling import MOST_ROWS, subsample
from amodal.modalities.tokenization import tokenize_all

_LEAST = 10


def token_f1(truth: Sequence[str], completed: Sequence[str]) -> NDArray[np.float64]:
    """Harmonic mean of precision and recall of each text's words, whatever their order: (N,), 0 to 1.

    Source: Rajpurkar et al., "SQuAD: 100,000+ questions for machine comprehension of text", EMNLP 2016.

    Example:
        >>> token_f1(["a red hen", ""], ["the red hen sits", ""]).round(2).tolist()
        [0.57, 1.0]
    """
    pairs = zip(tokenize_all(truth), tokenize_all(completed), strict=True)
    return np.array([_f1(Counter(one), Counter(other)) for one, other in pairs])


def length_distance(real: Sequence[str], generated: Sequence[str], *, seed: int = 0) -> Estimate:
    """1-Wasserstein distance of the numbers of words, over their mean in real texts.

    Source: as `normalized_wasserstein`, of word counts.

    Raises:
        MetricUnavailable: fewer than 10 texts, or the real ones have no words.
    """
    one, other, subsampled = _words(real, generated, seed)
    lengths = [[len(words) for words in texts] for texts in (one, other)]
    mean = float(np.mean(lengths[0]))
    if mean == 0:
        raise MetricUnavailable("the real texts have no words")
    distance = float(wasserstein_distance(*lengths)) / mean
    return Estimate(distance, min(len(one), len(other)), subsampled=subsampled)


def ngram_overlap(real: Sequence[str], generated: Sequence[str], *, n: int = 2, seed: int = 0) -> Estimate:
    """Share of their runs of n words that texts have in common, 0 to 1, counted as often as each occurs.

    The start and the end of a text count as words, so that a text of one word has two runs of two.

    Source: histogram intersection (Swain & Ballard, "Color indexing", IJCV 1991) of the n-grams that BLEU counts
    (Papineni et al., ACL 2002).

    Raises:
        MetricUnavailable: fewer than 10 texts, or none that has n words.

    Example:
        >>> ngram_overlap(["a red hen"] * 10, ["a red cow"] * 10).value
        0.5
    """
    one, other, subsampled = _words(real, generated, seed)
    counts = [_ngrams(texts, n) for texts in (one, other)]
    totals = [each.total() for each in counts]
    if not all(totals):
        raise MetricUnavailable(
            f"there is no run of {n} words in the {'generated' if totals[0] else 'real'} texts"
        )
    common = sum(min(count / totals[0], counts[1][run] / totals[1]) for run, count in counts[0].items())
    return Estimate(common, min(len(one), len(other)), subsampled=subsampled)


def _f1(one: Counter[str], other: Counter[str]) -> float:
    total = one.total() + other.total()
    return 2 * (one & other).total() / total if total else 1.0


def _words(
    real: Sequence[str], generated: Sequence[str], seed: int
) -> tuple[list[list[str]], list[list[str]], bool]:
    need_both(real, generated, _LEAST, "texts")
    one, other = (
        tokenize_all(texts[row] for row in subsample(len(texts), seed)) for texts in (real, generated)
    )
    return one, other, max(len(real), len(generated)) > MOST_ROWS


def _ngrams(texts: list[list[str]], n: int) -> Counter[tuple[str, ...]]:
    padded = [["<", *words, ">"] if n > 1 else words for words in texts]
    return Counter(tuple(words[at : at + n]) for words in padded for at in range(len(words) - n + 1))
