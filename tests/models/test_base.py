from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from amodal.models.base import apply_to_present


@pytest.mark.parametrize(
    ("rows", "present_rows", "computed"),
    [
        (32, [0, 3, 31], 8),
        (32, range(9, 18), 16),
        (32, range(32), 32),
        (32, [], 8),
        (5, [4], 5),
        (1024, range(0, 1024, 10), 128),
    ],
)
def test_present_rows_are_computed_and_differentiated(
    rows: int, present_rows: Sequence[int], computed: int
) -> None:
    network, cells = nn.Linear(3, 2), torch.randn(rows, 3, requires_grad=True)
    present = torch.zeros(rows, dtype=torch.bool)
    present[list(present_rows)] = True
    computed_rows: list[int] = []

    def compute(chosen: Tensor) -> Tensor:
        computed_rows.append(len(chosen))
        return network(chosen)

    outputs = apply_to_present(compute, present, cells)
    torch.testing.assert_close(outputs, torch.where(present[:, None], network(cells), 0.0))
    assert computed_rows == [computed]

    outputs.sum().backward()
    assert cells.grad is not None
    assert cells.grad.abs().sum(1).bool().tolist() == present.tolist()
    # In distributed training each process must have a gradient of each weight, be it zero.
    assert network.weight.grad is not None
    assert network.weight.grad.any() == bool(present_rows)


def test_nan_of_absent_cells_reaches_no_network() -> None:
    network, cells = nn.Linear(3, 2), torch.randn(32, 3)
    present = torch.arange(32) % 3 == 0
    cells[~present] = torch.nan
    apply_to_present(network, present, cells).sum().backward()
    everything = torch.ones(32, dtype=torch.bool)
    everything[1] = False
    apply_to_present(
        network, everything, torch.where(everything[:, None], cells.nan_to_num(), torch.nan)
    ).sum().backward()
    assert network.weight.grad is not None
    assert network.weight.grad.isfinite().all()


def test_other_devices_are_not_synchronised() -> None:
    # Tensors on the device "meta" have no values: reading one is an error.
    network, cells = nn.Linear(3, 2, device="meta"), torch.empty(32, 3, device="meta")
    assert apply_to_present(network, torch.empty(32, dtype=torch.bool, device="meta"), cells).shape == (32, 2)
