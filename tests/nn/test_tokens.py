from __future__ import annotations

import torch
from torch.nn import functional

from amodal.nn import TokenEncoder


def test_a_word_is_read_with_its_neighbours_in_their_order() -> None:
    encoder = TokenEncoder(9, 6, channels=4)
    tokens = torch.tensor([[3, 5, 2, 8, 4]])
    maps = encoder.embedding(tokens).transpose(1, 2)
    for layer in encoder.convolutions:
        weight = layer.weight.view(4, 3, 4).transpose(1, 2)
        maps = functional.gelu(functional.conv1d(maps, weight, layer.bias, padding=1))
    expected = encoder.head(torch.cat([maps.amax(2), maps.mean(2)], dim=1))
    torch.testing.assert_close(encoder(tokens), expected)


def test_what_fills_a_text_after_its_end_is_not_read() -> None:
    encoder = TokenEncoder(9, 6)
    short, long = torch.tensor([[3, 5, 0, 0]]), torch.tensor([[3, 5, 0, 0, 0, 0, 0]])
    before = encoder(short)
    torch.testing.assert_close(encoder(long), before)
    with torch.no_grad():
        encoder.embedding.weight[0] = 100.0
    torch.testing.assert_close(encoder(short), before)
