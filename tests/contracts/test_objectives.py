"""Contract of every training objective, tested on each stage of each method that uses it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import METHODS, Method, Stage
from amodal.modalities import CategoryOneHot, Modality, NumberQuantile
from amodal.models import GenerativeModel
from amodal.models.latent_flow import AnyOrderLoss
from amodal.models.objective import Loss
from amodal.models.vae import objectives
from tests.modalities.vector import LatentVector, Vector

ROWS = 12
MODALITIES: dict[str, Modality] = {
    "vector": Vector(3),
    "encoded": LatentVector(4),
    "number": NumberQuantile((0.0, 1.0, 2.0), decimals=2),
    "label": CategoryOneHot(("a", "b", "c"), "text"),
}
STAGES = [(method, stage) for method in METHODS for stage in method.stages]


@pytest.fixture(params=STAGES, ids=lambda pair: f"{pair[0].name}-{type(pair[1].objective).__name__}")
def stage(request: pytest.FixtureRequest) -> Stage:
    return request.param[1]


@pytest.fixture
def model(request: pytest.FixtureRequest) -> GenerativeModel:
    method: Method = request.node.callspec.params["stage"][0]
    torch.manual_seed(0)
    model = method.model(MODALITIES, latent=2, features=16)
    # Layers that start at zero would hide what reaches them.
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.05 * torch.randn_like(weight)
    return model


@pytest.fixture
def batch() -> Batch:
    """Rows whose columns depend on each other, a third of the cells missing."""
    generator = torch.Generator().manual_seed(1)
    hidden = torch.randn(ROWS, 1, generator=generator)
    x = {
        "vector": hidden * torch.tensor([1.0, -1.0, 0.5]),
        "encoded": hidden.repeat(1, 4),
        "number": hidden[:, 0],
        "label": (hidden[:, 0] > 0).long(),
    }
    present = torch.rand(ROWS, len(x), generator=generator) < 2 / 3
    present[:, 1] |= ~present.any(1)
    return Batch(x, present, torch.arange(ROWS) + 100)


def loss_of(stage: Stage, model: GenerativeModel, batch: Batch, seed: int = 0, progress: float = 1.0) -> Loss:
    return stage.objective(model, batch, RowNoise(seed, batch.rows), progress)


def gradients(stage: Stage, model: GenerativeModel, loss: Loss) -> list[Tensor]:
    model.zero_grad()
    loss.total.backward()
    return [
        torch.zeros_like(weight) if weight.grad is None else weight.grad for weight in stage.parameters(model)
    ]


def test_every_exported_objective_trains_a_method() -> None:
    exported = {getattr(objectives, name) for name in objectives.__all__}
    assert {kind for kind in exported if isinstance(kind, type)} <= {
        type(stage.objective) for _, stage in STAGES
    }


def test_the_loss_is_a_scalar_and_its_terms_have_no_gradient(
    stage: Stage, model: GenerativeModel, batch: Batch
) -> None:
    for progress in (0.0, 0.03, 1.0):
        loss = loss_of(stage, model, batch, progress=progress)
        assert loss.total.shape == ()
        assert loss.total.isfinite()
        for term in loss.terms.values():
            assert term.shape == ()
            assert term.isfinite()
            assert not term.requires_grad
    assert any((gradient != 0).any() for gradient in gradients(stage, model, loss))


def test_the_loss_is_a_mean_over_rows(stage: Stage, model: GenerativeModel, batch: Batch) -> None:
    if isinstance(stage.objective, AnyOrderLoss):
        # Its mean is over targets, and contrasts rows: test_losses computes both by hand.
        return
    sizes = (5, 7)
    parts = [loss_of(stage, model, rows).total for rows in (batch[:5], batch[5:])]
    mean = sum(size * part for size, part in zip(sizes, parts, strict=True)) / ROWS
    torch.testing.assert_close(loss_of(stage, model, batch).total, mean)


def test_the_order_of_rows_does_not_matter(stage: Stage, model: GenerativeModel, batch: Batch) -> None:
    order = torch.randperm(ROWS, generator=torch.Generator().manual_seed(2))
    before, after = loss_of(stage, model, batch), loss_of(stage, model, batch[order])
    torch.testing.assert_close(after.total, before.total)
    assert after.terms.keys() == before.terms.keys()
    for name, term in before.terms.items():
        torch.testing.assert_close(after.terms[name], term)


def test_the_seed_decides_the_loss(stage: Stage, model: GenerativeModel, batch: Batch) -> None:
    one, same, other = (loss_of(stage, model, batch, seed).total for seed in (3, 3, 4))
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


@pytest.mark.parametrize("progress", [0.03, 1.0])
def test_missing_cells_change_neither_loss_nor_gradient(
    stage: Stage, model: GenerativeModel, batch: Batch, progress: float
) -> None:
    x = {}
    for index, (name, values) in enumerate(batch.x.items()):
        missing = ~batch.present[:, index].view(-1, *([1] * (values.dim() - 1)))
        x[name] = torch.where(missing, torch.nan if values.is_floating_point() else 2, values)
    clean, spoilt = (loss_of(stage, model, rows, progress=progress) for rows in (batch, replace(batch, x=x)))
    assert torch.equal(clean.total, spoilt.total)
    before = gradients(stage, model, clean)
    for one, other in zip(before, gradients(stage, model, spoilt), strict=True):
        assert one.isfinite().all()
        assert torch.equal(one, other)


def test_training_lowers_the_loss(stage: Stage, model: GenerativeModel, batch: Batch) -> None:
    optimiser = torch.optim.Adam(stage.parameters(model), 0.003)
    losses = []
    for _ in range(60):
        loss = loss_of(stage, model, batch)
        optimiser.zero_grad()
        loss.total.backward()
        optimiser.step()
        losses.append(loss.total.item())
    assert losses[-1] < losses[0] - 0.1 * abs(losses[0])
