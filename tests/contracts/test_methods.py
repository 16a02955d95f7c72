"""Contract of every method's model; a new method is tested by being listed. See test_objectives.py for training."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.methods import METHODS, Method
from amodal.modalities import CategoryOneHot, Modality, NumberQuantile, TextTokens
from amodal.models import GenerativeModel
from amodal.models.latent_flow import LatentFlow
from amodal.models.vae import JointLatentVAE
from tests.modalities.vector import NOISE, Vector

LATENT = 2


@pytest.fixture(params=METHODS, ids=lambda method: method.name)
def method(request: pytest.FixtureRequest) -> Method:
    return request.param


def built(method: Method, modalities: Mapping[str, Modality], **options: Any) -> GenerativeModel:
    torch.manual_seed(0)
    if "private" in inspect.signature(method.model).parameters:
        options.setdefault("private", 1)
    return method.model(modalities, latent=LATENT, features=16, **options)


VECTORS: dict[str, Modality] = {"a": Vector(3), "b": Vector(2), "c": Vector(1)}
# Methods whose columns are drawn from one joint latent.
JOINT = tuple(method for method in METHODS if isinstance(built(method, VECTORS), JointLatentVAE))


@pytest.fixture(params=JOINT, ids=lambda method: method.name)
def joint(request: pytest.FixtureRequest) -> Method:
    return request.param


def split_column(model: GenerativeModel, name: str) -> tuple[int, str, str] | None:
    """Column whose own weight this is, with the name's parts around it; None for a weight of all columns.

    A model holds columns' own weights in lists with an entry a column.
    """
    parts = name.split(".")
    for depth in range(1, len(parts)):
        owner = model.get_submodule(".".join(parts[:depth]))
        if isinstance(owner, nn.ModuleList | nn.ParameterList) and len(owner) == len(model.modalities):
            return int(parts[depth]), ".".join(parts[:depth]), ".".join(parts[depth + 1 :])
    return None


def reorder_columns(model: GenerativeModel, method: Method, order: list[str]) -> GenerativeModel:
    """The same model with its columns in another order."""
    reordered = built(method, {name: MIXED[name] for name in order}).eval()
    fewer = built(method, {name: MIXED[name] for name in order[:2]}).state_dict()
    # Not fitted here; test_linear_experts reorders fitted ones.
    unfitted = "experts." if isinstance(model, LatentFlow) else ()
    state = {name: weight for name, weight in reordered.state_dict().items() if name.startswith(unfitted)}
    for name, weight in model.state_dict().items():
        own = split_column(model, name)
        if name.startswith(unfitted):
            continue
        if name == "generalisation":
            weight = weight[[list(MIXED).index(column) for column in order]]
        elif own is not None:
            index, before, after = own
            name = f"{before}.{order.index(list(MIXED)[index])}.{after}".rstrip(".")
        elif fewer[name].shape != weight.shape:
            pytest.skip(f"{name} reads all columns side by side, in their order")
        state[name] = weight
    reordered.load_state_dict(state)
    return reordered


MIXED: dict[str, Modality] = {
    "number": NumberQuantile((0.0, 1.0, 2.0), decimals=2),
    "label": CategoryOneHot(("a", "b", "c"), "text"),
    "text": TextTokens(("one", "two", "three"), (9, 5, 1), 10, 4, 2.0),
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


def test_a_column_that_is_never_present_gets_no_gradient(method: Method) -> None:
    # MMVAE+'s auxiliary scale has a mean of one, and so no gradient in one dimension.
    private = {"private": 2} if "private" in inspect.signature(method.model).parameters else {}
    model, batch = built(method, MIXED, **private), mixed().given(["number", "label"])
    batch = batch[batch.present.any(1)]
    # Heads that start at zero would let no gradient through.
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.05 * torch.randn_like(weight)
    method.objective(model, batch, RowNoise(0, batch.rows)).total.backward()
    reached: dict[str, set[int]] = {}
    trainable: dict[str, set[int]] = {}
    for name, weight in model.named_parameters():
        if (own := split_column(model, name)) is not None:
            trainable.setdefault(own[1], set()).add(own[0])
            columns = reached.setdefault(own[1], set())
            if weight.grad is not None and (weight.grad != 0).any():
                columns.add(own[0])
    assert reached
    assert reached == {name: columns & {0, 1} for name, columns in trainable.items()}


def test_the_order_of_columns_does_not_matter(method: Method) -> None:
    model, batch, order = built(method, MIXED).eval(), mixed(), ["text", "number", "label"]
    reordered = reorder_columns(model, method, order)
    present = batch.present[:, [list(MIXED).index(name) for name in order]]
    turned = Batch({name: batch.x[name] for name in order}, present, batch.rows)
    torch.testing.assert_close(model.embed(batch), reordered.embed(turned))
    scores = [
        net.log_prob(rows, RowNoise(0, rows.rows), num_samples=4_000)
        for net, rows in ((model, batch), (reordered, turned))
    ]
    torch.testing.assert_close(*scores, atol=0.05, rtol=0)


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
