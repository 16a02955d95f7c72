"""The losses of many softmax heads, computed at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from amodal.modalities.heads import SoftmaxHead

_MAX_OUTCOMES = 256
_NEVER = -1e9


def can_share(head: nn.Module) -> bool:
    """True for a head whose loss `softmax_losses` can compute."""
    return isinstance(head, SoftmaxHead) and len(head.log_prior) <= _MAX_OUTCOMES


def softmax_losses(
    heads: Sequence[SoftmaxHead],
    context: Tensor,
    outcomes: Tensor,
    generalisation: Tensor,
    linear: Sequence[Tensor | None],
    is_rest: Tensor,
) -> Tensor:
    """-log p(outcome | context) of R contexts' outcomes in each of M columns, (R, M).

    Args:
        heads: M heads, for which `can_share` is true.
        context: (R, C).
        outcomes: integer (R, M); arbitrary where a cell is not a target.
        generalisation: (M,), factors of the gradient into `context`.
        linear: linear predictions (R, outputs) of each column, None where it has none.
        is_rest: (R,), where they are used.
    """
    first, second, size = [], [], max(len(head.log_prior) for head in heads)
    for head in heads:
        one, two = head.layers()
        first.append(one)
        second.append(two)
    width = len(first[0][0])
    shares = generalisation.repeat_interleave(width)
    hidden = _SharedLinear.apply(context, torch.cat([w for w, _ in first]), shares)
    hidden = hidden + torch.cat([b for _, b in first])
    rest = is_rest.nonzero()[:, 0]
    known = [
        None if scores is None else (head, scores[rest]) for head, scores in zip(heads, linear, strict=True)
    ]
    if len(rest) and any(known):
        nothing = hidden.new_zeros(len(rest), width)
        added = [
            nothing if each is None or (read := each[0].read_scores(each[1])) is None else read
            for each in known
        ]
        hidden = hidden.index_add(0, rest, torch.cat(added, 1).to(hidden.dtype))
    hidden = functional.gelu(hidden).view(len(context), len(heads), width).transpose(0, 1)
    weight = torch.stack([functional.pad(w, (0, 0, 0, size - len(w))) for w, _ in second])
    offset = torch.stack([functional.pad(b, (0, size - len(b))) for _, b in second])
    prior = torch.stack(
        [functional.pad(head.log_prior, (0, size - len(head.log_prior)), value=_NEVER) for head in heads]
    )
    logits = torch.baddbmm((offset + prior)[:, None], hidden, weight.transpose(1, 2))
    if len(rest) and any(known):
        tilts = [
            logits.new_zeros(len(rest), size)
            if each is None
            else functional.pad(each[0].linear_tilt(each[1]), (0, size - len(each[0].log_prior)))
            for each in known
        ]
        logits = logits.index_add(1, rest, torch.stack(tilts).to(logits.dtype))
    losses = functional.cross_entropy(logits.flatten(0, 1).float(), outcomes.T.reshape(-1), reduction="none")
    return losses.view(len(heads), -1).T


class _SharedLinear(torch.autograd.Function):
    """x W^T, with the gradient into x of each output multiplied by a factor."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, weight: Tensor, factors: Tensor) -> Tensor:
        ctx.save_for_backward(inputs, weight, factors)
        return inputs @ weight.T

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, None]:
        inputs, weight, factors = ctx.saved_tensors
        return (grad * factors.to(grad.dtype)) @ weight.to(grad.dtype), grad.T @ inputs.to(grad.dtype), None
