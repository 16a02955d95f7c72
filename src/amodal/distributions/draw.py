"""Sampling any distribution from row noise."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import torch
from torch import Tensor
from torch.distributions import (
    Categorical,
    Distribution,
    Independent,
    MixtureSameFamily,
    MultivariateNormal,
    Normal,
)

from amodal.distributions.bag import BagOfWords
from amodal.distributions.binned import Binned, inverse_categorical
from amodal.distributions.flow import Flow
from amodal.distributions.label_set import LabelSet
from amodal.distributions.noise import RowNoise
from amodal.distributions.sequence import TokenSequence
from amodal.distributions.truncated import Truncated


@singledispatch
def draw(distribution: Distribution, noise: RowNoise) -> Tensor:
    """Draw one sample a row, as `distribution.sample()` does, with random numbers from `noise`.

    Register another distribution with `draw.register`.

    Raises:
        NotImplementedError: the distribution's type is not registered.
    """
    raise NotImplementedError(
        f"{type(distribution).__name__} has no sampler from row noise; add one with draw.register"
    )


@draw.register(Independent)
def _(distribution: Independent[Any], noise: RowNoise) -> Tensor:
    return draw(distribution.base_dist, noise)


@draw.register
def _(distribution: Normal, noise: RowNoise) -> Tensor:
    return distribution.loc + distribution.scale * noise.normal(*distribution.loc.shape[1:])


@draw.register
def _(distribution: MultivariateNormal, noise: RowNoise) -> Tensor:
    eps = noise.normal(*distribution.loc.shape[1:])
    return distribution.loc + (distribution.scale_tril @ eps[..., None])[..., 0]


@draw.register
def _(distribution: Categorical, noise: RowNoise) -> Tensor:
    if distribution.logits.dim() > 2:
        return (distribution.logits + noise.gumbel(*distribution.logits.shape[1:])).argmax(-1)
    return inverse_categorical(distribution.logits, noise.stratified())[0]


@draw.register
def _(distribution: Binned, noise: RowNoise) -> Tensor:
    return distribution.draw(noise)


@draw.register
def _(distribution: Truncated, noise: RowNoise) -> Tensor:
    return distribution.icdf(noise.stratified())


@draw.register
def _(distribution: TokenSequence, noise: RowNoise) -> Tensor:
    return distribution.draw(noise)


@draw.register
def _(distribution: LabelSet, noise: RowNoise) -> Tensor:
    return distribution.draw(noise)


@draw.register
def _(distribution: BagOfWords, noise: RowNoise) -> Tensor:
    return distribution.draw(noise)


@draw.register
def _(distribution: MixtureSameFamily, noise: RowNoise) -> Tensor:
    component = draw(distribution.mixture_distribution, noise)
    points = draw(distribution.component_distribution, noise)
    return points[torch.arange(len(points), device=points.device), component]


@draw.register
def _(distribution: Flow, noise: RowNoise) -> Tensor:
    return distribution.draw(noise)
