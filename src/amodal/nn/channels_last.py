"""Channels-last memory format, the fastest one for convolutions on a CPU."""

from __future__ import annotations

from typing import TypeVar

import torch
from torch import nn

_Network = TypeVar("_Network", bound=nn.Module)


def channels_last(network: _Network) -> _Network:
    """Convert a network's weights to `torch.channels_last`, in place."""
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
