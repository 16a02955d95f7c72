"""Heads: networks from a context or latent (B, C) to the distribution of B cells."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol, cast, runtime_checkable

import torch
from torch import Tensor, nn
from torch.distributions import Categorical, Normal
from torch.nn import functional
from torch.nn.functional import cross_entropy

from amodal.distributions import BagOfWords, Binned, IsotropicNormal, LabelSet, TokenSequence, bins_of
from amodal.nn import Dense, LearnedScale, TokenDecoder

_HIDDEN = 128
_WITHIN = 64
_LEAST_SCORE = 1e-3
_MAX_QUANTILE = 3.0
_PRIOR_CELLS = 40.0
_PRIOR_CELLS_OF_DIRECTION = 5.0
_MAX_DIRECTIONS = 64
_MAX_OUTCOMES = 256
"""Labels above which no directions are calibrated."""
_CELLS_TO_HALVE = 250.0
"""Training cells with which a network's usual sharpness is a half."""
_MAX_SCORE = 6.0
_MAX_LOG_SHARPNESS = 1.5
_LEAST_STEP = 1e-9
_SMOOTH = 8
"""Cosines of the rank by which a number's distribution is tilted."""


@runtime_checkable
class MarginalHead(Protocol):
    """A head that can begin at its column's own distribution."""

    def fit_marginal(self, cells: Tensor) -> float:
        """Begin at the distribution of cells (N, ...); returns its entropy in nats."""
        ...


class SoftmaxHead(nn.Module):
    """A softmax over K outcomes of a cell, begun at their frequencies.

    logits = log_prior + sharpness * (network(context) + tilt), where a linear prediction of the cell, if there is one,
    tilts the softmax by a weighted sum of functions of it.

    Args:
        outcomes: K.
        num_outputs: of the linear prediction.
        num_tilts: functions of it.

    Attributes:
        log_prior: (K,), log frequencies of the outcomes.
        sharpness: above 1 predictions are sharper than in training, below 1 nearer to the frequencies.
        usual_sharpness: of the network's part with so many training cells, nearer to 0 the fewer they are.
    """

    log_prior: Tensor
    sharpness: Tensor

    def __init__(self, outcomes: int, num_outputs: int, num_tilts: int) -> None:
        super().__init__()
        self.num_outputs = num_outputs
        self.usual_sharpness = 1.0
        self.tilt_weights = nn.Parameter(torch.zeros(num_tilts))
        self.register_buffer("log_prior", torch.zeros(outcomes))
        self.register_buffer("sharpness", torch.ones(()))

    def outcome(self, cells: Tensor) -> Tensor:
        """Numbers (B,) of the outcomes that cells (B,) are."""
        raise NotImplementedError

    def linear_targets(self, cells: Tensor) -> Tensor:
        """Targets (B, num_outputs) of a linear regression of cells (B,)."""
        raise NotImplementedError

    def tilts(self, scores: Tensor) -> Tensor:
        """Functions of linear predictions (B, num_outputs), as logits (num_tilts, B, K)."""
        raise NotImplementedError

    def logits(self, context: Tensor, scores: Tensor | None, usable: Tensor | None) -> Tensor:
        """Logits (B, K).

        Args:
            context: (B, C).
            scores: linear predictions (B, num_outputs).
            usable: rows (B,) where they count.
        """
        tilt = functional.linear(self.hidden(context, scores, usable), *self.layers()[1])
        if scores is not None and usable is not None:
            tilt = tilt + torch.where(usable[:, None], self.linear_tilt(scores), 0.0)
        return self.log_prior + self.sharpness * tilt

    def linear_tilt(self, scores: Tensor) -> Tensor:
        """Logits (B, K) that linear predictions (B, num_outputs) add."""
        return (self.tilt_weights[:, None, None] * self.tilts(scores)).sum(0)

    def layers(self) -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
        """Weight and bias of the network's hidden layer, (H, C) and (H,), and of its tilts, (K, H) and (K,)."""
        first, _, last = cast(
            "tuple[nn.Linear, nn.GELU, nn.Linear]", tuple(cast(nn.Sequential, self.network))
        )
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
        self.usual_sharpness = max(1, len(cells) ** 2) / (len(cells) ** 2 + _CELLS_TO_HALVE**2)
        return float(-(probs * probs.log()).sum())

    def read_scores(self, scores: Tensor) -> Tensor | None:
        """Addition of linear predictions (B, num_outputs) to the network's hidden layer, (B, H); None for none."""
        return None

    def hidden(self, context: Tensor, scores: Tensor | None, usable: Tensor | None) -> Tensor:
        """The network's hidden layer, (B, H)."""
        (weight, bias), _ = self.layers()
        hidden = functional.linear(context, weight, bias)
        if scores is not None and usable is not None and (added := self.read_scores(scores)) is not None:
            hidden = hidden + torch.where(usable[:, None], added, 0.0)
        return functional.gelu(hidden)

    def fit_tilt(self, cells: Tensor, scores: Tensor) -> None:
        """Weigh the tilts by maximum likelihood of cells (N,) given linear predictions made without them."""
        tilts, outcomes = self.tilts(scores), self.outcome(cells).long()

        def loss(weights: Tensor) -> Tensor:
            return cross_entropy(self.log_prior + (weights[:, None, None] * tilts).sum(0), outcomes)

        self.tilt_weights.data.copy_(_minimum(loss, torch.zeros_like(self.tilt_weights)))

    def calibrate(self, tilt: Tensor, linear: Tensor, cells: Tensor) -> None:
        """Set `sharpness`, and how much linear predictions count, by the likelihood of held-out cells.

        The fewer cells there are, the nearer both stay to what is usual for so many training cells: a network that
        has few overstates what it knows.

        Args:
            tilt: of the network, (N, K).
            linear: `linear_tilt` of the cells, (N, K).
            cells: (N,).
        """
        outcomes = self.outcome(cells).long()
        usual = torch.tensor([math.log(self.usual_sharpness), 0.0], device=tilt.device)

        def loss(logarithms: Tensor) -> Tensor:
            of_network, of_linear = logarithms.exp()
            logits = self.log_prior + of_network * tilt + of_linear * linear
            penalty = _PRIOR_CELLS * (logarithms - usual).square().sum()
            return cross_entropy(logits, outcomes, reduction="sum") + penalty

        found = _minimum(loss, usual).clamp(-_MAX_LOG_SHARPNESS, _MAX_LOG_SHARPNESS)
        self.sharpness.copy_(found[0].exp())
        self.tilt_weights.data.mul_((found[1] - found[0]).exp())
        self.calibrate_directions(found[0].exp() * tilt, self.log_prior + found[1].exp() * linear, outcomes)

    def calibrate_directions(self, tilt: Tensor, rest: Tensor, outcomes: Tensor) -> None:
        """Refine the sharpness by directions of the tilts; by default not.

        Args:
            tilt: calibrated, of the network, (N, K).
            rest: the other logits, (N, K).
            outcomes: (N,).
        """


