"""Cached latents and the latent statistics that filling the cache fits."""

from __future__ import annotations

from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace

import pytest
import torch

from amodal.batch import Batch
from amodal.distributions import Gaussians, RowNoise
from amodal.modalities import CategoryOneHot, NumberQuantile
from amodal.models.latent_flow import (
    AnyOrderLoss,
    LatentFlow,
    calibrate_heads,
    calibration,
    prepare_conditionals,
)
from amodal.models.latent_flow.masks import subset_mask
from tests.models.latent_flow.test_losses import small_model
from tests.models.latent_flow.test_model import COLUMNS, MEDIA, NAMES, batch, moving_model, with_nan


def chunks(rows: Batch) -> Iterator[Batch]:
    """All rows, out of order."""
    yield rows[4:]
    yield rows[:4]


def perturb_autoencoders(model: LatentFlow) -> None:
    """Change the autoencoders, so that cached latents differ from encoded ones."""
    for autoencoder in model.autoencoders.values():
        torch.nn.init.constant_(autoencoder.head.bias, 3.0)


def latents_of(model: LatentFlow, rows: Batch, name: str) -> Gaussians:
    return model.latents(NAMES.index(name), rows)


def close(one: Gaussians, other: Gaussians) -> bool:
    return torch.allclose(one.mean, other.mean, atol=1e-5) and torch.allclose(
        one.log_variance, other.log_variance, atol=1e-5
    )


def test_latents_are_cached_within_the_context() -> None:
    model, rows = moving_model(), with_nan(batch())
    some = rows[[8, 1, 4]]
    with prepare_conditionals(model, chunks(rows)):
        cached = latents_of(model, some, "picture")
    encoded = latents_of(model, some, "picture")
    assert close(cached, encoded)
    with prepare_conditionals(model, chunks(rows)):
        perturb_autoencoders(model)
        assert close(latents_of(model, some, "picture"), encoded)
    assert not close(latents_of(model, some, "picture"), encoded)


