"""InfoNCE, a contrastive loss between columns."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def info_nce(
    embeddings: Tensor, present: Tensor, contrasted: Tensor | None = None, temperature: float = 0.1
) -> Tensor:
    """InfoNCE (van den Oord et al., arXiv 1807.03748) between pairs of columns, in nats, a scalar.

    For columns i > j and row b, -log softmax_b'(cos(e_bi, e_b'j) / temperature) at b' = b: cells of one row against
    those of the batch's other rows, averaged over the rows that have both.

    Args:
        embeddings: (B, M, C).
        present: boolean (B, M).
        contrasted: boolean (M,), columns of which a pair needs at least one; all by default.
        temperature: divisor of the cosine similarities.
    """
    directions = functional.normalize(embeddings, dim=-1)
    losses, counts = embeddings.new_zeros(()), embeddings.new_zeros(())
    for i in range(embeddings.shape[1]):
        for j in range(i):
            if contrasted is not None and not (contrasted[i] or contrasted[j]):
                continue
            both = present[:, i] & present[:, j]
            logits = directions[:, i] @ directions[:, j].T / temperature
            logits = logits.masked_fill(~both[None], -1e4)
            target = torch.arange(len(both), device=both.device)
            loss = functional.cross_entropy(logits, target, reduction="none")
            losses = losses + torch.where(both, loss, 0.0).sum()
            counts = counts + both.sum()
    return losses / counts.clamp_min(1)
