"""Random numbers that belong to rows, whatever batch, worker or device a row is drawn in."""

from __future__ import annotations

import math

import torch
from torch import Tensor

# The constants of SplitMix64 (Steele, Lea & Flood, "Fast splittable pseudorandom number generators",
# OOPSLA 2014), as signed 64-bit numbers, which is what torch computes with.
_GOLDEN = 0x9E3779B97F4A7C15 - (1 << 64)
_MIX_1 = 0xBF58476D1CE4E5B9 - (1 << 64)
_MIX_2 = 0x94D049BB133111EB - (1 << 64)
_RESOLUTION = 2.0**-24


def _shifted(bits: Tensor, by: int) -> Tensor:
    """Shift right and fill with zeros, where torch would repeat the sign."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def _mixed(bits: Tensor) -> Tensor:
    bits = (bits ^ _shifted(bits, 30)) * _MIX_1
    bits = (bits ^ _shifted(bits, 27)) * _MIX_2
    return bits ^ _shifted(bits, 31)


class RowNoise:
    """Noise for a batch of rows: a row's numbers depend on the seed, its number and the call's turn alone.

    Counter-based: each number is a hash (SplitMix64's finaliser) of seed, row, turn and position, so that a
    batch is filled in one vectorised pass and the same row gets the same numbers in any batch, on any device
    and on any number of processes.

    Args:
        seed: which sequence.
        rows: integer (B,), the rows' numbers.

    Example:
        >>> whole = RowNoise(0, torch.tensor([5, 6, 7])).normal(4)
        >>> part = RowNoise(0, torch.tensor([7])).normal(4)
        >>> torch.equal(whole[2], part[0])
        True
    """

    def __init__(self, seed: int, rows: Tensor) -> None:
        seeded = torch.tensor(seed, dtype=torch.int64, device=rows.device) * _GOLDEN
        self._keys = _mixed(_mixed(seeded) + (rows.to(torch.int64) + 1) * _GOLDEN)
        self._turn = 0

    def __len__(self) -> int:
        return len(self._keys)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in the open interval (0, 1), of shape (B, *shape), float32."""
        self._turn += 1
        count = math.prod(shape)
        counter = torch.arange(1, count + 1, device=self._keys.device) + (self._turn << 40)
        bits = _mixed(self._keys[:, None] + _mixed(counter * _GOLDEN))
        return ((_shifted(bits, 40).to(torch.float32) + 0.5) * _RESOLUTION).view(-1, *shape)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers of shape (B, *shape), float32 (Box-Muller)."""
        count = math.prod(shape)
        radius, angle = self.uniform(2, (count + 1) // 2).unbind(1)
        radius = (-2.0 * radius.log()).sqrt()
        angle = angle * (2.0 * math.pi)
        pairs = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)
        return pairs[:, :count].reshape(-1, *shape)

    def gumbel(self, *shape: int) -> Tensor:
        """Standard Gumbel numbers of shape (B, *shape): argmax(logits + gumbel) is a categorical draw."""
        return -(-self.uniform(*shape).log()).log()
