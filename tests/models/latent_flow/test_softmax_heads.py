"""Losses of many softmax heads at once, beside each head's own."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.modalities.heads import BinnedHead, CategoricalHead, NormalHead, SoftmaxHead
from amodal.models.latent_flow.softmax_heads import can_share, softmax_losses

CONTEXT, ROWS = 6, 20


def heads() -> list[SoftmaxHead]:
    """Two of labels and two of numbers, none as it begins."""
    lower, upper = [0.0, 0.3, 0.5, 0.5], [0.3, 0.5, 0.5, 1.0]
    found = [
        CategoricalHead(CONTEXT, 3),
        BinnedHead(CONTEXT, lower, upper, [0.0, 1.0, 1.0, 5.0]),
        CategoricalHead(CONTEXT, 7),
        BinnedHead(CONTEXT, [0.0, 0.5], [0.5, 1.0], [0.0, 2.0]),
    ]
    for head in found:
        for weight in head.parameters():
            weight.data += 0.3 * torch.randn_like(weight)
        head.log_prior.copy_(torch.randn_like(head.log_prior).log_softmax(0))
    return found


def cells() -> list[Tensor]:
    return [torch.randint(0, 3, (ROWS,)), torch.randn(ROWS), torch.randint(0, 7, (ROWS,)), torch.randn(ROWS)]


def test_losses_are_those_of_each_head_with_linear_predictions_where_all_others_are_given() -> None:
    all_heads, columns, context = heads(), cells(), torch.randn(ROWS, CONTEXT)
    is_rest = torch.rand(ROWS) < 0.5
    linear = [torch.rand(ROWS, 3), torch.randn(ROWS, 2), None, torch.randn(ROWS, 2)]
    outcomes = torch.stack([head.outcome(each) for head, each in zip(all_heads, columns, strict=True)], 1)
    losses = softmax_losses(all_heads, context, outcomes, torch.ones(4), linear, is_rest)
    assert losses.shape == (ROWS, 4)
    unused = softmax_losses(all_heads, context, outcomes, torch.ones(4), linear, torch.zeros_like(is_rest))
    none = softmax_losses(all_heads, context, outcomes, torch.ones(4), [None] * 4, is_rest)
    torch.testing.assert_close(unused, none)
    for index, (head, each) in enumerate(zip(all_heads, columns, strict=True)):
        score = head(context, linear[index], is_rest if linear[index] is not None else None).log_prob(each)
        if isinstance(head, BinnedHead):
            score = score - head.within_log_prob(context, each)
        torch.testing.assert_close(losses[:, index], -score)
        if linear[index] is not None:
            assert not torch.allclose(losses[is_rest, index], none[is_rest, index])
        torch.testing.assert_close(losses[~is_rest, index], none[~is_rest, index])


def test_only_the_gradient_into_the_context_is_scaled() -> None:
    all_heads, columns, context = heads(), cells(), torch.randn(ROWS, CONTEXT, requires_grad=True)
    outcomes = torch.stack([head.outcome(each) for head, each in zip(all_heads, columns, strict=True)], 1)
    factors = torch.tensor([1.0, 0.25, 0.0, 0.5])
    is_rest = torch.ones(ROWS, dtype=torch.bool)
    linear = [torch.rand(ROWS, 3), torch.randn(ROWS, 2), None, None]
    weights = [weight for head in all_heads for weight in head.network.parameters()]
    weights += [head.tilt_weights for head in all_heads[:2]]

    def gradients(factors: Tensor, column: int | None = None) -> tuple[Tensor, list[Tensor]]:
        losses = softmax_losses(all_heads, context, outcomes, factors, linear, is_rest)
        total = losses.sum() if column is None else losses[:, column].sum()
        into_context, *into_weights = torch.autograd.grad(total, [context, *weights])
        return into_context, into_weights

    alone = [gradients(torch.ones(4), column)[0] for column in range(4)]
    assert all(each.abs().sum() > 0 for each in alone)
    scaled, of_weights = gradients(factors)
    torch.testing.assert_close(scaled, sum(f * each for f, each in zip(factors, alone, strict=True)))
    for one, other in zip(of_weights, gradients(torch.ones(4))[1], strict=True):
        torch.testing.assert_close(one, other)
        assert one.abs().sum() > 0


def test_heads_of_many_outcomes_and_others_are_not_computed_at_once() -> None:
    assert can_share(CategoricalHead(CONTEXT, 256))
    assert not can_share(CategoricalHead(CONTEXT, 257))
    assert not can_share(NormalHead(CONTEXT))
