from __future__ import annotations

import torch
from torch.nn import functional

from amodal.nn import TokenDecoder, TokenEncoder

WEIGHTS = torch.linspace(1.0, 3.0, 9)


def test_layers_are_convolutions_of_three_words_and_a_weighted_bag() -> None:
    encoder = TokenEncoder(WEIGHTS, 6, channels=4)
    tokens = torch.tensor([[3, 5, 2, 8, 4]])
    maps = encoder.embedding(tokens).transpose(1, 2)
    for layer in encoder.convolutions:
        weight = layer.weight.view(4, 3, 4).transpose(1, 2)
        maps = functional.gelu(functional.conv1d(maps, weight, layer.bias, padding=1))
    weights = WEIGHTS[tokens[0]] / WEIGHTS[tokens[0]].norm()
    bag = (weights[:, None] * encoder.tokens[tokens[0]]).sum(0)[None]
    expected = encoder.head(torch.cat([maps.amax(2), maps.mean(2), bag], dim=1))
    torch.testing.assert_close(encoder(tokens), expected)


def test_pairs_of_neighbours_are_read_in_their_order() -> None:
    encoder = TokenEncoder(WEIGHTS, 6)
    torch.nn.init.normal_(encoder.pairs)
    bags = encoder._bag(torch.tensor([[3, 5, 2], [2, 3, 5], [5, 3, 2], [3, 5, 1]]))
    # The first two have a pair in common, and the third none.
    order = [(bags[0] - bags[row]).norm() for row in (1, 2)]
    assert 0 < order[0] < order[1]
    # The unknown token is in no pair.
    pair = (
        bags[3] - (encoder.tokens[3] * WEIGHTS[3] + encoder.tokens[5] * WEIGHTS[5]) / WEIGHTS[[3, 5]].norm()
    )
    assert (encoder.pairs - pair).norm(dim=1).min() < 1e-4


def test_padding_is_not_read() -> None:
    encoder = TokenEncoder(WEIGHTS, 6)
    short, long = torch.tensor([[3, 5, 0, 0]]), torch.tensor([[3, 5, 0, 0, 0, 0, 0]])
    before = encoder(short)
    torch.testing.assert_close(encoder(long), before)
    torch.testing.assert_close(encoder(torch.cat([short, torch.tensor([[3, 4, 6, 7]])]))[:1], before)
    with torch.no_grad():
        encoder.embedding.weight[0] = encoder.tokens[0] = 100.0
    torch.testing.assert_close(encoder(short), before)


def test_a_window_has_the_scores_of_the_full_sequence() -> None:
    torch.manual_seed(0)
    decoder = TokenDecoder(5, 9, channels=8).eval()
    context, tokens = torch.randn(4, 5), torch.randint(1, 9, (4, 50))
    full = decoder.scores(context, tokens)
    start = torch.tensor([-3, 0, 17, 44])
    window = decoder.window_scores(context, tokens, start, 6)
    for row, first in enumerate(start.tolist()):
        begin = max(first, 0)
        torch.testing.assert_close(window[row, begin - first :], full[row, begin : first + 6])


def test_a_score_depends_on_all_tokens_before_and_on_none_after() -> None:
    torch.manual_seed(0)
    decoder = TokenDecoder(5, 9, channels=8).eval()
    context, tokens = torch.randn(1, 5), torch.randint(1, 9, (1, 50))
    changed = tokens.clone()
    changed[0, 10] = tokens[0, 10] % 8 + 1
    same = torch.isclose(decoder.scores(context, tokens), decoder.scores(context, changed), atol=1e-6).all(2)[
        0
    ]
    assert same[:11].all()
    assert not same[11:].any()
