"""Ridge regressions of each column on all others, whose predictions the heads of the column start from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from amodal.modalities import Modality

_STRENGTHS = (0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
_ROWS_TO_CHOOSE = 1_500
_MOST_ROWS = 6_000
"""Rows that a regression on more features is fitted to; the other rows' predictions are those of new rows."""
_MOST_FEATURES = 4_096
"""Features that a regression on more rows than `_MOST_ROWS` uses: those that vary most."""
_MOST_OUTPUTS = 512
_MISSING_QUANTILE = 0.9
_INTERCEPT = 10.0
_LEAST_STD = 1e-4
"""Of a feature that is used: less than that of a label of one row in a hundred million."""


class LinearExperts(nn.Module):
    """Ridge regressions of columns' `SoftmaxHead.linear_targets` on the other columns' `Modality.linear_features`.

    The regression of a training row is the one without that row, by the closed form of leave-one-out residuals
    (Allen, 1974), so that heads learn how far to trust it.

    Args:
        modalities: column name -> fitted modality.
        outputs: column index -> number of its head's linear targets, for columns that may have a regression.

    Attributes:
        max_missing: (M,), most other cells that a row may lack for its prediction to be used, below 0 for a column
            without a regression.
    """

    max_missing: Tensor

    def __init__(self, modalities: Mapping[str, Modality], outputs: Mapping[int, int]) -> None:
        super().__init__()
        columns = list(modalities.values())
        self.sizes = [_num_features(modality) for modality in columns]
        self.outputs = {index: number for index, number in outputs.items() if number <= _MOST_OUTPUTS}
        total = sum(self.sizes) + len(columns) + 1
        self.register_buffer("max_missing", torch.full((len(columns),), -1))
        for index, number in self.outputs.items():
            self.register_buffer(f"weight_{index}", torch.zeros(total, number))

    @property
    def is_fitted(self) -> bool:
        """True where a column has a regression."""
        return bool((self.max_missing >= 0).any())

    def weight(self, index: int) -> Tensor:
        """Weights (F, outputs) of a target column's regression."""
        return self.get_buffer(f"weight_{index}")

    def usable(self, index: int, given: Tensor) -> Tensor:
        """Rows (B,) of `given` (B, M) with so many given cells as rows had that the regression was fitted to."""
        others = given.shape[1] - 1 - (given.sum(1) - given[:, index].long())
        return others <= self.max_missing[index]

    def forward(self, index: int, features: Sequence[Tensor], given: Tensor) -> Tensor:
        """Predictions (B, outputs) of a column, given features (B, F_m) of each column and which are `given`."""
        return _joined(features, given, index) @ self.weight(index)

    @torch.no_grad()
    def fit(
        self,
        features: Sequence[Tensor],
        present: Tensor,
        targets: Mapping[int, Tensor],
        training: Tensor,
        stop: Callable[[], bool] = lambda: False,
    ) -> dict[int, Tensor]:
        """Fit all regressions.

        Args:
            features: of each column, (N, F_m).
            present: (N, M).
            targets: column index -> what is regressed, (N, outputs).
            training: rows to fit to, boolean (N,).
            stop: called before each column; true leaves the others without a regression.

        Returns:
            Column index -> predictions (N, outputs); of a training row by the regression without it.
        """
        scales = [_scales(block, present[:, index] & training) for index, block in enumerate(features)]
        scaled = [block * scale for block, scale in zip(features, scales, strict=True)]
        missing_others = (~present).sum(1)
        ends = torch.tensor([0, *self.sizes]).cumsum(0).tolist()
        predictions = {}
        for index, wanted in targets.items():
            if stop() or index not in self.outputs:
                continue
            inputs = _joined(scaled, present, index)
            rows = (training & present[:, index]).nonzero()[:, 0]
            if len(rows) < 2:
                continue
            weight, predicted = _leave_one_out(inputs, wanted, rows)
            predictions[index] = predicted
            for column, scale in enumerate(scales):
                weight[ends[column] : ends[column + 1]] *= scale[:, None]
            self.weight(index).copy_(weight)
            lacking = (missing_others - (~present[:, index]).long())[rows].double()
            self.max_missing[index] = int(lacking.quantile(_MISSING_QUANTILE, interpolation="lower"))
        return predictions


