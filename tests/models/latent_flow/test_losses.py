"""Losses of latent flows, by hand."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from amodal.batch import Batch
from amodal.distributions import RowNoise
from amodal.modalities import CategoryOneHot, NumberQuantile
from amodal.models.latent_flow import AnyOrderLoss, LatentFlow
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
    losses = []
    for i, j in ((1, 0), (2, 0), (2, 1)):
        rows = (present[:, i] & present[:, j]).nonzero().flatten().tolist()
        for row in rows:
            scores = torch.stack(
                [functional.cosine_similarity(embeddings[row, i], embeddings[n, j], dim=0) for n in rows]
            )
            losses.append(-(scores / 0.5).log_softmax(0)[rows.index(row)])
    torch.testing.assert_close(info_nce(embeddings, present, temperature=0.5), torch.stack(losses).mean())
    assert info_nce(embeddings, torch.eye(4, 3).bool()) == 0


def small_model(rows: int = 6) -> tuple[LatentFlow, Batch]:
    torch.manual_seed(0)
    columns = {
        "v": LatentVector(3),
        "number": NumberQuantile((0.0, 1.0), 2),
        "label": CategoryOneHot(("a", "b"), "text"),
    }
    model = LatentFlow(columns, latent=4, features=8)
    torch.nn.init.normal_(model.generators[0].output_proj.weight, std=0.3)
    present = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 1]]).bool()
    x = {"v": torch.randn(rows, 3), "number": torch.randn(rows), "label": torch.randint(0, 2, (rows,))}
    return model, Batch(x, present, torch.arange(rows))


class Recorded(AnyOrderLoss):
    """Records the target cells as (mask, row, column)."""

    targets: list[tuple[int, int, int]]

    def _target_losses(self, model, index, batch, context, mask, row, noise) -> Tensor:  # type: ignore[no-untyped-def]
        self.targets.extend((int(s), int(r), index) for s, r in zip(mask, row, strict=True))
        return super()._target_losses(model, index, batch, context, mask, row, noise)


def test_targets_are_the_present_cells_that_are_not_given() -> None:
    model, batch = small_model()
    objective = Recorded(num_flow_masks=2)
    object.__setattr__(objective, "targets", [])
    objective(model, batch, RowNoise(0, batch.rows))
    # These columns have no augmentation, so that the masks take the first random numbers.
    given = given_masks(batch.present, RowNoise(0, batch.rows), 1, 3)
    expected = {
        (mask, row, column)
        for mask, row, column in (batch.present & ~given).nonzero().tolist()
        if column != 0 or mask < 2
    }
    assert expected
    assert len(objective.targets) == len(set(objective.targets))
    assert set(objective.targets) == expected


def test_loss_is_the_mean_of_the_targets_losses() -> None:
    model, batch = small_model()
    objective = AnyOrderLoss(num_masks=2, num_single_masks=1, num_flow_masks=2, num_times=1, flow_weight=0.5)
    loss = objective(model, batch, RowNoise(0, batch.rows))
    noise = RowNoise(0, batch.rows)
    given = given_masks(batch.present, noise, 2, 1)
    # Of each mask and row: x_0, the noise of x_1, and t.
    normal, times = noise.normal(2, 2, 2), noise.uniform(2)
    autoencoder = model.autoencoder(0)
    assert autoencoder is not None
    total = torch.zeros(())
    terms: dict[str, list[Tensor]] = {name: [] for name in model.modalities}
    for mask, row in ((mask, row) for mask in range(3) for row in range(len(batch))):
        cells = {name: values[row : row + 1] for name, values in batch.x.items()}
        embeddings = model.column_embeddings(
            Batch(cells, batch.present[row : row + 1], batch.rows[row : row + 1])
        )
        context = model.context(embeddings, given[mask, row : row + 1])
        for index, name in enumerate(model.modalities):
            if not batch.present[row, index] or given[mask, row, index] or (name == "v" and mask == 2):
                continue
            if name == "v":
                posterior = autoencoder.posterior(cells["v"])
                start, deviation, time = normal[row, 0, mask], normal[row, 1, mask], times[row, mask]
                end = posterior.mean[0] + (0.5 * posterior.log_variance[0]).exp() * deviation
                point = (1 - time) * start + time * end
                network = model.generators[0]
                velocity = network(point[None, None], time.view(1, 1), network.context_proj(context))[0, 0]
                term = 0.5 * (velocity - (end - start)).square().sum()
            else:
                term = -model.generators[index](context).log_prob(cells[name])[0]
            terms[name].append(term)
            total = total + term / (len(batch) * (2 if name == "v" else 3))
    torch.testing.assert_close(loss.total, total)
    for name, parts in terms.items():
        torch.testing.assert_close(loss.terms[name], torch.stack(parts).mean().detach())


def test_no_target_has_no_loss_and_zero_gradients() -> None:
    model, batch = small_model()
    batch = batch.given(["label"])
    some = batch.present.any(1)
    batch = batch[some]
    loss = AnyOrderLoss(num_masks=0, num_single_masks=2)(model, batch, RowNoise(0, batch.rows))
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
