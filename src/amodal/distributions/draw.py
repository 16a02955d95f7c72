"""Draws of any distribution from noise that belongs to rows."""

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
from amodal.distributions.flow import Flow
from amodal.distributions.noise import RowNoise
from amodal.distributions.sequence import TokenSequence


@singledispatch
def draw(distribution: Distribution, noise: RowNoise) -> Tensor:
    """One draw a row, as `distribution.sample()` gives it but from `noise`.

    Another distribution joins with `draw.register`.

    Raises:
        NotImplementedError: for a distribution that has not joined.
    """
    raise NotImplementedError(f"no rule draws a {type(distribution).__name__} from row noise")


@draw.register(Independent)
def _(distribution: Independent[Any], noise: RowNoise) -> Tensor:
    return draw(distribution.base_dist, noise)


@draw.register
def _(distribution: Normal, noise: RowNoise) -> Tensor:
    return distribution.loc + distribution.scale * noise.normal(*distribution.loc.shape[1:])


@draw.register
def _(distribution: MultivariateNormal, noise: RowNoise) -> Tensor:
    start = noise.normal(*distribution.loc.shape[1:])
    return distribution.loc + (distribution.scale_tril @ start[..., None])[..., 0]


@draw.register
def _(distribution: Categorical, noise: RowNoise) -> Tensor:
    return (distribution.logits + noise.gumbel(*distribution.logits.shape[1:])).argmax(-1)


@draw.register
def _(distribution: TokenSequence, noise: RowNoise) -> Tensor:
    return distribution.draw(noise)


@draw.register
def _(distribution: BagOfWords, noise: RowNoise) -> Tensor:
    return distribution.draw(noise)


@draw.register
def _(distribution: MixtureSameFamily, noise: RowNoise) -> Tensor:
    chosen = draw(distribution.mixture_distribution, noise)
    points = draw(distribution.component_distribution, noise)
    return points[torch.arange(len(points), device=points.device), chosen]


@draw.register
def _(distribution: Flow, noise: RowNoise) -> Tensor:
    return distribution.draw(noise)
