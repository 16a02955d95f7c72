"""Random splits of rows to what is given and what is asked for, and the loss of what is asked for."""

from __future__ import annotations

import torch
from torch import Tensor

from amodal.batch import Batch
from amodal.distributions import Gaussians, RowNoise
from amodal.modalities import CategoryOneHot, NumberQuantile
from amodal.models.latent_flow import AnyOrderLoss, LatentFlow, cache_latents, given_masks
from tests.modalities.vector import LatentVector

ROWS, COLUMNS = 4_000, 4


def present() -> Tensor:
    there = torch.rand(ROWS, COLUMNS, generator=torch.Generator().manual_seed(0)) < 0.8
    there[:, 0] |= ~there.any(1)
    return there


def test_only_present_cells_are_given_and_all_sizes_come_up_alike() -> None:
    there = present()
    given = given_masks(there, RowNoise(0, torch.arange(ROWS)), 2, 0)
    assert given.shape == (2, ROWS, COLUMNS)
    assert not (given & ~there).any()
    assert not torch.equal(given[0], given[1])
    for split in given:
        counts = split[there.all(1)].sum(1).bincount(minlength=COLUMNS + 1) / there.all(1).sum()
        torch.testing.assert_close(counts, torch.full((COLUMNS + 1,), 0.2), atol=0.04, rtol=0)


def test_further_splits_give_one_cell_each_as_often() -> None:
    there = present()
    there[:5] = False
    given = given_masks(there, RowNoise(0, torch.arange(ROWS)), 1, 2)
    assert given.shape == (3, ROWS, COLUMNS)
    assert not (given & ~there).any()
    for split in given[1:]:
        assert (split.sum(1) == there.any(1)).all()
        alone = split[there.all(1)].float().mean(0)
        torch.testing.assert_close(alone, torch.full((COLUMNS,), 0.25), atol=0.04, rtol=0)


def test_a_rows_splits_are_the_same_in_any_batch() -> None:
    there, rows, some = present()[:20], torch.arange(20), torch.tensor([12, 3])
    whole = given_masks(there, RowNoise(0, rows), 1, 3)
    assert torch.equal(whole[:, some], given_masks(there[some], RowNoise(0, rows[some]), 1, 3))


def small(rows: int = 6) -> tuple[LatentFlow, Batch]:
    torch.manual_seed(0)
    columns = {
        "v": LatentVector(3),
        "number": NumberQuantile((0.0, 1.0), 2),
        "label": CategoryOneHot(("a", "b"), "text"),
    }
    model = LatentFlow(columns, latent=4, features=8)
    torch.nn.init.normal_(model.generators[0].output_proj.weight, std=0.3)
    there = torch.tensor([[1, 1, 1], [1, 1, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1], [1, 1, 1]]).bool()
    x = {"v": torch.randn(rows, 3), "number": torch.randn(rows), "label": torch.randint(0, 2, (rows,))}
    return model, Batch(x, there, torch.arange(rows))


class Recorded(AnyOrderLoss):
    """Says which cells were asked for, and after which split."""

    asked: list[tuple[int, int, int]]

    def _target_losses(self, model, index, batch, context, mask, row, noise) -> Tensor:  # type: ignore[no-untyped-def]
        self.asked.extend((int(s), int(r), index) for s, r in zip(mask, row, strict=True))
        return super()._target_losses(model, index, batch, context, mask, row, noise)


def test_targets_are_the_present_cells_that_are_not_given() -> None:
    model, batch = small()
    objective = Recorded(num_flow_masks=2)
    object.__setattr__(objective, "asked", [])
    objective(model, batch, RowNoise(0, batch.rows))
    # The network is in training, and these columns have nothing to move: the splits' noise comes first.
    given = given_masks(batch.present, RowNoise(0, batch.rows), 1, 3)
    expected = {
        (split, row, column)
        for split, row, column in (batch.present & ~given).nonzero().tolist()
        if column != 0 or split < 2
    }
    assert expected
    assert len(objective.asked) == len(set(objective.asked))
    assert set(objective.asked) == expected


def test_the_loss_is_that_of_each_target_by_hand() -> None:
    model, batch = small()
    objective = AnyOrderLoss(num_masks=2, num_single_masks=1, num_flow_masks=2, num_times=1, flow_weight=0.5)
    loss = objective(model, batch, RowNoise(0, batch.rows))
    noise = RowNoise(0, batch.rows)
    given = given_masks(batch.present, noise, 2, 1)
    # A row's noise for its flow: two normal vectors and a time for each of its splits.
    pool, times = noise.normal(2, 2, 2), noise.uniform(2)
    autoencoder = model.autoencoder(0)
    assert autoencoder is not None
    total = torch.zeros(())
    terms: dict[str, list[Tensor]] = {name: [] for name in model.modalities}
    for split, row in ((split, row) for split in range(3) for row in range(len(batch))):
        here = {name: values[row : row + 1] for name, values in batch.x.items()}
        embeddings = model.column_embeddings(
            Batch(here, batch.present[row : row + 1], batch.rows[row : row + 1])
        )
        context = model.context(embeddings, given[split, row : row + 1])
        for index, name in enumerate(model.modalities):
            if not batch.present[row, index] or given[split, row, index] or (name == "v" and split == 2):
                continue
            if name == "v":
                posterior = autoencoder.posterior(here["v"])
                start, deviation, time = pool[row, 0, split], pool[row, 1, split], times[row, split]
                end = posterior.mean[0] + (0.5 * posterior.log_variance[0]).exp() * deviation
                point = (1 - time) * start + time * end
                network = model.generators[0]
                moved = network(point[None, None], time.view(1, 1), network.context_proj(context))[0, 0]
                term = 0.5 * (moved - (end - start)).square().sum()
            else:
                term = -model.generators[index](context).log_prob(here[name])[0]
            terms[name].append(term)
            total = total + term / (len(batch) * (2 if name == "v" else 3))
    torch.testing.assert_close(loss.total, total)
    for name, parts in terms.items():
        torch.testing.assert_close(loss.terms[name], torch.stack(parts).mean().detach())


def test_all_that_is_given_asks_for_nothing() -> None:
    model, batch = small()
    batch = batch.given(["label"])
    some = batch.present.any(1)
    batch = batch[some]
    loss = AnyOrderLoss(num_masks=0, num_single_masks=2)(model, batch, RowNoise(0, batch.rows))
    assert loss.total == 0
    loss.total.backward()
    # Processes that train together must all have a gradient of the same weights.
    assert all(weight.grad is not None for weight in model.generators.parameters())
    assert all((weight.grad == 0).all() for weight in model.generators.parameters())


def test_kept_latents_are_those_of_the_batchs_rows() -> None:
    model, batch = small()
    model.eval()
    once = AnyOrderLoss()(model, batch, RowNoise(0, batch.rows)).total
    order = torch.tensor([4, 2, 0])
    part = batch[order]
    with cache_latents(model, [batch]):
        model.autoencoders["0"].latent_mean.zero_()
        model.autoencoders["0"].latent_std.fill_(1.0)
        latents = model.latents(0, part)
        assert isinstance(latents, Gaussians)
        kept = AnyOrderLoss()(model, part, RowNoise(0, part.rows)).total
        torch.nn.init.constant_(model.autoencoders["0"].head.bias, 9.0)
        again = AnyOrderLoss()(model, part, RowNoise(0, part.rows)).total
    assert torch.equal(kept, again)
    assert once != kept


def test_training_lowers_the_loss_of_flows_and_leaves_the_autoencoder() -> None:
    model, batch = small()
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
