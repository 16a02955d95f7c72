from __future__ import annotations

import torch

from amodal.distributions import Gaussians
from amodal.fusions import MixtureOfProducts, Product


def test_the_conditional_is_the_product_of_all_given_experts() -> None:
    generator = torch.Generator().manual_seed(0)
    experts = Gaussians(*torch.randn(2, 6, 3, 4, generator=generator))
    present = torch.rand(6, 3, generator=generator) < 0.6
    rule = MixtureOfProducts(prior_expert=False)
    conditional, product = rule.conditional(experts, present), Product(prior_expert=False)(experts, present)
    points = torch.randn(6, 2, 4, generator=generator)
    torch.testing.assert_close(conditional.log_prob(points), product.log_prob(points))
    # It is one of the mixture's components: what the mixture was trained for covers it.
    mixture = rule(experts, present)
    apart = (mixture.components.mean - product.components.mean).abs().amax(2)
    assert (apart.where(mixture.active, torch.inf).amin(1) < 1e-5).all()
