"""What every method keeps; a new one is tested by being listed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import METHODS, Method
from amodal.modalities import CategoryOneHot, Modality, NumberQuantile, TextTokens
from amodal.models import GenerativeModel
from amodal.models.latent_flow import LatentFlow
from amodal.models.vae import EarlyFusionVAE, JointLatentVAE, MMVAEPlus
from tests.vector import NOISE, Vector

LATENT = 2


@pytest.fixture(params=METHODS, ids=lambda method: method.name)
def method(request: pytest.FixtureRequest) -> Method:
    return request.param


# Those with a latent of each column's own.
PRIVATE = ("mmvae-plus", "dmvae")
# Those whose columns are drawn from one latent.
JOINT = tuple(method for method in METHODS if method.model is not LatentFlow)


@pytest.fixture(params=JOINT, ids=lambda method: method.name)
def joint(request: pytest.FixtureRequest) -> Method:
    return request.param


def built(method: Method, modalities: Mapping[str, Modality], **options: Any) -> GenerativeModel:
    torch.manual_seed(0)
    if method.name in PRIVATE:
        options["private"] = 1
    return method.model(modalities, latent=LATENT, features=16, **options)


def readers(
    model: GenerativeModel, index: int, of: Callable[[Tensor], Tensor] = Tensor.detach
) -> list[Tensor]:
    """What `of` says of the weights that read one column's cells: its networks' ones, or its part of a joint layer."""
    if isinstance(model, EarlyFusionVAE):
        joint = of(model.encoder[0].weight)
        return [joint[:, model.slices[index]], joint[:, index - len(model.modalities), None]]
    after = model.context_network.columns if isinstance(model, LatentFlow) else model.experts
    networks = model.encoders[index], after[index]
    return [of(weight) for network in networks for weight in network.parameters()]


def writers(
    model: GenerativeModel, index: int, of: Callable[[Tensor], Tensor] = Tensor.detach
) -> list[Tensor]:
    networks = model.generators if isinstance(model, LatentFlow) else model.decoders
    auxiliary = [model.auxiliary_logits[index]] if isinstance(model, MMVAEPlus) else []
    return [of(weight) for weight in [*networks[index].parameters(), *auxiliary]]


def gradient(weight: Tensor) -> Tensor:
    return torch.zeros_like(weight) if weight.grad is None else weight.grad


def moved_to(moved: GenerativeModel, model: GenerativeModel, places: list[int]) -> None:
    """Give a model of the same columns in another order, `places`, the weights of the first."""
    of_columns = (
        "encoders.",
        "experts.",
        "decoders.",
        "auxiliary_logits.",
        "context_network.columns.",
        "generators.",
    )
    shared = {name: weight for name, weight in model.state_dict().items() if not name.startswith(of_columns)}
    missing, unexpected = moved.load_state_dict(shared, strict=False)
    assert not unexpected
    assert all(name.startswith(of_columns) for name in missing)
    for new, old in enumerate(places):
        for part in (readers, writers):
            for theirs, mine in zip(part(moved, new), part(model, old), strict=True):
                theirs.copy_(mine)


MIXED: dict[str, Modality] = {
    "number": NumberQuantile((0.0, 1.0, 2.0), 2),
    "label": CategoryOneHot(("a", "b", "c"), "text"),
    "text": TextTokens(("one", "two", "three"), 4, 2.0),
}


def mixed(rows: int = 8) -> Batch:
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(2, 5, (rows, 4), generator=generator, dtype=torch.int32)
    text[:, 2:] = 0
    x = {
        "number": torch.randn(rows, generator=generator),
        "label": torch.randint(0, 3, (rows,), generator=generator),
        "text": text,
    }
    present = torch.rand(rows, 3, generator=generator) < 0.6
    present[:, 0] |= ~present.any(1)
    return Batch(x, present, torch.arange(rows) + 100)


VECTORS: dict[str, Modality] = {"a": Vector(3), "b": Vector(2), "c": Vector(1)}


def vectors() -> Batch:
    generator = torch.Generator().manual_seed(2)
    x = {name: torch.randn(5, modality.shape[0], generator=generator) for name, modality in VECTORS.items()}
    present = torch.tensor([[1, 1, 1], [1, 0, 1], [0, 1, 0], [1, 1, 0], [0, 0, 0]], dtype=torch.bool)
    return Batch(x, present, torch.arange(5))


def exact_log_marginal(model: JointLatentVAE, batch: Batch) -> Tensor:
    values = []
    for row, shown in enumerate(batch.present):
        maps = [model.decoders[i].map for i in range(3) if shown[i]]
        if not maps:
            values.append(torch.zeros(()))
            continue
        weight = torch.cat([m.weight for m in maps])
        mean = torch.cat([m.bias for m in maps])
        x = torch.cat([values_[row] for values_, there in zip(batch.x.values(), shown, strict=True) if there])
        shared, private = weight[:, :LATENT], [m.weight[:, LATENT:] for m in maps]
        covariance = shared @ shared.T + torch.block_diag(*(w @ w.T for w in private))
        covariance = covariance + NOISE**2 * torch.eye(len(mean))
        values.append(MultivariateNormal(mean, covariance).log_prob(x))
    return torch.stack(values).detach()


def test_log_prob_is_the_exact_linear_gaussian_value(joint: Method) -> None:
    model, batch = built(joint, VECTORS), vectors()
    with torch.no_grad():
        # Weak loadings, so that the samples suffice in more dimensions too.
        for decoder in model.decoders:
            decoder.map.weight.mul_(0.5)
    estimate = model.log_prob(batch, RowNoise(0, batch.rows), num_samples=40_000, chunk_size=10_000)
    torch.testing.assert_close(estimate, exact_log_marginal(model, batch), atol=0.1, rtol=0)


def spoilt(batch: Batch) -> Batch:
    x = {}
    for index, (name, values) in enumerate(batch.x.items()):
        absent = ~batch.present[:, index].view(-1, *([1] * (values.dim() - 1)))
        x[name] = torch.where(absent, torch.nan if values.is_floating_point() else 0, values)
    return replace(batch, x=x)


@pytest.mark.parametrize("progress", [0.03, 1.0])
def test_absent_cells_change_neither_loss_nor_gradient(method: Method, progress: float) -> None:
    losses, gradients = [], []
    for modalities, batch in ((VECTORS, vectors()), (VECTORS, spoilt(vectors()))):
        model = built(method, modalities)
        some = batch.present.any(1)
        batch = batch[some]
        loss = method.objective(model, batch, RowNoise(3, batch.rows), progress)
        loss.total.backward()
        losses.append(loss.total.detach())
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters()]))
    assert losses[0].isfinite()
    assert torch.equal(losses[0], losses[1])
    assert torch.equal(gradients[0], gradients[1])
    assert gradients[0].isfinite().all()


def test_a_column_that_is_never_there_gets_no_gradient(method: Method) -> None:
    model, batch = built(method, MIXED), mixed().given(["number", "label"])
    kept = batch.present.any(1)
    batch = batch[kept]
    method.objective(model, batch, RowNoise(0, batch.rows)).total.backward()
    assert all((part == 0).all() for part in readers(model, 2, gradient) + writers(model, 2, gradient))
    for part in (readers, writers):
        assert any((values != 0).any() for values in part(model, 0, gradient))


def test_the_order_of_columns_does_not_matter(method: Method) -> None:
    model, batch, order = built(method, MIXED), mixed(), ["text", "number", "label"]
    moved = built(method, {name: MIXED[name] for name in order})
    places = [list(MIXED).index(name) for name in order]
    moved_to(moved, model, places)
    turned = Batch({name: batch.x[name] for name in order}, batch.present[:, places], batch.rows)
    torch.testing.assert_close(model.embed(batch), moved.embed(turned))
    if isinstance(model, LatentFlow):
        told, noise = model.log_likelihoods(batch, RowNoise(0, batch.rows)), RowNoise(0, batch.rows)
        torch.testing.assert_close(told[:, places], moved.log_likelihoods(turned, noise))
        return
    z = model.posterior(batch).draw(RowNoise(0, batch.rows), 3)
    torch.testing.assert_close(model.posterior(batch).log_prob(z), moved.posterior(turned).log_prob(z))
    torch.testing.assert_close(
        model.log_likelihoods(z, batch)[:, :, places], moved.log_likelihoods(z, turned), atol=1e-5, rtol=1e-5
    )


def test_nothing_given_is_the_prior(joint: Method) -> None:
    model, batch = built(joint, MIXED), mixed().given([])
    drawn = model.posterior(batch).draw(RowNoise(0, batch.rows), 4000).shared
    torch.testing.assert_close(drawn.mean((0, 1)), torch.zeros(LATENT), atol=0.05, rtol=0)
    torch.testing.assert_close(drawn.std((0, 1)), torch.ones(LATENT), atol=0.05, rtol=0)
    assert (model.log_prob(batch, RowNoise(0, batch.rows)) == 0).all()


def test_whole_rows_are_drawn_from_where_rows_lie(joint: Method) -> None:
    model, batch = built(joint, MIXED).eval(), mixed(400)
    before = [drawn_cells(model, rows, 0) for rows in (batch, batch.given([]))]
    model.fit_aggregate_posterior([batch])
    after = [drawn_cells(model, rows, 0) for rows in (batch, batch.given([]))]
    latents = model.conditional(batch).draw(RowNoise(0, batch.rows), 1).shared[:, 0]
    assert model.aggregate_posterior().log_prob(latents).mean() > model.prior().log_prob(latents).mean()
    assert all(torch.equal(before[0][name], after[0][name]) for name in MIXED)
    assert not torch.equal(before[1]["number"], after[1]["number"])


def drawn_cells(model: GenerativeModel, batch: Batch, seed: int) -> dict[str, Tensor]:
    return model.complete(batch, MIXED, RowNoise(seed, batch.rows))


def test_same_seed_same_draws_whatever_the_batch(method: Method) -> None:
    model, batch = built(method, MIXED).eval(), mixed()
    one, same, other = (drawn_cells(model, batch, seed) for seed in (5, 5, 6))
    half = batch[4:]
    for name in MIXED:
        assert torch.equal(one[name], same[name])
        torch.testing.assert_close(one[name][4:], drawn_cells(model, half, 5)[name])
    assert any(not torch.equal(one[name], other[name]) for name in MIXED)


def test_training_lowers_the_loss(method: Method) -> None:
    model, batch = built(method, MIXED), mixed()
    optimiser = torch.optim.Adam(model.parameters(), 0.003)

    def loss() -> Tensor:
        return method.objective(model, batch, RowNoise(0, batch.rows)).total

    before = loss().item()
    for _ in range(30):
        optimiser.zero_grad()
        loss().backward()
        optimiser.step()
    assert loss().item() < before - min(10.0, 0.2 * before)
