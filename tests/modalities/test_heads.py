"""Softmax heads: where they begin, their linear tilts and their calibration."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from amodal.distributions import RowNoise
from amodal.modalities.heads import BinnedHead, CategoricalHead, SoftmaxHead, TokenHead

CONTEXT = 5
LOWER, UPPER = [0.0, 0.25, 0.5, 0.5], [0.25, 0.5, 0.5, 1.0]
QUANTILES = [0.0, 1.0, 2.0, 2.0, 2.0, 7.0, 9.0]


def categorical() -> tuple[SoftmaxHead, Tensor]:
    return CategoricalHead(CONTEXT, 3), torch.tensor([0, 2, 2, 0, 2, 2, 2, 0, 2, 2] * 30)


def binned() -> tuple[SoftmaxHead, Tensor]:
    return BinnedHead(CONTEXT, LOWER, UPPER, QUANTILES), torch.randn(300)


KINDS = pytest.mark.parametrize("kind", [categorical, binned])
Kind = Callable[[], tuple[SoftmaxHead, Tensor]]


@KINDS
def test_a_head_begins_at_the_frequencies_of_its_cells(kind: Kind) -> None:
    head, cells = kind()
    entropy = head.fit_marginal(cells)
    counts = torch.tensor([(head.outcome(cells) == k).sum().item() + 0.5 for k in range(len(head.log_prior))])
    probs = counts / counts.sum()
    torch.testing.assert_close(head.log_prior.exp(), probs)
    assert entropy == pytest.approx(-sum(p * math.log(p) for p in probs.tolist()), rel=1e-5)
    distribution = head(torch.randn(4, CONTEXT))
    torch.testing.assert_close(distribution.logits.softmax(1), probs.expand(4, -1))


def test_without_cells_all_outcomes_are_equally_likely() -> None:
    for kind in (categorical, binned):
        head, cells = kind()
        outcomes = len(head.log_prior)
        assert head.fit_marginal(cells[:0]) == pytest.approx(math.log(outcomes))
        torch.testing.assert_close(head.log_prior.exp(), torch.full((outcomes,), 1 / outcomes))


def test_the_entropy_of_texts_is_that_of_independent_tokens() -> None:
    head = TokenHead(CONTEXT, 6, 4)
    # Tokens 2, 2, 3 and 4; a zero ends a text.
    cells = torch.tensor([[2, 3, 0, 0], [2, 4, 0, 0]])
    expected = -(0.5 * math.log(0.5) + 2 * 0.25 * math.log(0.25)) * 4 / 2
    assert head.fit_marginal(cells) == pytest.approx(expected, rel=1e-5)
    assert head.fit_marginal(cells[:0]) == 0.0
    assert head.fit_marginal(torch.zeros(3, 4, dtype=torch.int32)) == 0.0


def log_likelihood(head: SoftmaxHead, cells: Tensor, scores: Tensor | None) -> float:
    usable = None if scores is None else torch.ones(len(cells), dtype=torch.bool)
    logits = head(torch.zeros(len(cells), CONTEXT), scores, usable).logits.detach()
    return float(logits.log_softmax(1).gather(1, head.outcome(cells).long()[:, None]).sum())


@KINDS
def test_fitted_tilts_raise_the_likelihood_and_are_no_better_changed(kind: Kind) -> None:
    head, cells = kind()
    head.fit_marginal(cells)
    targets = head.linear_targets(cells)
    assert targets.shape == (len(cells), head.num_outputs)
    scores = 0.7 * targets + 0.3 * torch.randn_like(targets)
    before = log_likelihood(head, cells, scores)
    assert before == pytest.approx(log_likelihood(head, cells, None))
    head.fit_tilt(cells, scores)
    after = log_likelihood(head, cells, scores)
    assert after > before + 20
    fitted = head.tilt_weights.data.clone()
    for index in range(len(fitted)):
        for step in (-0.05, 0.05):
            head.tilt_weights.data.copy_(fitted)
            head.tilt_weights.data[index] += step
            assert log_likelihood(head, cells, scores) <= after + 1e-2


@KINDS
def test_predictions_that_are_not_usable_do_not_count(kind: Kind) -> None:
    head, cells = kind()
    head.fit_marginal(cells)
    scores = head.linear_targets(cells)
    head.fit_tilt(cells, scores)
    contexts, usable = torch.randn(len(cells), CONTEXT), torch.arange(len(cells)) % 2 == 0
    plain, tilted = head(contexts).logits, head(contexts, scores, usable).logits
    torch.testing.assert_close(tilted.softmax(1)[~usable], plain.softmax(1)[~usable])
    assert not torch.allclose(tilted.softmax(1)[usable], plain.softmax(1)[usable])


@KINDS
def test_tilts_are_functions_of_the_predictions_by_hand(kind: Kind) -> None:
    head, cells = kind()
    head.fit_marginal(cells)
    scores = torch.rand(5, head.num_outputs) + 0.1
    tilts = head.tilts(scores)
    assert tilts.shape == (len(head.tilt_weights), 5, len(head.log_prior))
    head.tilt_weights.data.copy_(torch.randn(len(head.tilt_weights)))
    expected = sum(weight * tilt for weight, tilt in zip(head.tilt_weights, tilts, strict=True))
    torch.testing.assert_close(head.linear_tilt(scores), expected)
    if isinstance(head, CategoricalHead):
        probs = head.log_prior.exp().clamp_min(1e-3)
        torch.testing.assert_close(tilts[0], scores - head.log_prior.exp())
        torch.testing.assert_close(tilts[1], (scores / probs).log())
    else:
        # Ranks .125, .375, .5 and .75 lie between the seven evenly spaced quantiles.
        standardised = torch.tensor([0.75, 2.0, 2.0, 2.0 + 5.0 * 0.5])
        middle = torch.special.ndtri(torch.tensor([0.125, 0.375, 0.5, 0.75]))
        for output, known in enumerate((middle, standardised)):
            distance = known - scores[:, output, None]
            normal = -(distance.square() - known.square()) / 2
            torch.testing.assert_close(tilts[output], normal, atol=1e-5, rtol=1e-5)
            torch.testing.assert_close(tilts[2 + output], known.abs() - distance.abs(), atol=1e-5, rtol=1e-5)


def calibrated(rows: int, sharpness: float, linear_sharpness: float) -> tuple[CategoricalHead, float]:
    """A head whose network's logits should be multiplied by one number and whose linear ones by another."""
    torch.manual_seed(1)
    head = CategoricalHead(CONTEXT, 3)
    head.log_prior.copy_(torch.tensor([0.5, 0.3, 0.2]).log())
    head.tilt_weights.data.fill_(2.0)
    tilt, linear = torch.randn(rows, 3), torch.randn(rows, 3)
    logits = head.log_prior + sharpness * tilt + linear_sharpness * linear
    cells = (logits + RowNoise(0, torch.arange(rows)).gumbel(3)).argmax(1)
    head.calibrate(tilt, linear, cells)
    assert (head.tilt_weights == head.tilt_weights[0]).all()
    return head, head.tilt_weights[0].item() / 2.0


