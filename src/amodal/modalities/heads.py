"""Heads: networks from a context or latent (B, C) to the distribution of B cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal
from torch.nn import functional
from torch.nn.functional import cross_entropy

from amodal.distributions import BagOfWords, Binned, IsotropicNormal, TokenSequence, bins_of
from amodal.nn import Dense, LearnedScale, TokenDecoder

_HIDDEN = 128
_WITHIN = 64
_LEAST_SCORE = 1e-3
_MAX_QUANTILE = 3.0
_PRIOR_CELLS = 20.0
_MAX_LOG_SHARPNESS = 0.7
_SMOOTH = 8
"""Cosines of the rank by which a number's distribution is tilted."""


class SoftmaxHead(nn.Module):
    """A softmax over K outcomes of a cell, begun at their frequencies.

    logits = log_prior + sharpness * (network(context) + tilt), where a linear prediction of the cell, if there is one,
    tilts the softmax by a weighted sum of two functions of it.

    Args:
        context: C.
        network: contexts (B, C) to (B, K or more).
        outcomes: K.
        num_outputs: of the linear prediction.

    Attributes:
        log_prior: (K,), log frequencies of the outcomes.
        sharpness: above 1 the predictions are sharper than trained, below nearer to the frequencies; see `calibrate`.
    """

    log_prior: Tensor
    sharpness: Tensor

    def __init__(self, outcomes: int, num_outputs: int) -> None:
        super().__init__()
        self.num_outputs = num_outputs
        self.tilt_weights = nn.Parameter(torch.zeros(2))
        self.register_buffer("log_prior", torch.zeros(outcomes))
        self.register_buffer("sharpness", torch.ones(()))

    def outcome(self, cells: Tensor) -> Tensor:
        """Numbers (B,) of the outcomes that cells (B,) are."""
        raise NotImplementedError

    def linear_targets(self, cells: Tensor) -> Tensor:
        """What a linear model predicts of cells (B,), (B, num_outputs)."""
        raise NotImplementedError

    def tilts(self, scores: Tensor) -> Tensor:
        """Two functions of linear predictions (B, num_outputs), as logits (2, B, K)."""
        raise NotImplementedError

    def logits(self, tilt: Tensor, scores: Tensor | None, usable: Tensor | None) -> Tensor:
        """Logits (B, K).

        Args:
            tilt: of the network, (B, K).
            scores: linear predictions (B, num_outputs).
            usable: rows (B,) where they count.
        """
        if scores is not None and usable is not None:
            tilt = tilt + torch.where(usable[:, None], self.linear_tilt(scores), 0.0)
        return self.log_prior + self.sharpness * tilt

    def linear_tilt(self, scores: Tensor) -> Tensor:
        """Logits (B, K) that linear predictions (B, num_outputs) add."""
        return (self.tilt_weights[:, None, None] * self.tilts(scores)).sum(0)

    def layers(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Weight and bias of the network's hidden layer, (H, C) and (H,), and of its tilts, (K, H) and (K,)."""
        first, _, last = self.network
        return (first.weight, first.bias), (last.weight, last.bias)

    @torch.no_grad()
    def fit_marginal(self, cells: Tensor) -> float:
        """Begin at the outcomes' frequencies among cells (N,), each counted half a time more.

        Returns:
            Their entropy in nats.
        """
        counts = torch.bincount(self.outcome(cells).long(), minlength=len(self.log_prior)) + 0.5
        probs = counts / counts.sum()
        self.log_prior.copy_(probs.log())
        return float(-(probs * probs.log()).sum())

    def fit_tilt(self, cells: Tensor, scores: Tensor) -> None:
        """Weigh the tilts by maximum likelihood of cells (N,) given linear predictions made without them."""
        tilts, outcomes = self.tilts(scores), self.outcome(cells).long()

        def loss(weights: Tensor) -> Tensor:
            return cross_entropy(self.log_prior + (weights[:, None, None] * tilts).sum(0), outcomes)

        self.tilt_weights.data.copy_(_minimum(loss, torch.zeros(2, device=scores.device)))

    def calibrate(self, logits: Tensor, cells: Tensor) -> None:
        """Set `sharpness` by the likelihood of held-out cells (N,), given logits (N, K) of sharpness 1.

        The less cells there are, the nearer it stays to 1.
        """
        outcomes, tilt = self.outcome(cells).long(), logits - self.log_prior

        def loss(log_sharpness: Tensor) -> Tensor:
            scored = cross_entropy(self.log_prior + log_sharpness.exp() * tilt, outcomes, reduction="sum")
            return scored + _PRIOR_CELLS * log_sharpness.square().sum()

        found = _minimum(loss, torch.zeros(1, device=tilt.device))
        self.sharpness.copy_(found[0].clamp(-_MAX_LOG_SHARPNESS, _MAX_LOG_SHARPNESS).exp())


class CategoricalHead(SoftmaxHead):
    """A softmax over labels; cells are integer (B,).

    Args:
        context: C.
        labels: number of labels.
    """

    def __init__(self, context: int, labels: int) -> None:
        super().__init__(labels, labels)
        self.network = _zero_output(Dense(context, _HIDDEN, labels))

    def forward(
        self, context: Tensor, scores: Tensor | None = None, usable: Tensor | None = None
    ) -> Categorical:
        return Categorical(logits=self.logits(self.network(context), scores, usable), validate_args=False)

    def outcome(self, cells: Tensor) -> Tensor:
        return cells

    def linear_targets(self, cells: Tensor) -> Tensor:
        return functional.one_hot(cells.long(), self.num_outputs).float()

    def tilts(self, scores: Tensor) -> Tensor:
        probs = self.log_prior.exp()
        ratio = (scores.clamp_min(_LEAST_SCORE) / probs.clamp_min(_LEAST_SCORE)).log()
        return torch.stack([scores - probs, ratio])


class NormalHead(nn.Module):
    """A normal number whose scale is learned and the same for all contexts; cells are (B,).

    Args:
        context: C.
    """

    def __init__(self, context: int) -> None:
        super().__init__()
        self.network = Dense(context, _HIDDEN, 1)
        self.scale = LearnedScale(start=1.0, floor=0.1)

    def forward(self, context: Tensor) -> Normal:
        mean = self.network(context)[:, 0]
        return Normal(mean, self.scale().expand_as(mean), validate_args=False)


class BinnedHead(SoftmaxHead):
    """A softmax over bins of a number's rank, then over cells within the bin; cells are normal quantiles (B,).

    The bins are tilted by smooth functions of the rank and by one number a bin. Which cell it is within the bin is read
    off the context without a gradient to it, so that a number that another column determines exactly takes no more of
    that column's encoder than a label does.

    Args:
        context: C.
        lower: least rank of each of K bins.
        upper: greatest rank of each bin.
        cells: of equal width in a bin.
    """

    lower: Tensor
    upper: Tensor
    basis: Tensor
    middle: Tensor

    def __init__(
        self, context: int, lower: Sequence[float], upper: Sequence[float], cells: int = 16
    ) -> None:
        bins = len(lower)
        super().__init__(bins, 1)
        self.network = _zero_output(Dense(context, _HIDDEN, _SMOOTH + bins))
        self.within = nn.Linear(context, _WITHIN)
        self.bin_embedding = nn.Embedding(bins, _WITHIN)
        self.cells = _zero_output(nn.Sequential(nn.GELU(), nn.Linear(_WITHIN, cells)))
        self.register_buffer("lower", torch.tensor(lower), persistent=False)
        self.register_buffer("upper", torch.tensor(upper), persistent=False)
        ranks = (self.lower + self.upper) / 2
        waves = torch.cos(math.pi * ranks * torch.arange(1, _SMOOTH + 1)[:, None])
        self.register_buffer("basis", waves, persistent=False)
        self.register_buffer("middle", torch.special.ndtri(ranks.clamp(1e-3, 1 - 1e-3)), persistent=False)

    def forward(self, context: Tensor, scores: Tensor | None = None, usable: Tensor | None = None) -> Binned:
        smooth, single = self.network(context).split([_SMOOTH, len(self.lower)], dim=1)
        return self._binned(context, self.logits(smooth @ self.basis + single, scores, usable))

    def _binned(self, context: Tensor, logits: Tensor) -> Binned:
        projected = self.within(context.detach())

        def cell_logits(bins: Tensor) -> Tensor:
            cells: Tensor = self.cells(projected + self.bin_embedding(bins))
            return cells

        return Binned(logits, self.lower, self.upper, cell_logits)

    def layers(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        first, (weight, bias) = super().layers()
        smooth, single = weight[:_SMOOTH], weight[_SMOOTH:]
        return first, (self.basis.T @ smooth + single, bias[:_SMOOTH] @ self.basis + bias[_SMOOTH:])

    def within_log_prob(self, context: Tensor, cells: Tensor) -> Tensor:
        """Log p(cell | bin) of numbers (B,), given contexts (B, C)."""
        return self._binned(context, context.new_zeros(len(context), 1)).within_log_prob(cells)

    def outcome(self, cells: Tensor) -> Tensor:
        return bins_of(torch.special.ndtr(cells), self.upper)

    def linear_targets(self, cells: Tensor) -> Tensor:
        return cells.clamp(-_MAX_QUANTILE, _MAX_QUANTILE)[:, None]

    def tilts(self, scores: Tensor) -> Tensor:
        """The logarithms of a normal and of a Laplace distribution around the prediction, over those around 0."""
        distance, from_zero = self.middle - scores, self.middle.expand(len(scores), -1)
        return torch.stack(
            [(from_zero.square() - distance.square()) / 2, from_zero.abs() - distance.abs()]
        )


def _zero_output(network: nn.Sequential) -> nn.Sequential:
    """Set the last linear layer to zero, so that training starts from the column's own distribution."""
    last = network[-1]
    if isinstance(last, nn.Linear):
        nn.init.zeros_(last.weight)
        nn.init.zeros_(last.bias)
    return network


def _minimum(loss: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    """The minimum of a smooth function of few numbers."""
    point = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([point], max_iter=50, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = loss(point)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    with torch.enable_grad():
        optimizer.step(closure)  # type: ignore[no-untyped-call]
    return point.detach()


class IsotropicNormalHead(nn.Module):
    """Independent normal numbers around a network's output, all of one learned scale; cells are (B, ...).

    Args:
        network: contexts (B, C) to means (B, ...).
        scale: of the noise, before training.
        floor: the smallest scale.
    """

    def __init__(self, network: nn.Module, scale: float, floor: float) -> None:
        super().__init__()
        self.network = network
        self.scale = LearnedScale(start=scale, floor=floor)

    def forward(self, context: Tensor) -> IsotropicNormal:
        return IsotropicNormal(self.network(context), self.scale())


class BagOfWordsHead(nn.Module):
    """A number of words, and which they are; cells are counts (B, V).

    Args:
        context: C.
        max_words: the largest number of words.
        words: V.
    """

    def __init__(self, context: int, max_words: int, words: int) -> None:
        super().__init__()
        self.max_words = max_words
        self.network = Dense(context, _HIDDEN, max_words + words)

    def forward(self, context: Tensor) -> BagOfWords:
        logits = self.network(context)
        return BagOfWords(logits[:, : self.max_words], logits[:, self.max_words :])


class TokenHead(nn.Module):
    """An autoregressive sequence of tokens; cells are integer (B, length).

    Args:
        context: C.
        tokens: size of the vocabulary, the end and the unknown token included.
        length: most tokens of a sequence.
    """

    def __init__(self, context: int, tokens: int, length: int) -> None:
        super().__init__()
        self.network = TokenDecoder(context, tokens)
        self.length = length

    def forward(self, context: Tensor) -> TokenSequence:
        return TokenSequence(self.network, context, self.length)

    @torch.no_grad()
    def fit_marginal(self, cells: Tensor) -> float:
        """Entropy in nats of a text of independent tokens, as frequent as in cells (N, length)."""
        tokens = cells.long().flatten()
        counts = torch.bincount(tokens[tokens > 0]).float()
        probs = counts[counts > 0] / counts.sum()
        return float(-(probs * probs.log()).sum() * counts.sum() / len(cells))