class CategoricalHead(SoftmaxHead):
    """A softmax over labels; cells are integer (B,).

    Args:
        context: C.
        labels: number of labels.
    """

    def __init__(self, context: int, labels: int) -> None:
        super().__init__(labels, labels, 2)
        self.network = _zero_output(Dense(context, _HIDDEN, labels))

    def forward(
        self, context: Tensor, scores: Tensor | None = None, usable: Tensor | None = None
    ) -> Categorical:
        return Categorical(logits=self.logits(context, scores, usable), validate_args=False)

    def outcome(self, cells: Tensor) -> Tensor:
        return cells

    @torch.no_grad()
    def calibrate_directions(self, tilt: Tensor, rest: Tensor, outcomes: Tensor) -> None:
        """Multiply the tilts along each of their principal directions by a factor of its own, by likelihood.

        A label may be known in part, such as the word of a phrase but not its wording. One sharpness of both would
        leave the known part as uncertain as the other part is overstated.
        """
        if len(self.log_prior) > _MAX_OUTCOMES or not len(tilt):
            return
        directions = torch.linalg.svd(tilt, full_matrices=False)[2][:_MAX_DIRECTIONS]
        along = tilt @ directions.T

        def loss(logarithms: Tensor) -> Tensor:
            logits = rest + tilt + (along * logarithms.expm1()) @ directions
            penalty = _PRIOR_CELLS_OF_DIRECTION * logarithms.square().sum()
            return cross_entropy(logits, outcomes, reduction="sum") + penalty

        found = _minimum(loss, tilt.new_zeros(len(directions)))
        factors = found.clamp(-_MAX_LOG_SHARPNESS, _MAX_LOG_SHARPNESS).expm1()
        change = directions.T @ (factors[:, None] * directions)
        _, (weight, bias) = self.layers()
        weight.add_(change @ weight)
        bias.add_(change @ bias)

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
        quantiles: standardised numbers, ascending.
        ranks: of the quantiles, ascending from 0 to 1; evenly spaced by default.
        cells: of equal width in a bin.
    """

    lower: Tensor
    upper: Tensor
    basis: Tensor
    middle: Tensor
    values: Tensor
    ranks: Tensor

    def __init__(
        self,
        context: int,
        lower: Sequence[float],
        upper: Sequence[float],
        quantiles: Sequence[float],
        ranks: Sequence[float] | None = None,
        cells: int = 16,
    ) -> None:
        bins = len(lower)
        super().__init__(bins, 2, 4)
        self.network = _zero_output(Dense(context, _HIDDEN, _SMOOTH + bins))
        self.scores_proj = nn.Linear(3, _HIDDEN, bias=False)
        self.within = nn.Linear(context, _WITHIN)
        self.bin_embedding = nn.Embedding(bins, _WITHIN)
        self.cells = _zero_output(nn.Sequential(nn.GELU(), nn.Linear(_WITHIN, cells)))
        self.register_buffer("lower", torch.tensor(lower), persistent=False)
        self.register_buffer("upper", torch.tensor(upper), persistent=False)
        middle = (self.lower + self.upper) / 2
        waves = torch.cos(math.pi * middle * torch.arange(1, _SMOOTH + 1)[:, None])
        self.register_buffer("basis", waves, persistent=False)
        self.register_buffer("middle", torch.special.ndtri(middle.clamp(1e-3, 1 - 1e-3)), persistent=False)
        even = torch.linspace(0.0, 1.0, len(quantiles))
        self.register_buffer("values", torch.tensor(quantiles), persistent=False)
        self.register_buffer("ranks", even if ranks is None else torch.tensor(ranks), persistent=False)

    def forward(self, context: Tensor, scores: Tensor | None = None, usable: Tensor | None = None) -> Binned:
        return self._binned(context, self.logits(context, scores, usable))

    def read_scores(self, scores: Tensor) -> Tensor:
        known: Tensor = self.scores_proj(
            functional.pad(scores.clamp(-_MAX_SCORE, _MAX_SCORE), (0, 1), value=1.0)
        )
        return known

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
        """The quantile, and the number itself, standardised."""
        quantiles = cells.clamp(-_MAX_QUANTILE, _MAX_QUANTILE)
        return torch.stack([quantiles, self._values_at(torch.special.ndtr(cells))], dim=1)

    def _values_at(self, ranks: Tensor) -> Tensor:
        """Standardised numbers (B,) of ranks (B,)."""
        ranks = ranks.clamp(0.0, 1.0).contiguous()
        above = torch.searchsorted(self.ranks, ranks).clamp_max(len(self.ranks) - 1)
        below = (above - 1).clamp_min(0)
        low, high = self.ranks[below], self.ranks[above]
        share = ((ranks - low) / (high - low).clamp_min(_LEAST_STEP)).clamp(0.0, 1.0)
        return torch.lerp(self.values[below], self.values[above], share)

    def tilts(self, scores: Tensor) -> Tensor:
        """The logarithms of normal and Laplace distributions around the two predictions, over those around 0."""
        known = torch.stack([self.middle, self._values_at((self.lower + self.upper) / 2)])
        distance, from_zero = known - scores[:, :, None], known.expand(len(scores), -1, -1)
        normal = (from_zero.square() - distance.square()) / 2
        laplace = from_zero.abs() - distance.abs()
        return torch.cat([normal, laplace], dim=1).transpose(0, 1)


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
        value.backward()
        return value

    with torch.enable_grad():
        optimizer.step(closure)
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


class TagHead(nn.Module):
    """A set of labels, begun at their frequencies; cells are zeros and ones (B, K).

    Args:
        context: C.
        labels: K.
        has_empty: a set may be empty.
    """

    log_odds: Tensor

    def __init__(self, context: int, labels: int, *, has_empty: bool = True) -> None:
        super().__init__()
        self.has_empty = has_empty
        self.network = _zero_output(Dense(context, _HIDDEN, labels))
        self.register_buffer("log_odds", torch.zeros(labels))

    def forward(self, context: Tensor) -> LabelSet:
        return LabelSet(self.log_odds + self.network(context), has_empty=self.has_empty)

    @torch.no_grad()
    def fit_marginal(self, cells: Tensor) -> float:
        """Begin at the labels' frequencies among cells (N, K); returns the sum of their entropies in nats."""
        probs = (cells.float().sum(0) + 0.5) / (len(cells) + 1.0)
        self.log_odds.copy_(probs.logit())
        return float(-(probs * probs.log() + (1.0 - probs) * (-probs).log1p()).sum())


class TokenHead(nn.Module):
    """An autoregressive sequence of tokens; cells are integer (B, length).

    Args:
        context: C.
        tokens: size of the vocabulary, the end and the unknown token included.
        length: most tokens of a sequence.
        channels: size of a token's embedding.
        dropout: see `TokenDecoder`.
    """

    def __init__(
        self, context: int, tokens: int, length: int, *, channels: int = 96, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.network = TokenDecoder(context, tokens, channels, dropout)
        self.length = length

    def forward(self, context: Tensor) -> TokenSequence:
        return TokenSequence(self.network, context, self.length)

    @torch.no_grad()
    def fit_marginal(self, cells: Tensor) -> float:
        """Entropy in nats of a text of independent tokens, as frequent as in cells (N, length)."""
        if not len(cells):
            return 0.0
        tokens = cells.long().flatten()
        counts = torch.bincount(tokens[tokens > 0]).float()
        probs = counts[counts > 0] / counts.sum()
        return float(-(probs * probs.log()).sum() * counts.sum() / len(cells))
