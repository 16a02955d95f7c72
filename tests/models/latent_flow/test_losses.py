"""Losses of latent flows, by hand."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.modalities import CategoryOneHot, NumberQuantile
from amodal.models.latent_flow import AnyOrderLoss, LatentFlow, losses
from amodal.models.latent_flow.contrastive import info_nce
from amodal.models.latent_flow.losses import flow_matching_loss
from amodal.models.latent_flow.masks import given_masks
from tests.modalities.vector import LatentVector


def test_flow_matching_loss_is_the_squared_error_of_the_velocity() -> None:
    x_0, x_1, t = torch.randn(3, 5, 2), torch.randn(3, 5, 2), torch.rand(3, 5)
    loss = flow_matching_loss(lambda x, times: x * times[..., None], x_0, x_1, t)
    for row in range(5):
        errors = []
        for k in range(3):
            x_t = (1 - t[k, row]) * x_0[k, row] + t[k, row] * x_1[k, row]
            errors.append((t[k, row] * x_t - (x_1[k, row] - x_0[k, row])).square().sum())
        torch.testing.assert_close(loss[row], torch.stack(errors).mean())
    exact = flow_matching_loss(lambda x, times: x_1 - x_0, x_0, x_1, t)
    assert (exact == 0).all()


def test_info_nce_is_the_cross_entropy_of_the_row_among_the_rows_with_both_columns() -> None:
    embeddings = torch.randn(4, 3, 5)
    present = torch.tensor([[1, 1, 0], [1, 1, 1], [0, 1, 1], [1, 0, 0]]).bool()
    expected = []
    for i, j in ((1, 0), (2, 0), (2, 1)):
        rows = (present[:, i] & present[:, j]).nonzero().flatten().tolist()
        for row in rows:
            scores = torch.stack(
                [functional.cosine_similarity(embeddings[row, i], embeddings[n, j], dim=0) for n in rows]
            )
            expected.append(-(scores / 0.5).log_softmax(0)[rows.index(row)])
    torch.testing.assert_close(info_nce(embeddings, present, temperature=0.5), torch.stack(expected).mean())
    assert info_nce(embeddings, torch.eye(4, 3).bool()) == 0


def small_model(rows: int = 6) -> tuple[LatentFlow, Batch]:
    torch.manual_seed(0)
    columns = {
        "v": LatentVector(3),
        "number": NumberQuantile((0.0, 1.0), decimals=2),
        "label": CategoryOneHot(("a", "b"), "text"),
    }
    model = LatentFlow(columns, latent=4, features=8)
    torch.nn.init.normal_(model.generators[0].output_proj.weight, std=0.3)
    present = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 1]]).bool()
    x = {"v": torch.randn(rows, 3), "number": torch.randn(rows), "label": torch.randint(0, 2, (rows,))}
    return model, Batch(x, present, torch.arange(rows))


def perturb(model: LatentFlow) -> None:
    """Change layers that are zero in a new model, which hide what they are applied to."""
    with torch.no_grad():
        for weight in model.generators.parameters():
            weight += 0.2 * torch.randn_like(weight)


class Recorded(AnyOrderLoss):
    """Records the target cells as (mask, row, column)."""

    targets: list[tuple[int, int, int]]

    def _target_losses(self, model, index, batch, context, masks, mask, row, noise) -> Tensor:  # type: ignore[no-untyped-def]
        self.targets.extend((int(s), int(r), index) for s, r in zip(mask, row, strict=True))
        return super()._target_losses(model, index, batch, context, masks, mask, row, noise)


def test_targets_are_the_present_cells_that_are_not_given(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = small_model()
    monkeypatch.setattr(losses, "can_share", lambda head: False)
    objective = Recorded(num_flow_masks=2)
    object.__setattr__(objective, "targets", [])
    objective(model, batch, RowNoise(0, batch.rows))
    # These columns have no augmentation, so that the masks take the first random numbers.
    given = given_masks(batch.present, RowNoise(0, batch.rows), 1, 3, 2).given
    expected = {
        (mask, row, column)
        for mask, row, column in (batch.present & ~given).nonzero().tolist()
        if column != 0 or mask < 2
    }
    assert expected
    assert len(objective.targets) == len(set(objective.targets))
    assert set(objective.targets) == expected


def test_heads_computed_at_once_have_the_loss_of_each_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model, batch = small_model()
    perturb(model)
    shared = AnyOrderLoss()(model, batch, RowNoise(0, batch.rows))
    shared.total.backward()
    gradients = [weight.grad for weight in model.parameters()]
    model.zero_grad()
    monkeypatch.setattr(losses, "can_share", lambda head: False)
    alone = AnyOrderLoss()(model, batch, RowNoise(0, batch.rows))
    alone.total.backward()
    torch.testing.assert_close(shared.total, alone.total)
    torch.testing.assert_close(shared.terms, alone.terms)
    compared = 0
    for one, weight in zip(gradients, model.parameters(), strict=True):
        if one is None or weight.grad is None:
            assert one is weight.grad is None
            continue
        torch.testing.assert_close(one, weight.grad, rtol=1e-4, atol=1e-6)
        compared += 1
    assert compared > 20


def test_loss_is_the_weighted_mean_of_the_targets_losses_over_the_columns_entropy() -> None:
    model, batch = small_model()
    perturb(model)
    model.target_nats.copy_(torch.tensor([2.0, 0.5, 0.7]))
    objective = AnyOrderLoss(
        num_masks=2, num_single_masks=1, num_rest_masks=1, num_flow_masks=2, num_times=1, flow_weight=0.5
    )
    loss = objective(model, batch, RowNoise(0, batch.rows))
    noise = RowNoise(0, batch.rows)
    masks = given_masks(batch.present, noise, 2, 1, 1)
    given = masks.given
    # Of each mask and row: x_0, the noise of x_1, and t.
    normal, times = noise.normal(2, 2, 2), noise.uniform(2)
    autoencoder = model.autoencoder(0)
    assert autoencoder is not None
    terms: dict[str, list[tuple[float, Tensor]]] = {name: [] for name in model.modalities}
    embeddings_of = []
    for row in range(len(batch)):
        cells = {name: values[row : row + 1] for name, values in batch.x.items()}
        alone = Batch(cells, batch.present[row : row + 1], batch.rows[row : row + 1])
        embeddings = model.column_embeddings(alone)
        embeddings_of.append(embeddings)
        for mask in range(4):
            context = model.context(embeddings, given[mask, row : row + 1])
            for index, name in enumerate(model.modalities):
                if not batch.present[row, index] or given[mask, row, index] or (name == "v" and mask >= 2):
                    continue
                if name == "v":
                    posterior = autoencoder.posterior(cells["v"])
                    start, deviation, time = normal[row, 0, mask], normal[row, 1, mask], times[row, mask]
                    end = posterior.mean[0] + (0.5 * posterior.log_variance[0]).exp() * deviation
                    point = (1 - time) * start + time * end
                    network = model.generators[0]
                    velocity = network(point[None, None], time.view(1, 1), network.context_proj(context))[
                        0, 0
                    ]
                    # A mean over the latent's two dimensions.
                    term = 0.5 * (velocity - (end - start)).square().sum() / 2
                else:
                    term = -model.generators[index](context).log_prob(cells[name])[0]
                terms[name].append(([1.0, 1.0, 1.0, 3.0][mask], term))
    total = info_nce(torch.cat(embeddings_of), batch.present, torch.tensor([True, False, False]))
    torch.testing.assert_close(loss.terms["info_nce"], total.detach())
    for name, nats in zip(model.modalities, (2.0, 0.5, 0.7), strict=True):
        mean = sum(weight * term for weight, term in terms[name]) / sum(weight for weight, _ in terms[name])
        torch.testing.assert_close(loss.terms[name], mean.detach())
        total = total + mean / nats
    torch.testing.assert_close(loss.total, total)


def test_a_columns_gradient_into_what_is_shared_is_scaled_by_its_generalisation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    model, batch = small_model()
    perturb(model)
    for is_shared in (True, False):
        if not is_shared:
            monkeypatch.setattr(losses, "can_share", lambda head: False)

        def gradients(generalisation: list[float]) -> tuple[Tensor, Tensor]:
            model.generalisation.copy_(torch.tensor(generalisation))
            model.zero_grad()
            loss = AnyOrderLoss(contrastive_weight=0.0)(model, batch, RowNoise(0, batch.rows))
            loss.total.backward()
            heads = torch.cat([weight.grad.flatten() for weight in model.generators.parameters()])
            return model.context_network.null_embedding.grad, heads

        (one, heads), (none, of_none), (half, of_half) = map(
            gradients, ([1.0, 1.0, 1.0], [0.0, 0.0, 0.0], [1.0, 0.5, 0.0])
        )
        alone = [gradients([float(index == at) for index in range(3)])[0] for at in range(3)]
        assert (none == 0).all()
        assert all((each != 0).any() for each in alone)
        torch.testing.assert_close(one, sum(alone))
        torch.testing.assert_close(half, alone[0] + 0.5 * alone[1])
        torch.testing.assert_close(heads, of_none)
        torch.testing.assert_close(heads, of_half)


def test_info_nce_contrasts_the_pairs_of_a_column_that_is_contrasted() -> None:
    embeddings, present = torch.randn(6, 4, 5), torch.ones(6, 4, dtype=torch.bool)
    pair = {(i, j): info_nce(embeddings[:, [j, i]], present[:, [j, i]]) for i in range(4) for j in range(i)}
    for hard in ([0], [2], [1, 3]):
        contrasted = torch.tensor([index in hard for index in range(4)])
        expected = torch.stack([loss for columns, loss in pair.items() if {*columns} & {*hard}]).mean()
        torch.testing.assert_close(info_nce(embeddings, present, contrasted), expected)
    assert info_nce(embeddings, present, torch.zeros(4, dtype=torch.bool)) == 0


def test_no_target_has_no_loss_and_zero_gradients() -> None:
    model, batch = small_model()
    batch = batch.given(["label"])
    some = batch.present.any(1)
    batch = batch[some]
    objective = AnyOrderLoss(num_masks=0, num_single_masks=2, num_rest_masks=0)
    loss = objective(model, batch, RowNoise(0, batch.rows))
    assert loss.total == 0
    loss.total.backward()
    # In distributed training each process must have a gradient of each weight.
    assert all(weight.grad is not None for weight in model.generators.parameters())
    assert all((weight.grad == 0).all() for weight in model.generators.parameters())


def test_training_lowers_the_flow_matching_loss_and_leaves_the_autoencoder() -> None:
    model, batch = small_model()
    before = [weight.clone() for weight in model.autoencoders.parameters()]
    parts = [
        *model.encoders.parameters(),
        *model.context_network.parameters(),
        *model.generators.parameters(),
    ]
    optimiser = torch.optim.Adam(parts, 0.005)

    def loss() -> tuple[Tensor, float]:
        found = AnyOrderLoss()(model, batch, RowNoise(0, batch.rows))
        return found.total, float(found.terms["v"])

    first, flow = loss()
    for _ in range(60):
        optimiser.zero_grad()
        loss()[0].backward()
        optimiser.step()
    last, flow_last = loss()
    assert last < first - 0.3
    assert flow_last < 0.7 * flow
    assert all(torch.equal(a, b) for a, b in zip(before, model.autoencoders.parameters(), strict=True))
