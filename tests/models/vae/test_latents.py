"""Shared and private latents: the decoders' inputs, and the posterior's samples and density."""

from __future__ import annotations

import torch
from torch.distributions import Independent, Normal

from amodal.distributions import GaussianMixture, Gaussians, RowNoise
from amodal.models.vae import Latents, Posterior

ROWS, SAMPLES = 4, 3


def posterior() -> Posterior:
    generator = torch.Generator().manual_seed(0)

    def gaussians(*shape: int) -> Gaussians:
        return Gaussians(*torch.randn(2, ROWS, *shape, generator=generator))

    shared = GaussianMixture(gaussians(1, 2), torch.ones(ROWS, 1, dtype=torch.bool))
    return Posterior(shared, {"a": gaussians(3), "b": gaussians(3)})


def test_a_decoder_reads_the_shared_latent_and_its_own_private_one() -> None:
    latents = posterior().draw(RowNoise(0, torch.arange(ROWS)), SAMPLES)
    shared, private = latents.for_column("b").split([2, 3], dim=2)
    assert torch.equal(shared, latents.shared)
    assert torch.equal(private, latents.private["b"])
    assert torch.equal(Latents(latents.shared).for_column("b"), latents.shared)


def test_density_is_that_of_independent_normals() -> None:
    q = posterior()
    latents = q.draw(RowNoise(0, torch.arange(ROWS)), SAMPLES)
    expected = torch.zeros(ROWS, SAMPLES)
    for gaussians, value in (
        (q.shared.components[:, 0], latents.shared),
        *((q.private[name], latents.private[name]) for name in q.private),
    ):
        scale = gaussians.log_variance.mul(0.5).exp()
        expected += Independent(Normal(gaussians.mean[:, None], scale[:, None]), 1).log_prob(value)
    torch.testing.assert_close(q.log_prob(latents), expected)


def test_samples_have_the_gaussians_moments() -> None:
    q = posterior()
    latents = q.draw(RowNoise(0, torch.arange(ROWS)), 20_000)
    for name, gaussians in q.private.items():
        torch.testing.assert_close(latents.private[name].mean(1), gaussians.mean, atol=0.08, rtol=0)
        torch.testing.assert_close(
            latents.private[name].var(1), gaussians.log_variance.exp(), atol=0, rtol=0.05
        )
    assert torch.corrcoef(torch.stack([w[0, :, 0] for w in latents.private.values()]))[0, 1].abs() < 0.05


def test_samples_are_concatenated_row_by_row() -> None:
    one, other = (posterior().draw(RowNoise(seed, torch.arange(ROWS)), SAMPLES) for seed in (0, 1))
    both = Latents.cat(one, other)
    assert torch.equal(both.shared, torch.cat([one.shared, other.shared], 1))
    assert torch.equal(both.for_column("a")[:, SAMPLES:], other.for_column("a"))
