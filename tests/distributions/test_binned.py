"""Binned distributions of ranks, by enumeration of their cells."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from amodal.distributions import Binned, RowNoise, draw

# Two bins with a gap between them, a single value, and a bin up to the greatest rank.
LOWER = torch.tensor([0.0, 0.3, 0.55, 0.6])
UPPER = torch.tensor([0.25, 0.5, 0.55, 1.0])
LAST = 5.199
"""Quantile of the least and greatest rank."""
CELLS = 5
ROWS = 6


def parameters() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    return 2 * torch.randn(ROWS, 4, generator=generator), torch.randn(4, CELLS, generator=generator)


def binned(logits: Tensor | None = None, cells: Tensor | None = None) -> Binned:
    of_bins, of_cells = parameters()
    logits, cells = of_bins if logits is None else logits, of_cells if cells is None else cells
    return Binned(logits, LOWER, UPPER, lambda bins: cells[bins])


def middles() -> list[tuple[int, int, float]]:
    """Bin, cell and middle rank of each cell; the bin of one value has a single one."""
    found = []
    for bin_, (low, high) in enumerate(zip(LOWER.tolist(), UPPER.tolist(), strict=True)):
        if low == high:
            found.append((bin_, 0, low))
        else:
            found += [(bin_, cell, low + (cell + 0.5) / CELLS * (high - low)) for cell in range(CELLS)]
    return found


def test_log_prob_is_that_of_the_bin_and_of_the_cell_within_it_and_sums_to_one() -> None:
    distribution, (logits, cells) = binned(), parameters()
    total = torch.zeros(ROWS)
    for bin_, cell, rank in middles():
        value = torch.special.ndtri(torch.tensor(rank)).expand(ROWS)
        within = 0.0 if bin_ == 2 else cells[bin_].log_softmax(0)[cell]
        expected = logits.log_softmax(1)[:, bin_] + within
        torch.testing.assert_close(distribution.log_prob(value), expected)
        torch.testing.assert_close(distribution.within_log_prob(value), torch.zeros(ROWS) + within)
        total = total + distribution.log_prob(value).exp()
    torch.testing.assert_close(total, torch.ones(ROWS))


def distribution_function(row: int, rank: float) -> float:
    """P(r <= rank) of a row."""
    logits, cells = parameters()
    probs, total = logits[row].double().softmax(0), 0.0
    for bin_, (low, high) in enumerate(zip(LOWER.tolist(), UPPER.tolist(), strict=True)):
        if low == high:
            total += float(probs[bin_]) * (rank >= low - 1e-6)
            continue
        for cell, prob in enumerate(cells[bin_].double().softmax(0)):
            position = (rank - low) / (high - low) * CELLS - cell
            total += float(probs[bin_] * prob) * min(1.0, max(0.0, position))
    return total


def test_icdf_rises_and_inverts_the_distribution_function() -> None:
    distribution = binned()
    probabilities = torch.linspace(0.001, 0.999, 400)
    quantiles = torch.stack([distribution.icdf(p.expand(ROWS)) for p in probabilities])
    assert (quantiles.diff(dim=0) >= 0).all()
    ranks = torch.special.ndtr(quantiles.double())
    single = distribution_function
    for row in range(ROWS):
        below = single(row, 0.55 - 1e-4)
        at = single(row, 0.55)
        for p, rank in zip(probabilities.tolist(), ranks[:, row].tolist(), strict=True):
            if below < p < at:
                assert rank == pytest.approx(0.55, abs=1e-6)
            else:
                assert single(row, rank) == pytest.approx(p, abs=2e-4)


def test_a_bin_of_one_value_is_drawn_exactly() -> None:
    rows = 50
    logits = torch.tensor([-9e3, -9e3, 9e3, -9e3]).expand(rows, -1)
    distribution = binned(logits)
    value = torch.special.ndtri(torch.tensor(0.55, dtype=torch.float64)).float()
    for drawn in (draw(distribution, RowNoise(0, torch.arange(rows))), distribution.sample()):
        assert len(drawn.unique()) == 1
        torch.testing.assert_close(drawn[0], value)
    torch.testing.assert_close(distribution.mode, value.expand(rows))
    assert (distribution.log_prob(value.expand(rows)) == 0).all()


def test_draws_follow_the_probabilities() -> None:
    rows = 20_000
    logits, cells = parameters()
    distribution = binned(logits[:1].expand(rows, -1))
    ranks = torch.special.ndtr(draw(distribution, RowNoise(3, torch.arange(rows))))
    for bin_, cell, middle in middles():
        half = (UPPER - LOWER)[bin_].item() / CELLS / 2
        share = ((ranks - middle).abs() < half + 1e-6).float().mean().item()
        prob = logits[0].softmax(0)[bin_].item()
        within = 1.0 if bin_ == 2 else cells[bin_].softmax(0)[cell].item()
        assert share == pytest.approx(prob * within, abs=0.015)
    # Nothing is drawn in the gap.
    assert not ((ranks > 0.25 + 1e-5) & (ranks < 0.3 - 1e-5)).any()


@pytest.mark.parametrize(("rank", "bin_", "cell"), [(0.27, 1, 0), (0.52, 2, None), (0.57, 3, 0)])
def test_a_value_in_a_gap_counts_to_the_next_bin(rank: float, bin_: int, cell: int | None) -> None:
    logits, cells = parameters()
    value = torch.special.ndtri(torch.tensor(rank)).expand(ROWS)
    within = 0.0 if cell is None else cells[bin_].log_softmax(0)[cell]
    torch.testing.assert_close(binned().log_prob(value), logits.log_softmax(1)[:, bin_] + within)


@pytest.mark.parametrize(
    ("value", "bin_", "cell"), [(-LAST, 0, 0), (LAST, 3, 4), (-50.0, 0, 0), (50.0, 3, 4)]
)
def test_values_at_the_ends_and_beyond_are_of_the_outermost_cells(value: float, bin_: int, cell: int) -> None:
    logits, cells = parameters()
    scores = binned().log_prob(torch.full((ROWS,), value))
    torch.testing.assert_close(scores, logits.log_softmax(1)[:, bin_] + cells[bin_].log_softmax(0)[cell])
    assert (binned().icdf(torch.full((ROWS,), 1e-12)) >= -LAST).all()
    assert (binned().icdf(torch.full((ROWS,), 1.0)) <= LAST).all()


def test_the_gradient_of_log_prob_is_bounded_however_sharp_the_distribution() -> None:
    for sharpness in (1.0, 30.0, 1e4):
        of_bins, of_cells = parameters()
        logits, cells = (sharpness * of_bins).requires_grad_(), (sharpness * of_cells).requires_grad_()
        for _, _, rank in middles():
            value = torch.special.ndtri(torch.tensor(rank)).expand(ROWS)
            score = binned(logits, cells).log_prob(value)
            assert (score <= 0).all()
            for gradient in torch.autograd.grad(score.sum(), [logits, cells]):
                # Of each row, the difference of two distributions.
                assert gradient.abs().max() <= ROWS
                assert gradient.isfinite().all()


def test_a_sample_shape_is_refused() -> None:
    with pytest.raises(NotImplementedError, match="one value a row"):
        binned().sample((3,))
