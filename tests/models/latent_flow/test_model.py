"""Any-order completion: what is drawn in which order, from what, and how it is scored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.distributions import MultivariateNormal
from torch.nn import functional

from amodal.batch import Batch
from amodal.distributions import FewStepFlow, Flow, Gaussians, RowNoise
from amodal.modalities import AudioMel, CategoryOneHot, ImagePixels, Modality, NumberQuantile, TextTokens
from amodal.models.latent_flow import LatentFlow, cache_latents, init_students
from amodal.nn import VelocityNetwork, precision
from tests.modalities.vector import NOISE, LatentVector

COLUMNS: dict[str, Modality] = {
    "sound": AudioMel(8_000, 9, 8, 256, 128),
    "number": NumberQuantile((0.0, 1.0, 2.0), 2),
    "picture": ImagePixels(8, 8, 1),
    "text": TextTokens(("one", "two", "three"), 4, 2.0),
    "label": CategoryOneHot(("a", "b", "c"), "text"),
}
NAMES = list(COLUMNS)
MEDIA = {"sound", "picture"}
ROWS = 10


def made(columns: dict[str, Modality] = COLUMNS, **options: float) -> LatentFlow:
    """A model whose flows move, as those of a new one do not."""
    torch.manual_seed(0)
    model = LatentFlow(columns, **({"latent": 8, "features": 16, "num_steps": 3} | options)).eval()
    for network in [*model.generators, *model.students.values()]:
        if isinstance(network, VelocityNetwork):
            torch.nn.init.normal_(network.output_proj.weight, std=0.3)
    return model.requires_grad_(False)


def batch(rows: int = ROWS) -> Batch:
    generator = torch.Generator().manual_seed(1)
    text = torch.randint(2, 5, (rows, 4), generator=generator, dtype=torch.int32)
    text[:, 2:] = 0
    x = {
        "sound": torch.rand(rows, 8, 9, generator=generator),
        "number": torch.randn(rows, generator=generator),
        "picture": torch.randint(0, 256, (rows, 1, 8, 8), generator=generator, dtype=torch.uint8),
        "text": text,
        "label": torch.randint(0, 3, (rows,), generator=generator),
    }
    present = torch.rand(rows, len(x), generator=generator) < 0.6
    return Batch(x, present, torch.arange(rows))


def part(whole: Batch, rows: list[int]) -> Batch:
    return whole[rows]


def spoilt(whole: Batch) -> Batch:
    x = {}
    for index, (name, values) in enumerate(whole.x.items()):
        absent = ~whole.present[:, index].view(-1, *([1] * (values.dim() - 1)))
        x[name] = torch.where(absent, torch.nan if values.is_floating_point() else 0, values)
    return replace(whole, x=x)


def noise(of: Batch, seed: int = 5) -> RowNoise:
    return RowNoise(seed, of.rows)


def test_exact_likelihoods_are_drawn_before_flows() -> None:
    assert [NAMES[index] for index in made().draw_order] == ["label", "text", "number", "picture", "sound"]


def test_a_given_target_stays_as_it_is() -> None:
    model, rows = made(), batch()
    drawn = model.complete(rows, NAMES, noise(rows))
    assert set(drawn) == set(NAMES)
    for index, name in enumerate(NAMES):
        given = rows.present[:, index]
        cells = COLUMNS[name].scale(rows.x[name])
        assert torch.equal(drawn[name][given], cells[given].to(drawn[name].dtype))
        assert not torch.equal(drawn[name][~given], cells[~given].to(drawn[name].dtype))


def test_only_targets_are_drawn_and_absent_cells_mean_nothing() -> None:
    model, rows = made(), batch()
    drawn = model.complete(rows, ["picture", "label"], noise(rows))
    assert set(drawn) == {"picture", "label"}
    again = model.complete(spoilt(rows), ["picture", "label"], noise(rows))
    assert all(torch.equal(drawn[name], again[name]) for name in drawn)


def test_each_target_is_given_those_drawn_before() -> None:
    model, rows = made(), batch().given([])
    drawn = model.complete(rows, ["label", "picture"], noise(rows))
    known = replace(rows, x={**rows.x, "label": drawn["label"]}).given(["label"])
    known = replace(known, present=functional.one_hot(torch.full((ROWS,), 4), 5).bool())
    # The noise goes on from where the label's draw has left it.
    after = noise(rows)
    after.gumbel(3)
    torch.testing.assert_close(model.complete(known, ["picture"], after)["picture"], drawn["picture"])


@pytest.mark.parametrize("fast", [False, True])
def test_a_rows_draw_is_the_same_in_any_batch(fast: bool, bfloat16: bool) -> None:
    model, rows = made(), batch()
    some = part(rows, [7, 2])
    whole, of_some = (model.complete(of, NAMES, noise(of), fast=fast) for of in (rows, some))
    for name in NAMES:
        torch.testing.assert_close(whole[name][[7, 2]], of_some[name])


def test_nothing_given_has_a_context_that_is_learned() -> None:
    model, rows = made(), batch()
    alone = model.embed(rows.given([]))
    torch.testing.assert_close(alone, alone[:1].expand(ROWS, -1))
    assert not torch.allclose(model.embed(rows), alone)
    model.requires_grad_()
    told = torch.zeros(1, len(NAMES), 8)
    context = model.context(told, torch.zeros(1, len(NAMES), dtype=torch.bool))
    torch.testing.assert_close(context.detach(), alone[:1])
    context.square().sum().backward()
    assert model.context_network.null_embedding.grad.abs().sum() > 0


def velocity(model: LatentFlow, of: Batch, guidance: float) -> Tensor:
    index = NAMES.index("picture")
    context = model.context(model.column_embeddings(of), of.present)
    flow = model.conditional(index, context, guidance=guidance)
    assert isinstance(flow, Flow)
    points = torch.randn(2, len(of), 32, generator=torch.Generator().manual_seed(0))
    return flow.velocity(points, torch.full((2, len(of)), 0.3))


def test_guidance_goes_from_nothing_given_through_what_is_given_and_on() -> None:
    model, rows = made(), batch().given(["label", "text", "number"])
    given, nothing = velocity(model, rows, 1.0), velocity(model, rows.given([]), 1.0)
    assert not torch.allclose(given, nothing)
    for guidance in (0.0, 0.5, 1.0, 3.0):
        expected = nothing + guidance * (given - nothing)
        torch.testing.assert_close(velocity(model, rows, guidance), expected, atol=1e-5, rtol=1e-5)


def test_guidance_of_draws_is_the_models_unless_it_is_said() -> None:
    rows = batch().given(["label", "text", "number"])

    def picture(model: LatentFlow, of: Batch, **how: float) -> Tensor:
        return model.complete(of, ["picture"], noise(of), **how)["picture"]

    model, unguided = made(guidance=2.0), made(guidance=1.0)
    torch.testing.assert_close(picture(model, rows), picture(unguided, rows, guidance=2.0))
    torch.testing.assert_close(picture(model, rows, guidance=1.0), picture(unguided, rows))
    assert not torch.allclose(picture(model, rows), picture(unguided, rows), atol=1e-4)
    # Without any it is as if nothing were given; and with nothing given it makes no difference.
    nothing = picture(unguided, rows.given([]))
    torch.testing.assert_close(picture(model, rows, guidance=0.0), nothing)
    torch.testing.assert_close(picture(model, rows.given([])), nothing)


def test_guidance_is_of_texts_and_flows_and_leaves_labels_and_numbers_as_likely_as_they_are() -> None:
    model, rows = made(), batch(200).given(["picture", "sound"])
    for name in ("label", "number", "text"):
        usual, guided_tokens = (
            model.complete(rows, [name], noise(rows), guidance=w)[name] for w in (1.0, 9.0)
        )
        assert torch.equal(usual, guided_tokens) == (name != "text")


def test_fast_draws_are_the_same_whatever_the_batch(bfloat16: bool) -> None:
    model, rows = made(), batch()
    some = part(rows, [2, 7])
    whole, alone = (model.complete(of, NAMES, noise(of), fast=True) for of in (rows, some))
    for name in NAMES:
        # To what a picture and a sound can show, where they are drawn in bfloat16.
        torch.testing.assert_close(whole[name][[2, 7]], alone[name], atol=1e-3, rtol=1e-3)


def test_fast_draws_use_shortcuts_and_others_do_not(bfloat16: bool) -> None:
    model, rows = made(guidance=1.0), batch().given([])
    fast, slow = (model.complete(rows, NAMES, noise(rows), fast=fast) for fast in (True, False))
    assert not torch.allclose(fast["picture"], slow["picture"], atol=1e-4)
    for name in NAMES:
        assert name in MEDIA or torch.equal(fast[name], slow[name])
    for network in model.students.values():
        torch.nn.init.zeros_(network.output_proj.weight)
    still = model.complete(rows, ["picture"], noise(rows), fast=True)["picture"]
    # A shortcut that stands still leaves the noise where it is.
    autoencoder = model.autoencoder(NAMES.index("picture"))
    assert autoencoder is not None
    # It decodes in bfloat16 where that is faster, which keeps two to three digits.
    torch.testing.assert_close(still, autoencoder.decode(noise(rows).normal(32)).mean, atol=0.01, rtol=0.0)
    again = model.complete(rows, NAMES, noise(rows))
    assert all(torch.equal(again[name], slow[name]) for name in NAMES)


def test_only_fast_draws_of_pictures_and_sounds_are_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = {}
    for half in (False, True):
        monkeypatch.setattr(precision, "has_fast_bfloat16", lambda device, half=half: half)
        model, rows = made(), batch().given([])
        for fast in (False, True):
            drawn[half, fast] = model.complete(rows, NAMES, noise(rows), fast=fast)
    for name in NAMES:
        assert torch.equal(drawn[False, False][name], drawn[True, False][name])
        exact, rounded = drawn[False, True][name], drawn[True, True][name]
        assert torch.equal(exact, rounded) == (name not in MEDIA)
        if name in MEDIA:
            # bfloat16 has eight binary digits, and each layer rounds anew.
            assert (rounded - exact).square().mean().sqrt() < 8 * 2**-8 * exact.std()


def test_shortcuts_begin_as_the_flows() -> None:
    model, rows = made(num_student_steps=3), batch()
    context = model.embed(rows)
    index = NAMES.index("sound")
    flow = model.conditional(index, context)
    before = model.student_flow(index, context)
    init_students(model)
    after = model.student_flow(index, context)
    assert isinstance(after, FewStepFlow)
    assert after.steps == 3
    points, times = torch.randn(1, ROWS, 32), torch.full((1, ROWS), 0.5)
    torch.testing.assert_close(after.velocity(points, times), flow.velocity(points, times))
    assert not torch.allclose(before.velocity(points, times), flow.velocity(points, times))
    # They are networks of their own: to train the one leaves the other.
    torch.nn.init.zeros_(model.students[str(index)].output_proj.weight)
    assert (model.generators[index].output_proj.weight != 0).any()


def chunks(rows: Batch) -> Iterator[Batch]:
    """All rows, not in order."""
    yield part(rows, list(range(4, ROWS)))
    yield part(rows, list(range(4)))


def spoil(model: LatentFlow) -> None:
    """Change what the autoencoders would say now, so that what is kept can be told from it."""
    for autoencoder in model.autoencoders.values():
        torch.nn.init.constant_(autoencoder.head.bias, 3.0)


def said(model: LatentFlow, rows: Batch, name: str) -> Gaussians:
    return model.latents(NAMES.index(name), rows)


def same(one: Gaussians, other: Gaussians) -> bool:
    return torch.allclose(one.mean, other.mean, atol=1e-5) and torch.allclose(
        one.log_variance, other.log_variance, atol=1e-5
    )


def test_latents_are_kept_of_all_rows_while_training_lasts() -> None:
    model, rows = made(), spoilt(batch())
    some = part(rows, [8, 1, 4])
    with cache_latents(model, chunks(rows)):
        kept = said(model, some, "picture")
    encoded = said(model, some, "picture")
    assert same(kept, encoded)
    with cache_latents(model, chunks(rows)):
        spoil(model)
        assert same(said(model, some, "picture"), encoded)
    assert not same(said(model, some, "picture"), encoded)


def test_kept_latents_are_gone_after_an_interruption() -> None:
    model, rows = made(), batch()
    before: list[Gaussians] = []

    def interrupted() -> None:
        with cache_latents(model, chunks(rows)):
            before.append(said(model, rows, "picture"))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    spoil(model)
    assert not same(said(model, rows, "picture"), before[0])


def test_what_is_kept_is_no_part_of_the_saved_model() -> None:
    model, rows = made(), batch()
    names = set(model.state_dict())
    with cache_latents(model, chunks(rows)):
        assert set(model.state_dict()) == names
        assert all(len(weight) < 10_000 for weight in model.state_dict().values() if weight.dim())


@pytest.mark.parametrize("name", sorted(MEDIA))
def test_centre_and_spread_are_those_of_samples_of_the_present_cells_latents(name: str) -> None:
    model, rows, index = made(), spoilt(batch()), NAMES.index(name)
    autoencoder = model.autoencoder(index)
    assert autoencoder is not None
    there = rows.present[:, index]
    posterior = autoencoder.posterior(COLUMNS[name].scale(rows.x[name][there]))
    with cache_latents(model, chunks(rows)):
        kept = said(model, rows, name)
    torch.testing.assert_close(autoencoder.latent_mean, posterior.mean.mean(0))
    count = 20_000
    deviation = (0.5 * posterior.log_variance).exp()
    sampled = posterior.mean + deviation * torch.randn(count, *deviation.shape)
    torch.testing.assert_close(
        autoencoder.latent_std, sampled.flatten(0, 1).std(0, unbiased=False), rtol=0.02, atol=0
    )
    # In these units the present cells' latents have mean 0 and variance 1.
    torch.testing.assert_close(kept.mean[there].mean(0), torch.zeros(32), atol=1e-5, rtol=0)
    variance = kept.mean[there].var(0, unbiased=False) + kept.log_variance[there].exp().mean(0)
    torch.testing.assert_close(variance, torch.ones(32), atol=1e-4, rtol=0)


def test_a_column_without_a_cell_keeps_its_units() -> None:
    model, rows = made(), batch().given(["label", "sound"])
    with cache_latents(model, chunks(rows)):
        pass
    autoencoder = model.autoencoder(NAMES.index("picture"))
    assert autoencoder is not None
    assert (autoencoder.latent_mean == 0).all()
    assert (autoencoder.latent_std == 1).all()


def test_likelihoods_are_those_of_each_column_given_those_before_it() -> None:
    model, rows = made(), spoilt(batch())
    scores = model.log_likelihoods(rows, noise(rows), num_samples=2)
    assert scores.shape == (ROWS, len(NAMES))
    assert scores.isfinite().all()
    assert (scores[~rows.present] == 0).all()
    assert (scores[rows.present] != 0).all()
    before: list[str] = []
    for name in ("label", "text", "number"):
        context = model.embed(rows.given(before))
        index = NAMES.index(name)
        there = rows.present[:, index]
        exact = model.conditional(index, context[there]).log_prob(rows.x[name][there])
        torch.testing.assert_close(scores[there, index], exact)
        before.append(name)


def test_a_categorys_likelihoods_sum_to_one() -> None:
    model, rows = made(), batch(3)
    rows = replace(rows, x={**rows.x, "label": torch.arange(3)}, present=torch.ones(3, 5, dtype=torch.bool))
    scores = model.log_likelihoods(rows, noise(rows), num_samples=1)[:, NAMES.index("label")]
    assert scores.exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_the_marginal_is_the_sum_over_columns() -> None:
    model, rows = made(), batch()
    total = model.log_prob(rows, noise(rows), num_samples=20)
    torch.testing.assert_close(total, model.log_likelihoods(rows, noise(rows), 2).sum(1))
    assert (model.log_prob(rows.given([]), noise(rows), num_samples=20) == 0).all()


def test_a_rows_score_is_the_same_in_any_batch() -> None:
    model, rows = made(), batch()
    some = part(rows, [7, 2])
    whole, of_some = (model.log_prob(of, noise(of), num_samples=20) for of in (rows, some))
    torch.testing.assert_close(whole[[7, 2]], of_some, rtol=1e-4, atol=1e-3)


def test_the_bound_is_exact_with_the_exact_posterior_and_tightens_with_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch.manual_seed(0)
    # A new flow stands still: its latents are noise, and cells are Gaussian.
    model = LatentFlow({"v": LatentVector(3)}, latent=4, features=8, num_steps=1).requires_grad_(False)
    rows = Batch({"v": torch.randn(6, 3)}, torch.ones(6, 1, dtype=torch.bool), torch.arange(6))
    autoencoder = model.autoencoder(0)
    assert autoencoder is not None
    autoencoder.latent_mean.copy_(torch.tensor([0.5, -1.0]))
    autoencoder.latent_std.copy_(torch.tensor([0.7, 2.0]))
    decoder = autoencoder.decoder.map
    decoder.weight.copy_(torch.tensor([[0.9, 0.0], [0.0, 0.4], [0.0, 0.0]]))
    weight = decoder.weight * autoencoder.latent_std
    mean = decoder(autoencoder.latent_mean)
    covariance = weight @ weight.T + NOISE**2 * torch.eye(3)
    exact = MultivariateNormal(mean, covariance).log_prob(rows.x["v"])

    def scores(wider: float, samples: int) -> Tensor:
        precision = 1 + weight.square().sum(0) / NOISE**2
        centred = (rows.x["v"] - mean) @ weight / NOISE**2 / precision
        spread = autoencoder.latent_std
        posterior = Gaussians(
            centred * spread + autoencoder.latent_mean,
            (spread.square() / precision).log() + torch.zeros(6, 2) + wider,
        )
        monkeypatch.setattr(autoencoder, "posterior", lambda cells: posterior)
        return model.log_likelihoods(rows, noise(rows), samples)[:, 0]

    torch.testing.assert_close(scores(0.0, 1), exact)
    few, many = ((scores(1.0, samples) - exact).abs().mean() for samples in (1, 100))
    assert many < 0.1
    assert many < 0.5 * few
