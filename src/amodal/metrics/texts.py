"""How far generated texts are from real ones, by their words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.stats import wasserstein_distance

from amodal.metrics.estimate import LeftOut, Score, need_rows
from amodal.metrics.sampling import MOST_ROWS, subsample
from amodal.modalities.tokenization import tokenize_all

_LEAST = 10


def length_distance(real: Sequence[str], generated: Sequence[str], *, seed: int = 0) -> Score:
    """How many words longer or shorter texts are, over the mean length of real ones: their 1-Wasserstein distance.

    Source: as `number_distance`, of word counts.

    Raises:
        LeftOut: fewer than 10 texts, or the real ones have no words.
    """
    one, other, cut = _words(real, generated, seed)
    lengths = [[len(words) for words in texts] for texts in (one, other)]
    mean = float(np.mean(lengths[0]))
    if mean == 0:
        raise LeftOut("the real texts have no words")
    return Score(float(wasserstein_distance(*lengths)) / mean, min(len(one), len(other)), subsampled=cut)


def ngram_overlap(real: Sequence[str], generated: Sequence[str], *, n: int = 2, seed: int = 0) -> Score:
    """What share of their runs of n words texts have in common, 0 to 1, as often as each stands in them.

    The start and the end of a text are taken as words, so that a text of one word has two runs of two.

    Source: histogram intersection (Swain & Ballard, "Color indexing", IJCV 1991) of the n-grams that BLEU counts
    (Papineni et al., ACL 2002).

    Raises:
        LeftOut: fewer than 10 texts, or none that has n words.

    Example:
        >>> ngram_overlap(["a red hen"] * 10, ["a red cow"] * 10).value
        0.5
    """
    one, other, cut = _words(real, generated, seed)
    counts = [_ngrams(texts, n) for texts in (one, other)]
    totals = [sum(each.values()) for each in counts]
    if not all(totals):
        raise LeftOut(f"there is no run of {n} words in the {'generated' if totals[0] else 'real'} texts")
    common = sum(min(count / totals[0], counts[1][run] / totals[1]) for run, count in counts[0].items())
    return Score(common, min(len(one), len(other)), subsampled=cut)


def _words(
    real: Sequence[str], generated: Sequence[str], seed: int
) -> tuple[list[list[str]], list[list[str]], bool]:
    need_rows(len(real), _LEAST, "real texts")
    need_rows(len(generated), _LEAST, "generated texts")
    one, other = (
        tokenize_all(texts[row] for row in subsample(len(texts), seed)) for texts in (real, generated)
    )
    return one, other, max(len(real), len(generated)) > MOST_ROWS


def _ngrams(texts: list[list[str]], n: int) -> Counter[tuple[str, ...]]:
    edged = [["<", *words, ">"] if n > 1 else words for words in texts]
    return Counter(tuple(words[at : at + n]) for words in edged for at in range(len(words) - n + 1))
