"""Ridge regressions with leave-one-out predictions, beside explicit refits."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
import torch
from torch import Tensor

from amodal.modalities import CategoryOneHot, Modality, NumberQuantile
from amodal.models.latent_flow import linear_experts
from amodal.models.latent_flow.linear_experts import LinearExperts, _ridge
from tests.modalities.vector import Vector

COLUMNS: dict[str, Modality] = {
    "vector": Vector(5),
    "number": NumberQuantile(tuple(float(i) for i in range(30)), decimals=2),
    "label": CategoryOneHot(("a", "b", "c"), "text"),
}
OUTPUTS = {1: 2, 2: 3}
ROWS = 60


def table(
    columns: Mapping[str, Modality] = COLUMNS, seed: int = 0
) -> tuple[list[Tensor], Tensor, dict[int, Tensor]]:
    """Features of each column, which cells are present, and targets."""
    generator = torch.Generator().manual_seed(seed)
    vector = torch.randn(ROWS, 5, generator=generator)
    number = vector[:, 0] + 0.3 * torch.randn(ROWS, generator=generator)
    label = (vector[:, 1] > 0).long() + (number > 0.5).long()
    cells = {"vector": vector, "number": number, "label": label}
    features = [modality.linear_features(cells[name]) for name, modality in columns.items()]
    present = torch.rand(ROWS, 3, generator=generator) < 0.8
    targets = {
        "number": torch.stack([number, number.square()], 1),
        "label": torch.nn.functional.one_hot(label, 3).float(),
    }
    return features, present, {i: targets[name] for i, name in enumerate(columns) if name in targets}


def training() -> Tensor:
    return torch.arange(ROWS) % 5 != 0


def fitted(seed: int = 0) -> tuple[LinearExperts, dict[int, Tensor]]:
    experts = LinearExperts(COLUMNS, OUTPUTS)
    features, present, targets = table(seed=seed)
    return experts, experts.fit(features, present, targets, training())


@pytest.mark.parametrize(
    ("rows", "features"), [(30, 8), (30, 30), (12, 40)], ids=["primal", "square", "dual"]
)
def test_predictions_of_fitted_rows_are_those_of_refits_without_each(rows: int, features: int) -> None:
    inputs, targets, strength = torch.randn(rows, features), torch.randn(rows, 2), 0.7
    weight, predicted = _ridge(inputs, targets, strength)

    def solve(kept: Tensor) -> Tensor:
        x, y = inputs[kept].double(), targets[kept].double()
        return torch.linalg.solve(x.T @ x + strength * torch.eye(features, dtype=torch.float64), x.T @ y)

    torch.testing.assert_close(
        weight, solve(torch.ones(rows, dtype=torch.bool)).float(), atol=1e-3, rtol=1e-3
    )
    for row in range(rows):
        without = inputs[row].double() @ solve(torch.arange(rows) != row)
        torch.testing.assert_close(predicted[row], without.float(), atol=2e-3, rtol=2e-3)


@pytest.mark.parametrize(("rows", "features"), [(400, 40), (40, 400)], ids=["primal", "dual"])
def test_products_that_rounding_leaves_indefinite_are_solved(rows: int, features: int) -> None:
    generator = torch.Generator().manual_seed(0)
    inputs = 300.0 * torch.randn(rows, 4, generator=generator) @ torch.randn(4, features, generator=generator)
    gram = inputs.T @ inputs if features <= rows else inputs @ inputs.T
    smallest = torch.linalg.eigvalsh(gram.double())[0]
    assert smallest < -0.03
    targets = inputs[:, :2] / 300.0
    weight, predicted = _ridge(inputs, targets, 0.03)
    assert predicted.isfinite().all()
    if features <= rows:
        torch.testing.assert_close(inputs @ weight, targets, atol=0.05, rtol=0.05)


def test_predictions_of_new_rows_are_inputs_times_weights() -> None:
    experts, predictions = fitted()
    features, present, _ = table()
    for index, predicted in predictions.items():
        new = ~(training() & present[:, index])
        assert new.any()
        again = experts(index, features, present)
        torch.testing.assert_close(again[new], predicted[new], atol=1e-3, rtol=1e-3)
        assert not torch.allclose(again[~new], predicted[~new], atol=1e-3)
        # By hand: features of the other given cells, which others are missing, and the intercept.
        weight, start, expected = experts.weight(index), 0, torch.zeros(ROWS, OUTPUTS[index])
        for column, block in enumerate(features):
            part = weight[start : start + block.shape[1]]
            if column != index:
                expected += present[:, column, None] * (block @ part)
            start += block.shape[1]
        for column in range(3):
            if column != index:
                expected += (~present[:, column, None]) * weight[start + column]
        expected += linear_experts._INTERCEPT * weight[-1]
        torch.testing.assert_close(again, expected, atol=1e-3, rtol=1e-3)


def test_the_predictions_are_informative() -> None:
    _, predictions = fitted()
    _, present, targets = table()
    rows = training() & present[:, 1] & present[:, 0]
    error = (predictions[1][rows, 0] - targets[1][rows, 0]).square().mean()
    assert error < 0.6 * targets[1][rows, 0].var()


def test_a_targets_own_cells_are_never_used() -> None:
    experts, predictions = fitted()
    features, present, targets = table()
    for index in OUTPUTS:
        changed = [block.clone() for block in features]
        changed[index] = torch.full_like(changed[index], torch.nan)
        torch.testing.assert_close(experts(index, changed, present), experts(index, features, present))
        given = present.clone()
        given[:, index] = ~given[:, index]
        torch.testing.assert_close(experts(index, changed, given), experts(index, features, present))
        changed[index] = torch.randn_like(changed[index])
        again = LinearExperts(COLUMNS, OUTPUTS).fit(changed, present, {index: targets[index]}, training())
        torch.testing.assert_close(again[index], predictions[index])


def test_held_out_rows_and_absent_cells_have_no_part_in_a_fit() -> None:
    _, predictions = fitted()
    features, present, targets = table()
    for index in OUTPUTS:
        unused = ~training() | ~present[:, index]
        others = {i: torch.where(unused[:, None] & (i == index), 99.0, each) for i, each in targets.items()}
        again = LinearExperts(COLUMNS, OUTPUTS).fit(features, present, others, training())
        torch.testing.assert_close(again[index], predictions[index])
    held_out = [torch.where(training()[:, None], block, 77.0) for block in features]
    again = LinearExperts(COLUMNS, OUTPUTS).fit(held_out, present, targets, training())
    for index in OUTPUTS:
        torch.testing.assert_close(again[index][training()], predictions[index][training()])


def test_the_order_of_columns_does_not_matter() -> None:
    experts, predictions = fitted()
    order = ["label", "vector", "number"]
    reordered = LinearExperts({name: COLUMNS[name] for name in order}, {0: OUTPUTS[2], 2: OUTPUTS[1]})
    features, present, targets = table({name: COLUMNS[name] for name in order})
    present = present[:, [2, 0, 1]]
    again = reordered.fit(features, present, targets, training())
    assert reordered.max_missing.tolist() == [experts.max_missing[index].item() for index in (2, 0, 1)]
    for index, before in ((0, 2), (2, 1)):
        torch.testing.assert_close(again[index], predictions[before], atol=1e-3, rtol=1e-3)


def test_rows_that_lack_more_cells_than_fitted_rows_did_are_not_usable() -> None:
    columns: dict[str, Modality] = {f"n{index}": Vector(1) for index in range(4)}
    experts = LinearExperts(columns, {0: 1, 1: 1})
    assert not experts.is_fitted
    assert not experts.usable(0, torch.ones(1, 4, dtype=torch.bool)).any()
    # A column that only few rows lack, so that a row in ten at most lacks another's two.
    present = torch.ones(40, 4, dtype=torch.bool)
    present[:20, 2] = False
    present[:3, 3] = False
    features = [torch.randn(40, 1) for _ in range(4)]
    experts.fit(features, present, {0: torch.randn(40, 1)}, torch.ones(40, dtype=torch.bool))
    assert experts.is_fitted
    assert experts.max_missing.tolist() == [1, -1, -1, -1]
    given = torch.tensor([[0, 1, 1, 1], [1, 1, 1, 1], [0, 1, 0, 1], [1, 1, 1, 0], [1, 1, 0, 0], [0, 0, 0, 1]])
    assert experts.usable(0, given.bool()).tolist() == [True, True, True, True, False, False]
    assert not experts.usable(1, given.bool()).any()


def test_a_stop_leaves_the_other_columns_without_a_regression() -> None:
    experts, calls = LinearExperts(COLUMNS, OUTPUTS), iter([False, True])
    features, present, targets = table()
    found = experts.fit(features, present, targets, training(), lambda: next(calls))
    assert list(found) == [1]
    assert experts.max_missing[1] >= 0
    assert experts.max_missing[2] == -1
    assert not experts.usable(2, present).any()


def test_a_head_of_many_targets_has_no_regression() -> None:
    experts = LinearExperts(COLUMNS, {1: 2, 2: linear_experts._MOST_OUTPUTS + 1})
    assert set(experts.outputs) == {1}


def test_many_rows_and_features_use_those_that_vary_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linear_experts, "_MOST_ROWS", 20)
    monkeypatch.setattr(linear_experts, "_MOST_FEATURES", 6)
    inputs = torch.cat([torch.randn(50, 8) * torch.arange(1.0, 9.0), torch.ones(50, 1)], 1)
    weight, predicted = linear_experts._leave_one_out(inputs, torch.randn(50, 1), torch.arange(40))
    assert (weight[:, 0] != 0).tolist() == [False] * 3 + [True] * 6, "the intercept is among them"
    torch.testing.assert_close(predicted[40:], inputs[40:] @ weight)