def _joined(features: Sequence[Tensor], given: Tensor, target: int) -> Tensor:
    """All features (B, F), zero for cells not given and for the target's; then which other cells are missing; one."""
    known, missing = given.clone(), ~given
    known[:, target] = missing[:, target] = False
    blocks = [torch.where(known[:, index : index + 1], block, 0.0) for index, block in enumerate(features)]
    one = torch.full((len(given), 1), _INTERCEPT, device=given.device)
    return torch.cat([*blocks, missing.float(), one], dim=1)


def _num_features(modality: Modality) -> int:
    stored = torch.zeros(1, *modality.shape, dtype=getattr(torch, modality.dtype))
    return modality.linear_features(modality.scale(stored)).shape[1]


def _scales(block: Tensor, rows: Tensor) -> Tensor:
    """Factors (F,) of a column's features that raise rare ones and give the column's rows a mean square norm of one."""
    known = block[rows]
    if len(known) < 2:
        return torch.zeros(block.shape[1], device=block.device)
    std = known.std(0)
    scale = torch.where(std > _LEAST_STD, std.clamp_min(_LEAST_STD).rsqrt(), 0.0)
    return scale / (known * scale).square().sum(1).mean().sqrt().clamp_min(1e-6)


def _leave_one_out(inputs: Tensor, targets: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
    """A ridge regression: weights (F, O), and predictions (N, O) of all rows, of those it is fitted to without each.

    Args:
        inputs: (N, F).
        targets: (N, O).
        rows: numbers of the rows to fit to.
    """
    order = rows[torch.randperm(len(rows), generator=torch.Generator().manual_seed(0)).to(rows.device)]
    few = order[:_ROWS_TO_CHOOSE]
    errors = []
    for strength in _STRENGTHS:
        _, predicted = _ridge(inputs[few], targets[few], strength)
        errors.append((predicted - targets[few]).square().mean())
    best = _STRENGTHS[int(torch.stack(errors).argmin())]
    used = torch.ones(inputs.shape[1], dtype=torch.bool, device=inputs.device)
    if len(order) > _MOST_ROWS and inputs.shape[1] > _MOST_FEATURES:
        deviations = inputs[order[:_MOST_ROWS]].std(0)
        deviations[-1] = torch.inf
        used = deviations >= deviations.topk(_MOST_FEATURES).values[-1]
    weight = inputs.new_zeros(inputs.shape[1], targets.shape[1])
    weight[used], without = _ridge(inputs[order][:, used], targets[order], best)
    predicted = inputs @ weight
    predicted[order] = without
    return weight, predicted


def _ridge(inputs: Tensor, targets: Tensor, strength: float) -> tuple[Tensor, Tensor]:
    """Weights (F, O) of a ridge regression, and predictions (N, O) of each row by the regression without it."""
    rows, features = inputs.shape
    if features <= rows:
        gram = inputs.T @ inputs
        factor = _cholesky(gram, strength)
        weight = torch.cholesky_solve((inputs.T @ targets).double(), factor).to(inputs.dtype)
        half = torch.linalg.solve_triangular(factor.to(inputs.dtype), inputs.T, upper=False)
        leverage = half.square().sum(0).clamp_max(0.999)[:, None]
        residual = targets - inputs @ weight
        return weight, targets - residual / (1.0 - leverage)
    gram = inputs @ inputs.T
    inverse = torch.cholesky_inverse(_cholesky(gram, strength)).to(inputs.dtype)
    dual = inverse @ targets
    return inputs.T @ dual, targets - dual / inverse.diagonal()[:, None]


def _cholesky(gram: Tensor, strength: float) -> Tensor:
    """Cholesky factor of gram + strength * I in float64; of more where rounding has left gram indefinite."""
    exact, step = gram.double(), torch.eye(len(gram), dtype=torch.float64, device=gram.device)
    while True:
        factor, failed = torch.linalg.cholesky_ex(exact + strength * step)
        if not failed:
            return factor
        strength *= 10.0
