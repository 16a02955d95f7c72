"""Distillation of a flow whose trajectory is known in closed form."""

from __future__ import annotations

from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.modalities import CategoryOneHot
from amodal.models.latent_flow import DistillationLoss, LatentFlow
from amodal.models.latent_flow.masks import given_masks
from tests.modalities.vector import LatentVector

GROWTH = 0.8
STEPS = 4


class LinearGrowth(nn.Module):
    """The velocity GROWTH * x, in any context."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.context_proj = nn.Identity()

    def forward(self, points: Tensor, times: Tensor, context: Tensor) -> Tensor:
        return GROWTH * points


def small_model(monkeypatch: pytest.MonkeyPatch, **options: float) -> tuple[LatentFlow, Batch]:
    torch.manual_seed(0)
    model = LatentFlow(
        {"v": LatentVector(3), "label": CategoryOneHot(("a", "b"), "text")}, latent=4, features=8, **options
    )
    network = model.generators[0]
    monkeypatch.setattr(network, "forward", LinearGrowth(2).forward)
    present = torch.tensor([[1, 1], [1, 0], [0, 1], [1, 1], [1, 1]]).bool()
    x = {"v": torch.randn(5, 3), "label": torch.randint(0, 2, (5,))}
    return model, Batch(x, present, torch.arange(5))


def test_loss_is_the_squared_error_of_each_student_step(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = small_model(monkeypatch)
    objective = DistillationLoss(num_student_masks=1, num_student_single_masks=1, num_teacher_steps=STEPS)
    loss = objective(model, batch, RowNoise(0, batch.rows))
    noise = RowNoise(0, batch.rows)
    given = given_masks(batch.present, noise, 1, 1, 0).given
    x_0 = noise.normal(2, 2).transpose(0, 1)
    # Heun's method multiplies the point by this in a step; a student step is two of them.
    step = 1 + GROWTH / STEPS + 0.5 * (GROWTH / STEPS) ** 2
    parts = []
    for mask in range(2):
        for row in range(5):
            if given[mask, row, 0]:
                continue
            start = x_0[mask, row]
            points = [start, step**2 * start, step**4 * start]
            # A new student has velocity zero.
            errors = [2 * (after - before) for before, after in pairwise(points)]
            parts.append(torch.stack(errors).square().sum(1).mean())
    assert 0 < len(parts) < 10
    torch.testing.assert_close(loss.total, torch.stack(parts).sum() / 10)
    torch.testing.assert_close(loss.terms["v"], torch.stack(parts).mean())
    assert set(loss.terms) == {"v"}


def test_training_the_students_brings_their_samples_to_the_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = small_model(monkeypatch, num_student_steps=2)
    model.requires_grad_(False)
    model.students.requires_grad_()
    optimiser = torch.optim.Adam(model.students.parameters(), 0.003)
    losses = []
    for turn in range(150):
        optimiser.zero_grad()
        loss = DistillationLoss()(model, batch, RowNoise(turn, batch.rows)).total
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert sum(losses[-10:]) < 0.2 * sum(losses[:10])
    context = model.embed(batch.given([]))
    start = torch.randn(1, 5, 2)
    samples = model.student_flow(0, context).trajectory(start)[-1]
    step = 1 + GROWTH / STEPS + 0.5 * (GROWTH / STEPS) ** 2
    assert (samples - step**4 * start).square().mean() < 0.2 * ((step**4 - 1) * start).square().mean()


def test_the_teacher_is_the_guided_flow() -> None:
    torch.manual_seed(0)
    columns = {"v": LatentVector(3), "label": CategoryOneHot(("a", "b"), "text")}
    model = LatentFlow(columns, latent=4, features=8, guidance=1.0)
    torch.nn.init.normal_(model.generators[0].output_proj.weight, std=0.5)
    x = {"v": torch.randn(40, 3), "label": torch.randint(0, 2, (40,))}
    batch = Batch(x, torch.tensor([[False, True]]).expand(40, 2), torch.arange(40))
    objective = DistillationLoss(num_student_masks=0, num_student_single_masks=1)

    def loss(guidance: float, batch: Batch) -> float:
        model.guidance = guidance
        return objective(model, batch, RowNoise(0, batch.rows)).total.item()

    assert loss(1.0, batch) != pytest.approx(loss(4.0, batch), rel=1e-3)
    # The null context is not guided.
    empty = batch.given([])
    assert loss(1.0, empty) == pytest.approx(loss(4.0, empty), rel=1e-4)
