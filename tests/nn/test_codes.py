"""Encoders that look up a few vectors of each cell."""

from __future__ import annotations

import torch

from amodal.nn import LabelEncoder, RankEncoder, embed_columns

KNOTS = [0.0, 0.2, 0.5, 1.0]


def test_a_label_has_the_vector_of_its_number() -> None:
    encoder, labels = LabelEncoder(4, 3), torch.tensor([2, 0, 3, 2])
    assert torch.equal(encoder(labels), encoder.table[labels])


def test_a_number_has_the_vector_between_the_knots_around_its_rank() -> None:
    encoder = RankEncoder(KNOTS, 3)
    ranks = torch.tensor([1e-6, 0.05, 0.2, 0.45, 0.75, 1 - 1e-6])
    table = encoder.table
    expected = torch.stack(
        [
            table[0],
            0.75 * table[0] + 0.25 * table[1],
            table[1],
            table[1] / 6 + table[2] * 5 / 6,
            (table[2] + table[3]) / 2,
            table[3],
        ]
    )
    torch.testing.assert_close(encoder(torch.special.ndtri(ranks)), expected, atol=1e-4, rtol=0)
    # Beyond the outermost knots, the vectors of these.
    narrow = RankEncoder([0.3, 0.6], 3)
    ends = narrow(torch.tensor([-9.0, 9.0]))
    torch.testing.assert_close(ends, narrow.table)


def test_a_single_knot_is_the_vector_of_every_number() -> None:
    encoder = RankEncoder([0.5], 3)
    assert torch.equal(encoder(torch.randn(5)), encoder.table.expand(5, -1))


def test_columns_at_once_have_the_embeddings_of_each_alone() -> None:
    encoders = [LabelEncoder(4, 3), RankEncoder(KNOTS, 3), RankEncoder([0.5], 3), LabelEncoder(2, 3)]
    cells = [torch.randint(0, 4, (7,)), torch.randn(7), torch.randn(7), torch.randint(0, 2, (7,))]
    for part in ([0, 1, 2, 3], [3, 1], [0, 3], [2]):
        some, columns = [encoders[i] for i in part], [cells[i] for i in part]
        together = embed_columns(some, columns)
        alone = torch.stack([encoder(column) for encoder, column in zip(some, columns, strict=True)], 1)
        assert together.shape == (7, len(part), 3)
        torch.testing.assert_close(together, alone)
        tables = [encoder.table for encoder in some]
        weights = torch.randn_like(together)
        for one, other in zip(
            torch.autograd.grad((weights * together).sum(), tables),
            torch.autograd.grad((weights * alone).sum(), tables),
            strict=True,
        ):
            torch.testing.assert_close(one, other)
