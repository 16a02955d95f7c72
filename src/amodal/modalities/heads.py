"""Heads: networks from a context or latent (B, C) to the distribution of B cells."""

from __future__ import annotations

from torch import Tensor, nn
from torch.distributions import Categorical, MixtureSameFamily, Normal

from amodal.distributions import BagOfWords, IsotropicNormal, TokenSequence
from amodal.nn import Dense, LearnedScale, TokenDecoder

_HIDDEN = 128
_MIN_SCALE = 0.03
_MEAN_UNIT = 3.0
"""A mean of the mixture for an output of one: at first the components are spread over the numbers."""


class CategoricalHead(nn.Module):
    """A softmax over labels; cells are integer (B,).

    Args:
        context: C.
        labels: number of labels.
    """

    def __init__(self, context: int, labels: int) -> None:
        super().__init__()
        self.network = Dense(context, _HIDDEN, labels)

    def forward(self, context: Tensor) -> Categorical:
        return Categorical(logits=self.network(context), validate_args=False)


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


class NormalMixtureHead(nn.Module):
    """A mixture of normals (mixture density network: Bishop, 1994), each scale at least 0.03; cells are (B,).

    Args:
        context: C.
        components: normals of the mixture.
    """

    def __init__(self, context: int, components: int = 8) -> None:
        super().__init__()
        self.network = Dense(context, _HIDDEN, 3 * components)

    def forward(self, context: Tensor) -> MixtureSameFamily:
        logits, means, excess = self.network(context).chunk(3, dim=1)
        scales = _MIN_SCALE + nn.functional.softplus(excess)
        return MixtureSameFamily(
            Categorical(logits=logits, validate_args=False),
            Normal(_MEAN_UNIT * means, scales, validate_args=False),
            validate_args=False,
        )


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
