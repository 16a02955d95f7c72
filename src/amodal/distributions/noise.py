"""Counter-based random numbers of rows, the same in any batch, process and device."""

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
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71, 73, 79, 83, 89, 97)


def _shifted(bits: Tensor, by: int) -> Tensor:
    """Logical shift to the right, where torch's is arithmetic."""
    return (bits >> by) & ((1 << (64 - by)) - 1)


def _mixed(bits: Tensor) -> Tensor:
    bits = (bits ^ _shifted(bits, 30)) * _MIX_1
    bits = (bits ^ _shifted(bits, 27)) * _MIX_2
    return bits ^ _shifted(bits, 31)


def _keys(seed: int, rows: Tensor) -> Tensor:
    seed = (seed + (1 << 63)) % (1 << 64) - (1 << 63)  # as a signed number
    seeded = torch.tensor(seed, dtype=torch.int64, device=rows.device) * _GOLDEN
    return _mixed(_mixed(seeded) + (rows.to(torch.int64) + 1) * _GOLDEN)


class RowNoise:
    """Random number generator of a batch of rows.

    Each number is a hash (SplitMix64's finaliser) of seed, row number, count of earlier calls and position, as in
    counter-based generators (Salmon et al., SC 2011): a row gets the same numbers in any batch, on any device and
    with any number of processes, and a batch is filled in one vectorised pass.

    Args:
        seed: seed of the sequence.
        rows: row numbers, integer (B,).

    Example:
        >>> whole = RowNoise(0, torch.tensor([5, 6, 7])).normal(4)
        >>> part = RowNoise(0, torch.tensor([7])).normal(4)
        >>> torch.equal(whole[2], part[0])
        True
    """

    def __init__(self, seed: int, rows: Tensor) -> None:
        self._keys = _keys(seed, rows)
        self._seed, self._rows = seed, rows
        self._calls = 0
        self._stratified = 0

    def __len__(self) -> int:
        return len(self._keys)

    def fork(self, number: int) -> RowNoise:
        """Other random numbers of the same rows and draw.

        Args:
            number: from 1; the same number gives the same random numbers.
        """
        return RowNoise(self._seed ^ (number * _GOLDEN & 0xFFFFFFFF), self._rows)

    @property
    def seed(self) -> int:
        """Seed of the sequence."""
        return self._seed

    @property
    def draw_number(self) -> int:
        """Number of the draw of each row, from 0; see `stratified`."""
        return self._seed >> 32

    @property
    def device(self) -> torch.device:
        """Device of the numbers."""
        return self._keys.device

    def uniform(self, *shape: int) -> Tensor:
        """Uniform numbers in the open interval (0, 1), (B, *shape), float32."""
        self._calls += 1
        count = math.prod(shape)
        counter = torch.arange(1, count + 1, device=self._keys.device) + (self._calls << 40)
        bits = _mixed(self._keys[:, None] + _mixed(counter * _GOLDEN))
        return ((_shifted(bits, 40).to(torch.float32) + 0.5) * _RESOLUTION).view(len(self), *shape)

    def stratified(self) -> Tensor:
        """Uniform numbers in the open interval (0, 1), (B,), spread evenly over the draws of one row.

        Draw d of a row has seed `seed + (d << 32)`. Its number is u + d a modulo 1 (a Kronecker sequence: Niederreiter,
        1992), with u the row's own and a the square root of a prime, another in each call: a mean of n draws has an
        error of about 1/n, where independent draws have one of about 1/sqrt(n).
        """
        draw, seed = divmod(self._seed, 1 << 32)
        self._stratified += 1
        step = math.sqrt(_PRIMES[self._stratified % len(_PRIMES)])
        counter = torch.full((1,), self._stratified, device=self._rows.device) + (1 << 39)
        bits = _shifted(_mixed(_keys(seed, self._rows) + _mixed(counter * _GOLDEN)), 40)
        first = (bits.double() + 0.5) * _RESOLUTION
        return (first + draw * step).remainder(1.0).float().clamp(_RESOLUTION / 2, 1.0 - _RESOLUTION)

    def normal(self, *shape: int) -> Tensor:
        """Standard normal numbers (B, *shape), float32, by the Box-Muller transform."""
        count = math.prod(shape)
        radius, angle = self.uniform(2, (count + 1) // 2).unbind(1)
        radius = (-2.0 * radius.log()).sqrt()
        angle = angle * (2.0 * math.pi)
        pairs = torch.cat([radius * angle.cos(), radius * angle.sin()], dim=1)
        return pairs[:, :count].reshape(len(self), *shape)

    def bernoulli(self, probability: float, *shape: int) -> Tensor:
        """True with a probability, rounded to a multiple of 2^-16 below 1, boolean (B, *shape)."""
        self._calls += 1
        count = math.prod(shape)
        counter = torch.arange(1, -(-count // 4) + 1, device=self._keys.device) + (self._calls << 40)
        # Four numbers of 16 bits in one of 64: masks are large, and need few bits.
        parts = _mixed(self._keys[:, None] + _mixed(counter * _GOLDEN)).view(torch.int16)[:, :count]
        return (parts < min(round(probability * 2**16), 2**16 - 1) - 2**15).view(len(self), *shape)

    def gumbel(self, *shape: int) -> Tensor:
        """Standard Gumbel numbers (B, *shape); argmax(logits + gumbel) is a categorical sample."""
        return -(-self.uniform(*shape).log()).log()
