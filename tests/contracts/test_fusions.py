"""Contract of every fusion rule; a new rule is tested by being listed."""

from __future__ import annotations

from itertools import combinations

import pytest
import torch
from torch.distributions import Categorical, Independent, MixtureSameFamily, Normal

from amodal.distributions import Gaussians, RowNoise
from amodal.fusions import FUSIONS, Fusion, MembershipTable, MixtureOfProducts, Product

TABLES = [rule for rule in FUSIONS if issubclass(rule, MembershipTable)]
RULES = [
    *(rule() for rule in FUSIONS if rule not in TABLES),
    *(rule(prior_expert=among) for rule in TABLES for among in (False, True)),
    *(MixtureOfProducts(prior_expert=among, max_columns=2) for among in (False, True)),
]
ROWS, COLUMNS, DIMS = 6, 4, 3


def described(fusion: Fusion) -> str:
    options = [f"{name}={value}" for name, value in vars(fusion).items() if name in ("prior_expert", "most")]
    return "-".join([type(fusion).__name__, *options])


@pytest.fixture(params=RULES, ids=described)
def fusion(request: pytest.FixtureRequest) -> Fusion:
    return request.param


def experts(seed: int = 0) -> Gaussians:
    generator = torch.Generator().manual_seed(seed)
    mean, log_variance = torch.randn(2, ROWS, COLUMNS, DIMS, generator=generator)
    return Gaussians(mean, log_variance)


def present() -> torch.Tensor:
    return torch.tensor(
        [[1, 1, 1, 1], [1, 0, 1, 0], [0, 0, 0, 1], [0, 1, 1, 1], [1, 1, 0, 0], [0, 0, 0, 0]], dtype=torch.bool
    )


def points() -> torch.Tensor:
    return torch.randn(ROWS, 5, DIMS, generator=torch.Generator().manual_seed(9))


def test_missing_experts_have_no_effect_and_no_gradient_even_when_nan(fusion: Fusion) -> None:
    given, mask = experts(), present()[:, :, None]
    spoilt = Gaussians(
        torch.where(mask, given.mean, torch.nan).requires_grad_(),
        torch.where(mask, given.log_variance, torch.nan).requires_grad_(),
    )
    posterior = fusion(spoilt, present())
    assert torch.equal(posterior.log_prob(points()), fusion(given, present()).log_prob(points()))
    (posterior.log_prob(points()).sum() + posterior.draw(RowNoise(0, torch.arange(ROWS)), 2).sum()).backward()
    for values in (spoilt.mean, spoilt.log_variance):
        assert values.grad is not None
        assert (values.grad[~present()] == 0).all()
        assert values.grad.isfinite().all()
        assert (values.grad[present()] != 0).any()


def test_nothing_present_gives_the_prior(fusion: Fusion) -> None:
    posterior = fusion(experts(), torch.zeros(ROWS, COLUMNS, dtype=torch.bool))
    prior = Independent(Normal(torch.zeros(DIMS), torch.ones(DIMS)), 1)
    torch.testing.assert_close(posterior.log_prob(points()), prior.log_prob(points()))


def test_the_order_of_columns_does_not_matter(fusion: Fusion) -> None:
    given, order = experts(), torch.tensor([2, 0, 3, 1])
    moved = Gaussians(given.mean[:, order], given.log_variance[:, order])
    torch.testing.assert_close(
        fusion(given, present()).log_prob(points()), fusion(moved, present()[:, order]).log_prob(points())
    )


@pytest.mark.parametrize(
    "fusion", [rule for rule in RULES if isinstance(rule, MembershipTable)], ids=described
)
def test_members_are_present(fusion: MembershipTable) -> None:
    members = fusion.members(present())
    assert not (members & ~present()[:, None]).any()


def test_the_posterior_is_a_normalised_mixture(fusion: Fusion) -> None:
    posterior = fusion(experts(), present())
    same = MixtureSameFamily(
        Categorical(posterior.weights[:, None].expand(-1, 5, -1), validate_args=False),
        Independent(
            Normal(
                posterior.components.mean[:, None], posterior.components.log_variance[:, None].mul(0.5).exp()
            ),
            1,
        ),
    )
    torch.testing.assert_close(posterior.weights.sum(1), torch.ones(ROWS))
    torch.testing.assert_close(posterior.log_prob(points()), same.log_prob(points()), atol=1e-4, rtol=1e-4)


def test_draws_follow_the_posterior(fusion: Fusion) -> None:
    posterior = fusion(experts(), present())
    drawn = posterior.draw(RowNoise(0, torch.arange(ROWS)), 20_000)
    torch.testing.assert_close(drawn.mean(1), posterior.mean, atol=0.08, rtol=0)


@pytest.mark.parametrize("prior_expert", [False, True])
def test_the_product_is_its_closed_form(prior_expert: bool) -> None:
    given = experts()
    joint = Product(prior_expert=prior_expert)(given, torch.ones(ROWS, COLUMNS, dtype=torch.bool))
    precision = torch.exp(-given.log_variance)
    total = precision.sum(1) + float(prior_expert)
    torch.testing.assert_close(joint.components.log_variance[:, 0], -total.log())
    torch.testing.assert_close(joint.components.mean[:, 0], (precision * given.mean).sum(1) / total)


def test_the_mixture_of_products_takes_every_subset_once() -> None:
    one_row = torch.tensor([[True, False, True, True]])
    members = MixtureOfProducts(prior_expert=False).members(one_row)[0]
    found = sorted(tuple(row.nonzero().flatten().tolist()) for row in members if row.any())
    assert found == sorted(subset for size in (1, 2, 3) for subset in combinations((0, 2, 3), size))


def test_beyond_its_limit_no_subset_counts_twice() -> None:
    for count in range(1, COLUMNS + 1):
        one_row = torch.arange(COLUMNS)[None] < count
        members = MixtureOfProducts(prior_expert=False, max_columns=2).members(one_row)[0]
        found = [tuple(row.tolist()) for row in members if row.any()]
        assert len(found) == len(set(found))
        assert len(found) == {1: 1, 2: 3, 3: 7, 4: 9}[count]
