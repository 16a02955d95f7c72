from __future__ import annotations

import pytest
import torch

from amodal.nn import TokenDecoder


@pytest.fixture
def network() -> TokenDecoder:
    """Decoder of a vocabulary of four, with contexts of size five."""
    torch.manual_seed(0)
    network = TokenDecoder(5, 4, channels=6)
    torch.nn.init.normal_(network.embedding.weight)
    return network.eval().requires_grad_(False)