def test_calibration_finds_the_sharpness_of_many_held_out_cells() -> None:
    for sharpness, linear_sharpness in ((2.0, 0.5), (0.4, 1.0), (1.0, 1.0)):
        head, of_linear = calibrated(6_000, sharpness, linear_sharpness)
        assert head.sharpness.item() == pytest.approx(sharpness, abs=0.08)
        # Linear logits are multiplied by the sharpness too.
        assert of_linear * head.sharpness.item() == pytest.approx(linear_sharpness, abs=0.08)


def test_calibration_stays_near_training_with_few_cells() -> None:
    head, of_linear = calibrated(0, 2.0, 0.5)
    assert head.sharpness.item() == of_linear == 1.0
    distances = [abs(math.log(calibrated(rows, 2.0, 2.0)[0].sharpness.item())) for rows in (3, 30, 300)]
    assert distances == sorted(distances)
    assert distances[0] < 0.15


def test_calibration_keeps_what_is_known_of_a_label_and_flattens_what_is_overstated() -> None:
    # Labels are pairs of one of three words, which is known, and one of four wordings, which is drawn anew.
    torch.manual_seed(0)
    rows, words, wordings = 4_000, torch.randint(3, (4_000,)), torch.randint(4, (4_000,))
    known = functional.one_hot(words, 3).repeat_interleave(4, 1) * 6.0
    overstated = functional.one_hot(torch.randint(4, (rows,)), 4).repeat(1, 3) * 3.0
    head = CategoricalHead(CONTEXT, 12)
    linear = head.network[-1]
    torch.nn.init.eye_(linear.weight[:, :12])
    head.log_prior.fill_(-math.log(12))
    tilt = known + overstated
    head.calibrate(tilt, torch.zeros(rows, 12), words * 4 + wordings)
    calibrated = (head.sharpness * tilt @ linear.weight[:, :12].T + head.log_prior).softmax(1)
    by_word = calibrated.view(rows, 3, 4).sum(2).gather(1, words[:, None])
    by_wording = calibrated.view(rows, 3, 4).sum(1)
    assert by_word.mean() > 0.97
    assert by_wording.max() < 0.35


def test_calibration_is_bounded() -> None:
    head = CategoricalHead(CONTEXT, 2)
    tilt = torch.tensor([[5.0, -5.0]]).expand(5_000, -1)
    head.calibrate(tilt, torch.zeros_like(tilt), torch.ones(5_000, dtype=torch.int64))
    assert head.sharpness.item() == pytest.approx(math.exp(-1.5), rel=1e-4)


def test_the_cell_within_a_bin_gives_no_gradient_to_the_context() -> None:
    head, cells = binned()
    for weight in head.parameters():
        weight.data += 0.3 * torch.randn_like(weight)
    context = torch.randn(len(cells), CONTEXT, requires_grad=True)
    distribution = head(context)
    assert distribution.within_log_prob(cells).std() > 0
    whole, bins = (
        torch.autograd.grad(score.sum(), context, retain_graph=True)[0]
        for score in (
            distribution.log_prob(cells),
            distribution.log_prob(cells) - distribution.within_log_prob(cells),
        )
    )
    torch.testing.assert_close(whole, bins)
    assert whole.abs().sum() > 0
    within = torch.autograd.grad(distribution.within_log_prob(cells).sum(), list(head.cells.parameters()))
    assert all(gradient.abs().sum() > 0 for gradient in within)
