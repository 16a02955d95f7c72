"""Layers of maps that lie pixel by pixel, which is what a processor's convolutions are fastest on."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

_Network = TypeVar("_Network", bound=nn.Module)


def channels_last(network: _Network) -> _Network:
    """Lay the weights out pixel by pixel, which convolutions run fastest on."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