def test_the_cache_is_cleared_after_an_exception() -> None:
    model, rows = moving_model(), batch()
    before: list[Gaussians] = []

    def interrupted() -> None:
        with prepare_conditionals(model, chunks(rows)):
            before.append(latents_of(model, rows, "picture"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    perturb_autoencoders(model)
    assert not close(latents_of(model, rows, "picture"), before[0])


def test_the_cache_is_not_in_the_state_dict() -> None:
    model, rows = moving_model(), batch()
    names = set(model.state_dict())
    with prepare_conditionals(model, chunks(rows)):
        assert set(model.state_dict()) == names
        assert all(len(weight) < 10_000 for weight in model.state_dict().values() if weight.dim())


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_latent_stats_are_those_of_samples_of_the_present_cells_posteriors(name: str) -> None:
    model, rows, index = moving_model(), with_nan(batch()), NAMES.index(name)
    autoencoder = model.autoencoder(index)
    assert autoencoder is not None
    present = rows.present[:, index]
    posterior = autoencoder.posterior(COLUMNS[name].scale(rows.x[name][present]))
    with prepare_conditionals(model, chunks(rows)):
        cached = latents_of(model, rows, name)
    torch.testing.assert_close(autoencoder.latent_mean, posterior.mean.mean(0))
    count = 20_000
    deviation = (0.5 * posterior.log_variance).exp()
    sampled = posterior.mean + deviation * torch.randn(count, *deviation.shape)
    torch.testing.assert_close(
        autoencoder.latent_std, sampled.flatten(0, 1).std(0, unbiased=False), rtol=0.02, atol=0
    )
    # Normalised, the present cells' latents have mean 0 and variance 1.
    torch.testing.assert_close(cached.mean[present].mean(0), torch.zeros(32), atol=1e-5, rtol=0)
    variance = cached.mean[present].var(0, unbiased=False) + cached.log_variance[present].exp().mean(0)
    torch.testing.assert_close(variance, torch.ones(32), atol=1e-4, rtol=0)


def test_a_column_without_cells_keeps_its_latent_stats() -> None:
    model, rows = moving_model(), batch().given(["label", "sound"])
    with prepare_conditionals(model, chunks(rows)):
        pass
    autoencoder = model.autoencoder(NAMES.index("picture"))
    assert autoencoder is not None
    assert (autoencoder.latent_mean == 0).all()
    assert (autoencoder.latent_std == 1).all()


def test_the_loss_reads_the_latents_of_the_batchs_rows() -> None:
    model, batch = small_model()
    model.eval()
    once = AnyOrderLoss()(model, batch, RowNoise(0, batch.rows)).total
    order = torch.tensor([4, 2, 0])
    part = batch[order]
    with prepare_conditionals(model, [batch]):
        model.autoencoders["0"].latent_mean.zero_()
        model.autoencoders["0"].latent_std.fill_(1.0)
        latents = model.latents(0, part)
        assert isinstance(latents, Gaussians)
        kept = AnyOrderLoss()(model, part, RowNoise(0, part.rows)).total
        torch.nn.init.constant_(model.autoencoders["0"].head.bias, 9.0)
        again = AnyOrderLoss()(model, part, RowNoise(0, part.rows)).total
    assert torch.equal(kept, again)
    assert once != kept


def numbers_and_labels(rows: int = 60) -> tuple[LatentFlow, Batch]:
    """A label that a number decides, and a number of its own; a few cells missing."""
    torch.manual_seed(0)
    columns = {
        "number": NumberQuantile(tuple(float(i) for i in range(30)), decimals=2),
        "label": CategoryOneHot(("a", "b"), "text"),
        "other": NumberQuantile((0.0, 1.0, 2.0), decimals=2),
    }
    number = torch.randn(rows)
    x = {"number": number, "label": (number > 0).long(), "other": torch.randn(rows)}
    present = torch.rand(rows, 3) < 0.9
    return LatentFlow(columns, latent=8, features=8), Batch(x, present, torch.arange(rows))


def test_heads_begin_at_the_frequencies_and_linear_predictions_of_training_rows() -> None:
    model, rows = numbers_and_labels()
    held_out = torch.tensor([3, 10, 20, 33, 47, 59])
    with prepare_conditionals(model, chunks(rows), len(rows), held_out):
        training = torch.ones(len(rows), dtype=torch.bool)
        training[held_out] = False
        labels = rows.x["label"][training & rows.present[:, 1]]
        head = model.generators[1]
        counts = torch.bincount(labels, minlength=2) + 0.5
        torch.testing.assert_close(head.log_prior.exp(), counts / counts.sum())
        entropy = -(head.log_prior * head.log_prior.exp()).sum()
        torch.testing.assert_close(model.target_nats[1], entropy)
        assert set(model.linear_cache) == {0, 1, 2}
        assert (head.tilt_weights != 0).any()
        cached, usable = model.cached_linear(1, torch.tensor([4, 2]), torch.tensor([True, False]))
        assert torch.equal(cached, model.linear_cache[1][[4, 2]])
        assert usable.tolist() == [True, False]
        # Of the rows that nothing is fitted to, what the fitted model predicts.
        features = model.linear_features(rows)
        predicted = model.experts(1, features, rows.present)[held_out]
        torch.testing.assert_close(predicted, model.linear_cache[1][held_out], atol=1e-4, rtol=1e-4)
        changed = replace(rows, x={**rows.x, "label": rows.x["label"].clone()})
        changed.x["label"][held_out] = 1 - changed.x["label"][held_out]
        prior, cache = head.log_prior.clone(), model.linear_cache[1][training].clone()
    assert not model.linear_cache
    again = numbers_and_labels()[0]
    with prepare_conditionals(again, chunks(changed), len(rows), held_out):
        torch.testing.assert_close(again.generators[1].log_prior, prior)
        # The labels that are held out are inputs of other columns alone.
        torch.testing.assert_close(again.linear_cache[1][training], cache)


def test_a_tiny_table_whose_rows_are_both_held_out_and_training_fits_all_of_them() -> None:
    model, rows = numbers_and_labels(8)
    with prepare_conditionals(model, chunks(rows), 8, torch.arange(8)):
        counts = torch.bincount(rows.x["label"][rows.present[:, 1]], minlength=2) + 0.5
        torch.testing.assert_close(model.generators[1].log_prior.exp(), counts / counts.sum())


def test_a_resumed_run_keeps_trained_tilts_and_has_the_same_predictions() -> None:
    model, rows = numbers_and_labels()
    with prepare_conditionals(model, chunks(rows), len(rows)):
        fitted = model.generators[1].tilt_weights.detach().clone()
        cache = {index: scores.clone() for index, scores in model.linear_cache.items()}
        state = model.target_nats.clone(), model.dropout
        with torch.no_grad():
            model.generators[1].tilt_weights += 0.5
    model.generalisation[1] = 0.25
    resumed = numbers_and_labels()[0]
    resumed.load_state_dict(model.state_dict())
    with prepare_conditionals(resumed, chunks(rows), len(rows)):
        torch.testing.assert_close(resumed.generators[1].tilt_weights.detach(), fitted + 0.5)
        assert resumed.generalisation[1] == 0.25
        assert resumed.linear_cache.keys() == cache.keys()
        for index, scores in cache.items():
            torch.testing.assert_close(resumed.linear_cache[index], scores)
        assert torch.equal(resumed.target_nats, state[0])
        assert resumed.dropout == state[1]


def test_a_limit_leaves_out_linear_predictions() -> None:
    model, rows = numbers_and_labels()
    with prepare_conditionals(model, chunks(rows), len(rows), None, lambda: True):
        assert not model.linear_cache
        assert not model.experts.is_fitted
        assert (model.generators[1].log_prior != 0).all()
    with prepare_conditionals(model, [rows[:20]], len(rows)):
        assert not model.linear_cache, "some rows were not read"


@pytest.mark.parametrize(("rows", "rate"), [(60, 0.5), (4_000, 0.2), (16_000, 0.1)])
def test_few_rows_have_more_dropout(rows: int, rate: float) -> None:
    model = numbers_and_labels(4)[0]
    table = numbers_and_labels(rows)[1]
    with prepare_conditionals(model, [table], rows, None, lambda: True):
        assert model.dropout == pytest.approx(rate)


def test_calibration_scores_cells_given_all_others_and_given_a_part_of_them() -> None:
    model, rows = numbers_and_labels(300)
    model.eval().requires_grad_(False)
    for weight in model.generators.parameters():
        weight += 0.3 * torch.randn_like(weight)
    with prepare_conditionals(model, chunks(rows), len(rows)):
        expected = {}
        part = subset_mask(rows.present, RowNoise(calibration._SEED, rows.rows))
        for index in range(3):
            head = deepcopy(model.generators[index])
            has_cell = rows.present[:, index]
            some = rows[has_cell]
            tilts, linears = [], []
            for given, scores in ((rows.present, model.linear_cache[index]), (part, None)):
                given = given.clone()
                given[:, index] = False
                context = model.embed(replace(some, present=given[has_cell]))
                if scores is None:
                    linear, logits = torch.zeros(len(some), len(head.log_prior)), head(context).logits
                else:
                    usable = torch.ones(len(some), dtype=torch.bool)
                    linear = head.linear_tilt(scores[has_cell])
                    logits = head(context, scores[has_cell], usable).logits
                tilts.append(logits - head.log_prior - linear)
                linears.append(linear)
            cells = model.cells(index, rows)[has_cell]
            head.calibrate(torch.cat(tilts), torch.cat(linears), cells.repeat(2))
            expected[index] = head
        calibrate_heads(model, [rows])
    for index, head in expected.items():
        calibrated = model.generators[index]
        torch.testing.assert_close(calibrated.sharpness, head.sharpness, rtol=1e-3, atol=1e-3)
        torch.testing.assert_close(calibrated.tilt_weights, head.tilt_weights, rtol=1e-2, atol=1e-2)
        assert abs(calibrated.sharpness.item() - 1.0) > 0.01


def test_calibration_without_held_out_rows_changes_nothing() -> None:
    model, rows = numbers_and_labels()
    model.eval()
    with prepare_conditionals(model, chunks(rows), len(rows)):
        state = {name: weight.clone() for name, weight in model.state_dict().items()}
        calibrate_heads(model, [])
        calibrate_heads(model, [rows.given([])])
        assert all(torch.equal(state[name], weight) for name, weight in model.state_dict().items())
