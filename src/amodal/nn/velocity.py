"""The network that moves noise to latents."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class VelocityNetwork(nn.Module):
    """Velocities of points (K, B, D) at times (K, B), of B contexts (B, C) with K points each.

    Residual layers, each scaled, shifted and gated by time and context (Peebles & Xie, arXiv 2212.09748, without
    attention: a latent is one vector). What the context says is worked out once, by `told`, for all points.

    Args:
        size: D.
        context: C.
        width: of the layers.
        blocks: how many.
    """

    frequencies: Tensor

    def __init__(self, size: int, context: int, width: int = 256, blocks: int = 3) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("frequencies", 2.0 ** torch.arange(8) * math.pi / 2, persistent=False)
        self.enter = nn.Linear(size, width)
        self.of_time = nn.Linear(16, 3 * width * blocks)
        self.told = nn.Linear(context, 3 * width * blocks)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in range(blocks)
        )
        self.leave = nn.Linear(width, size)
        # A new network stands still, and gets going as it learns.
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, points: Tensor, times: Tensor, told: Tensor) -> Tensor:
        """Velocities (K, B, D), of `told` = self.told(context)."""
        waves = times[..., None] * self.frequencies
        condition = self.of_time(torch.cat([waves.sin(), waves.cos()], dim=-1)) + told
        state = self.enter(points)
        width = state.shape[-1]
        for block, modulation in zip(self.blocks, condition.split(3 * width, dim=-1), strict=True):
            scale, shift, gate = modulation.chunk(3, dim=-1)
            normed = nn.functional.layer_norm(state, (width,))
            state = state + (1 + gate) * block(normed * (1 + scale) + shift)
        return self.leave(nn.functional.gelu(state))
