"""The velocity network of a conditional flow."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class VelocityNetwork(nn.Module):
    """Velocities v(x_t, t, c) of points (K, B, D) at times (K, B), with K points for each of B contexts.

    Residual layers, each scaled, shifted and gated by time and context (adaLN: Peebles & Xie, arXiv 2212.09748,
    without attention, since a latent is one vector). `context_proj` projects a context once for all points and times.

    Args:
        size: D.
        context: size of a context.
        width: width of the layers.
        blocks: number of residual blocks.
    """

    frequencies: Tensor

    def __init__(self, size: int, context: int, width: int = 256, blocks: int = 3) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("frequencies", 2.0 ** torch.arange(8) * math.pi / 2, persistent=False)
        self.input_proj = nn.Linear(size, width)
        self.time_proj = nn.Linear(16, 3 * width * blocks)
        self.context_proj = nn.Linear(context, 3 * width * blocks)
        self.blocks = nn.ModuleList(
            nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
            for _ in range(blocks)
        )
        self.output_proj = nn.Linear(width, size)
        # Training starts from the zero velocity.
        nn.init.zeros_(self.output_proj.weight)
        nn.init.zeros_(self.output_proj.bias)

    def forward(self, points: Tensor, times: Tensor, context: Tensor) -> Tensor:
        """Velocities (K, B, D), given projected contexts, `context = self.context_proj(c)`."""
        waves = times[..., None] * self.frequencies
        condition = self.time_proj(torch.cat([waves.sin(), waves.cos()], dim=-1)) + context
        state = self.input_proj(points)
        width = state.shape[-1]
        for block, modulation in zip(self.blocks, condition.split(3 * width, dim=-1), strict=True):
            scale, shift, gate = modulation.chunk(3, dim=-1)
            normed = nn.functional.layer_norm(state, (width,))
            state = state + (1 + gate) * block(normed * (1 + scale) + shift)
        return self.output_proj(nn.functional.gelu(state))
