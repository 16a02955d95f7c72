"""Any-order completion: order of drawing, conditioning, guidance and likelihoods."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from amodal.batch import Batch
from amodal.distributions import FewStepFlow, Flow, RowNoise
from amodal.modalities import AudioMel, CategoryOneHot, ImagePixels, Modality, NumberQuantile, TextTokens
from amodal.models.latent_flow import LatentFlow, init_students
from amodal.nn import VelocityNetwork, precision

COLUMNS: dict[str, Modality] = {
    "sound": AudioMel(8_000, 9, 8, 256, 128),
    "number": NumberQuantile((0.0, 1.0, 2.0), decimals=2),
    "picture": ImagePixels(8, 8, 1),
    "text": TextTokens(("one", "two", "three"), (9, 5, 1), 10, 4, 2.0),
    "label": CategoryOneHot(("a", "b", "c"), "text"),
}
NAMES = list(COLUMNS)
MEDIA = {"sound", "picture"}
ROWS = 10


def moving_model(columns: dict[str, Modality] = COLUMNS, **options: float) -> LatentFlow:
    """A model with random velocities; those of a new one are zero."""
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


def with_nan(rows: Batch) -> Batch:
    x = {}
    for index, (name, values) in enumerate(rows.x.items()):
        absent = ~rows.present[:, index].view(-1, *([1] * (values.dim() - 1)))
        x[name] = torch.where(absent, torch.nan if values.is_floating_point() else 0, values)
    return replace(rows, x=x)


def noise(of: Batch, seed: int = 5) -> RowNoise:
    return RowNoise(seed, of.rows)


def test_exact_likelihoods_are_drawn_before_flows() -> None:
    assert [NAMES[index] for index in moving_model().draw_order] == [
        "label",
        "text",
        "number",
        "picture",
        "sound",
    ]


def test_a_given_target_is_returned_unchanged() -> None:
    model, rows = moving_model(), batch()
    drawn = model.complete(rows, NAMES, noise(rows))
    assert set(drawn) == set(NAMES)
    for index, name in enumerate(NAMES):
        given = rows.present[:, index]
        cells = COLUMNS[name].scale(rows.x[name])
        assert torch.equal(drawn[name][given], cells[given].to(drawn[name].dtype))
        assert not torch.equal(drawn[name][~given], cells[~given].to(drawn[name].dtype))


def test_only_targets_are_drawn_and_absent_values_have_no_effect() -> None:
    model, rows = moving_model(), batch()
    drawn = model.complete(rows, ["picture", "label"], noise(rows))
    assert set(drawn) == {"picture", "label"}
    again = model.complete(with_nan(rows), ["picture", "label"], noise(rows))
    assert all(torch.equal(drawn[name], again[name]) for name in drawn)


def test_each_target_is_conditioned_on_those_drawn_before() -> None:
    model, rows = moving_model(), batch().given([])
    drawn = model.complete(rows, ["label", "picture"], noise(rows))
    known = replace(rows, x={**rows.x, "label": drawn["label"]}).given(["label"])
    known = replace(known, present=functional.one_hot(torch.full((ROWS,), 4), 5).bool())
    # The label's sample has taken the first stratified number.
    after = noise(rows)
    after.stratified()
    torch.testing.assert_close(model.complete(known, ["picture"], after)["picture"], drawn["picture"])


@pytest.mark.parametrize("fast", [False, True])
def test_a_rows_sample_is_the_same_in_any_batch(fast: bool, bfloat16: bool) -> None:
    model, rows = moving_model(), batch()
    some = rows[[7, 2]]
    whole, of_some = (model.complete(of, NAMES, noise(of), fast=fast) for of in (rows, some))
    for name in NAMES:
        torch.testing.assert_close(whole[name][[7, 2]], of_some[name])


def test_the_null_context_is_learned() -> None:
    model, rows = moving_model(), batch()
    alone = model.embed(rows.given([]))
    torch.testing.assert_close(alone, alone[:1].expand(ROWS, -1))
    assert not torch.allclose(model.embed(rows), alone)
    model.requires_grad_()
    embeddings = torch.zeros(1, len(NAMES), 8)
    context = model.context(embeddings, torch.zeros(1, len(NAMES), dtype=torch.bool))
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


def test_guided_velocity_extrapolates_from_the_null_context() -> None:
    model, rows = moving_model(), batch().given(["label", "text", "number"])
    conditional, unconditional = velocity(model, rows, 1.0), velocity(model, rows.given([]), 1.0)
    assert not torch.allclose(conditional, unconditional)
    for guidance in (0.0, 0.5, 1.0, 3.0):
        expected = unconditional + guidance * (conditional - unconditional)
        torch.testing.assert_close(velocity(model, rows, guidance), expected, atol=1e-5, rtol=1e-5)


def test_guidance_defaults_to_the_models() -> None:
    rows = batch().given(["label", "text", "number"])

    def picture(model: LatentFlow, of: Batch, **how: float) -> Tensor:
        return model.complete(of, ["picture"], noise(of), **how)["picture"]

    model, unguided = moving_model(guidance=2.0), moving_model(guidance=1.0)
    torch.testing.assert_close(picture(model, rows), picture(unguided, rows, guidance=2.0))
    torch.testing.assert_close(picture(model, rows, guidance=1.0), picture(unguided, rows))
    assert not torch.allclose(picture(model, rows), picture(unguided, rows), atol=1e-4)
    # Guidance 0 ignores the context; the null context is not guided.
    unconditional = picture(unguided, rows.given([]))
    torch.testing.assert_close(picture(model, rows, guidance=0.0), unconditional)
    torch.testing.assert_close(picture(model, rows.given([])), unconditional)


def test_texts_and_flows_are_guided_and_labels_and_numbers_are_not() -> None:
    model, rows = moving_model(), batch(200).given(["picture", "sound"])
    for name in ("label", "number", "text"):
        usual, guided_tokens = (
            model.complete(rows, [name], noise(rows), guidance=w)[name] for w in (1.0, 9.0)
        )
        assert torch.equal(usual, guided_tokens) == (name != "text")


def test_fast_samples_are_the_same_in_any_batch(bfloat16: bool) -> None:
    model, rows = moving_model(), batch()
    some = rows[[2, 7]]
    whole, alone = (model.complete(of, NAMES, noise(of), fast=True) for of in (rows, some))
    for name in NAMES:
        # In bfloat16, to the precision of an image and a sound.
        torch.testing.assert_close(whole[name][[2, 7]], alone[name], atol=1e-3, rtol=1e-3)


def test_fast_samples_use_the_students_and_others_do_not(bfloat16: bool) -> None:
    model, rows = moving_model(guidance=1.0), batch().given([])
    fast, slow = (model.complete(rows, NAMES, noise(rows), fast=fast) for fast in (True, False))
    assert not torch.allclose(fast["picture"], slow["picture"], atol=1e-4)
    for name in NAMES:
        assert name in MEDIA or torch.equal(fast[name], slow[name])
    for network in model.students.values():
        torch.nn.init.zeros_(network.output_proj.weight)
    still = model.complete(rows, ["picture"], noise(rows), fast=True)["picture"]
    # A student of velocity zero leaves the noise unchanged.
    autoencoder = model.autoencoder(NAMES.index("picture"))
    assert autoencoder is not None
    # bfloat16 keeps two to three digits.
    torch.testing.assert_close(still, autoencoder.decode(noise(rows).normal(32)).mean, atol=0.01, rtol=0.0)
    again = model.complete(rows, NAMES, noise(rows))
    assert all(torch.equal(again[name], slow[name]) for name in NAMES)


def test_only_fast_samples_of_images_and_sounds_are_in_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = {}
    for half in (False, True):
        monkeypatch.setattr(precision, "has_fast_bfloat16", lambda device, half=half: half)
        model, rows = moving_model(), batch().given([])
        for fast in (False, True):
            drawn[half, fast] = model.complete(rows, NAMES, noise(rows), fast=fast)
    for name in NAMES:
        assert torch.equal(drawn[False, False][name], drawn[True, False][name])
        exact, rounded = drawn[False, True][name], drawn[True, True][name]
        assert torch.equal(exact, rounded) == (name not in MEDIA)
        if name in MEDIA:
            # bfloat16 has eight binary digits, and each layer rounds again.
            assert (rounded - exact).square().mean().sqrt() < 8 * 2**-8 * exact.std()


def test_students_start_from_the_flows_weights() -> None:
    model, rows = moving_model(num_student_steps=3), batch()
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
    # The weights are copied, not shared.
    torch.nn.init.zeros_(model.students[str(index)].output_proj.weight)
    assert (model.generators[index].output_proj.weight != 0).any()


def test_log_likelihoods_are_conditional_on_the_columns_before() -> None:
    model, rows = moving_model(), with_nan(batch())
    scores = model.log_likelihoods(rows, noise(rows), num_samples=2)
    assert scores.shape == (ROWS, len(NAMES))
    assert scores.isfinite().all()
    assert (scores[~rows.present] == 0).all()
    assert (scores[rows.present] != 0).all()
    before: list[str] = []
    for name in ("label", "text", "number"):
        context = model.embed(rows.given(before))
        index = NAMES.index(name)
        present = rows.present[:, index]
        exact = model.conditional(index, context[present]).log_prob(rows.x[name][present])
        torch.testing.assert_close(scores[present, index], exact)
        before.append(name)


def test_probabilities_of_a_category_sum_to_one() -> None:
    model, rows = moving_model(), batch(3)
    rows = replace(rows, x={**rows.x, "label": torch.arange(3)}, present=torch.ones(3, 5, dtype=torch.bool))
    scores = model.log_likelihoods(rows, noise(rows), num_samples=1)[:, NAMES.index("label")]
    assert scores.exp().sum().item() == pytest.approx(1.0, abs=1e-5)


def test_log_prob_is_the_sum_over_columns() -> None:
    model, rows = moving_model(), batch()
    total = model.log_prob(rows, noise(rows), num_samples=20)
    torch.testing.assert_close(total, model.log_likelihoods(rows, noise(rows), 2).sum(1))
    assert (model.log_prob(rows.given([]), noise(rows), num_samples=20) == 0).all()


def test_a_rows_log_prob_is_the_same_in_any_batch() -> None:
    model, rows = moving_model(), batch()
    some = rows[[7, 2]]
    whole, of_some = (model.log_prob(of, noise(of), num_samples=20) for of in (rows, some))
    torch.testing.assert_close(whole[[7, 2]], of_some, rtol=1e-4, atol=1e-3)


def test_generalisation_moves_halfway_to_the_share_of_the_gain_that_holds_on_held_out_rows() -> None:
    model = moving_model()
    names = ["number", "text", "label", "picture"]
    for name in names:
        model.set_target_nats(NAMES.index(name), 2.0)
    # Gains of 1 and .5 nats; of 1.5 and none; of 1 and 2; of none on either.
    training = {"number": 1.0, "text": 0.5, "label": 1.0, "picture": 2.5, "loss": 9.0}
    held_out = {"number": 1.5, "text": 3.0, "label": 0.0, "picture": 2.5, "loss": 9.0}
    model.update_generalisation(training, held_out)
    slack = 0.04
    shares = {"number": (0.5 + slack) / (1.0 + slack), "text": 0.0, "label": 1.0, "picture": 0.0}
    expected = torch.ones(5)
    for name, share in shares.items():
        expected[NAMES.index(name)] = (1.0 + share) / 2
    torch.testing.assert_close(model.generalisation, expected)
    model.update_generalisation(training, held_out)
    for name, share in shares.items():
        expected[NAMES.index(name)] = (expected[NAMES.index(name)] + share) / 2
    torch.testing.assert_close(model.generalisation, expected)
    assert "generalisation" in model.state_dict(), "a resumed run goes on from it"


def test_the_held_out_score_is_the_sum_of_the_shares_of_entropy_that_are_left() -> None:
    model = moving_model()
    for name, nats in {"number": 4.0, "label": 0.5, "text": 20.0}.items():
        model.set_target_nats(NAMES.index(name), nats)
    held_out = {"loss": 1e9, "number": 3.0, "label": 0.1, "text": 55.0, "info_nce": 7.0}
    assert model.held_out_score(held_out) == pytest.approx(3 / 4 + 0.1 / 0.5 + 1.0)
    # A nearly constant column's loss is not blown up.
    model.set_target_nats(NAMES.index("label"), 0.001)
    assert model.held_out_score(held_out) == pytest.approx(3 / 4 + 0.1 / 0.3 + 1.0)


def test_dropout_of_contexts_is_the_rows_own_and_keeps_their_mean() -> None:
    model, rows = moving_model(), batch()
    embeddings = model.column_embeddings(rows)
    given = torch.stack([rows.present, ~rows.present])
    plain = model.context(embeddings, given)
    assert torch.equal(model.drop_out(plain, noise(rows)), plain)
    model.dropout = 0.25
    dropped = model.drop_out(plain, noise(rows))
    kept = dropped != 0
    torch.testing.assert_close(dropped[kept], (plain / 0.75)[kept])
    assert 0.15 < 1 - kept.float().mean() < 0.35
    some = [7, 2]
    part = model.drop_out(plain[:, some], noise(rows[some]))
    torch.testing.assert_close(part, dropped[:, some])
