"""Cells drawn under conditions, by masking each column's own distribution."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Categorical, Distribution, Normal

from amodal.answers.conditions import Conditions
from amodal.answers.expressions import Rows
from amodal.answers.restrictions import Restriction
from amodal.batch import Batch
from amodal.distributions import Binned, RowNoise, Truncated, draw, restrict_outcomes
from amodal.modalities import Modality
from amodal.models import GenerativeModel

Mask = NDArray[np.bool_]
Cells = NDArray[Any]
"""Cells (B,) of a column, of type object."""
Choose = Callable[[Distribution, RowNoise], Tensor]
"""Cells (B,) of a distribution, such as a draw."""
MAX_TRIES = 100
"""Draws of a row before one of them is taken."""
_SAMPLES = 16
_ROUNDING = 1e-9


@dataclass(frozen=True)
class ConditionalCells:
    """Cells of the columns that conditions read, of B rows.

    Attributes:
        scaled: column -> scaled cells (B,), arbitrary where a cell is not drawn.
        exact: column -> cells (B,) that conditions set and a scaled cell may not give back; None for others.
        tries: draws of each row, (B,).
        is_met: rows (B,) that meet the conditions.
    """

    scaled: Mapping[str, Tensor]
    exact: Mapping[str, Cells]
    tries: NDArray[np.int64]
    is_met: Mask


def draw_under_conditions(
    model: GenerativeModel,
    batch: Batch,
    given: Mapping[str, Cells],
    drawn: Mapping[str, Mask],
    missing: Mapping[str, Mask],
    conditions: Conditions,
    noise: RowNoise,
    *,
    first: Choose | None = None,
) -> ConditionalCells:
    """Draw the cells that conditions read from p(cells | given cells, conditions).

    Columns are drawn one after another, each from its own distribution given the cells before it, of which only what
    meets the conditions is left: no draw of one column is thrown away. Where several columns are drawn, the share
    w <= 1 that is left of a later column depends on those before it, and a row's draw is accepted with probability w,
    or drawn again (rejection sampling, which is exact). After 100 draws a row takes one of them, with chances in
    proportion to w (sampling importance resampling, Rubin 1987).

    Args:
        model: fitted model.
        batch: B rows; what is present is conditioned on.
        given: column -> cells (B,), object, of the columns that conditions read.
        drawn: column -> boolean (B,), cells of these that are drawn.
        missing: column -> boolean (B,), cells that stay missing, also of columns that are only tested for that.
        conditions: the conditions.
        noise: random numbers of the rows.
        first: choice from a restricted distribution that is tried before draws, and taken if it meets the conditions.
    """
    size = len(batch)
    names = _order(model, batch, drawn, conditions)
    scaled = {name: batch.x[name].clone() for name in names}
    exact = {name: np.full(size, None, dtype=object) for name in names}
    tries, total, waiting = np.zeros(size, np.int64), np.zeros(size), np.arange(size)
    is_drawn = np.logical_or.reduce([np.zeros(size, bool), *drawn.values()])

    def keep(trial: _Trial, rows: Mask) -> None:
        places = waiting[rows]
        index, chosen = (torch.from_numpy(each).to(model.device) for each in (places, np.flatnonzero(rows)))
        for name in trial.scaled:
            scaled[name] = scaled[name].to(trial.scaled[name].dtype)
            scaled[name][index] = trial.scaled[name][chosen]
            exact[name][places] = trial.exact[name][rows]

    for number in range(1, MAX_TRIES + 1):
        part = batch[torch.from_numpy(waiting).to(model.device)]
        # Other random numbers than those of the columns that are drawn afterwards.
        own = RowNoise(noise.fork(number).seed, part.rows)
        is_choice = first is not None and number == 1
        trial = _Trial(
            model,
            {name: values[waiting] for name, values in given.items()},
            {name: mask[waiting] for name, mask in drawn.items()},
            {name: mask[waiting] for name, mask in missing.items()},
            conditions,
            own,
            first if first is not None and is_choice else draw,
        )
        if names:
            model.draw_columns(part, names, trial, own)
        weight, chance = trial.weight(), own.uniform(2).cpu().numpy()
        weight = (weight > 0).astype(float) if is_choice else weight
        tries[waiting] += 1
        total[waiting] += weight
        # Each draw replaces those before it with chances in proportion to its weight.
        is_done = (chance[:, 1] < weight) | ~is_drawn[waiting]
        keep(trial, is_done | (chance[:, 0] * total[waiting] < weight))
        waiting = waiting[~is_done]
        if not len(waiting):
            break
    return ConditionalCells(scaled, exact, tries, total > 0)


def _order(
    model: GenerativeModel, batch: Batch, drawn: Mapping[str, Mask], conditions: Conditions
) -> list[str]:
    """The columns to draw: of which conditions leave least first, as that share is no reason to draw a row again.

    A column that a rule computes from others comes after them, unless it has a condition of its own.
    """
    names = [name for name in model.modalities if name in drawn and drawn[name].any()]
    own = [name for name in names if conditions.alone(name)]
    found = model.predict(batch, own, RowNoise(0, batch.rows), num_samples=_SAMPLES)
    shares = {}
    for name in own:
        _, log_mass = restrict(found[name], conditions.restriction(name, len(batch)), model.device)
        shares[name] = float(np.mean(np.exp(log_mass)))
    computed = {clause.computed_column for clause in conditions.rules} - set(own)
    return sorted(names, key=lambda name: (name in computed, shares.get(name, 1.0)))


@torch.no_grad()
def restrict(
    likelihood: Distribution, restriction: Restriction, device: torch.device
) -> tuple[Distribution, NDArray[np.float64]]:
    """A likelihood restricted to what conditions leave of it, and the log of that share (B,); a text's as it is."""
    if isinstance(likelihood, Categorical) and restriction.modality.num_outcomes is not None:
        allowed = torch.from_numpy(restriction.outcomes()).to(device)
        labels, log_mass = restrict_outcomes(likelihood, allowed)
        return labels, log_mass.double().cpu().numpy()
    if isinstance(likelihood, Binned | Normal) and restriction.modality.is_ordered:
        lower, upper = (torch.from_numpy(edges).to(device) for edges in restriction.intervals())
        numbers = Truncated(likelihood, lower, upper)
        return numbers, numbers.log_mass.cpu().numpy()
    return likelihood, np.zeros(likelihood.batch_shape[:1])


class _Trial:
    """One draw of the columns that conditions read; called with each column's likelihood.

    Attributes:
        scaled: column -> scaled cells (B,) that were drawn.
        exact: see `ConditionalCells`.
        log_weight: log of the share w (B,) of the distributions that the conditions leave.
    """

    def __init__(
        self,
        model: GenerativeModel,
        cells: Mapping[str, Cells],
        drawn: Mapping[str, Mask],
        missing: Mapping[str, Mask],
        conditions: Conditions,
        noise: RowNoise,
        choose: Choose,
    ) -> None:
        self.modalities, self.size, self.device = model.modalities, len(noise), model.device
        self.conditions, self.noise, self.choose = conditions, noise, choose
        self.scaled: dict[str, Tensor] = {}
        self.exact: dict[str, Cells] = {}
        self.drawn, self.missing = drawn, missing
        self.log_weight = np.zeros(self.size)
        # Of the first column the same share is left in each draw, where no latent is drawn before it.
        self.is_constant = np.full(self.size, model.is_autoregressive)
        self.waiting = dict(drawn)
        self.values = {
            name: self._comparable(name, values, ~drawn[name] & ~missing[name])
            for name, values in cells.items()
        }

    def __call__(self, name: str, likelihood: Distribution) -> Tensor:
        modality, drawn = self.modalities[name], self.drawn[name]
        restriction = self._restriction(name)
        restricted, log_mass = restrict(likelihood, restriction, self.device)
        scaled = self.choose(restricted, self.noise).clone()
        cells = np.empty(self.size, dtype=object)
        cells[:] = list(modality.to_cells(scaled))
        exact = np.full(self.size, None, dtype=object)
        computed = np.where(drawn, restriction.computed(), np.nan)
        if (rows := np.flatnonzero(~np.isnan(computed))).size:
            cells[rows], possible = _cells_of(modality, computed[rows])
            exact[rows] = cells[rows]
            log_mass[rows] = np.where(possible, 0.0, -np.inf)
            stored = modality.to_tensor(pd.Series(list(cells[rows])), None)
            scaled[torch.from_numpy(rows).to(self.device)] = modality.scale(stored).to(scaled)
        self.scaled[name], self.exact[name] = scaled, exact
        is_constant = self.is_constant & drawn & np.isfinite(log_mass)
        self.log_weight += np.where(drawn & ~is_constant, log_mass, 0.0)
        self.is_constant &= ~drawn
        self.values[name] = np.where(drawn, self._comparable(name, cells, drawn), self.values[name])
        self.waiting[name] = np.zeros_like(drawn)
        return scaled

    def weight(self) -> NDArray[np.float64]:
        """The probability (B,) of accepting each row's draw: 0 where it breaks a condition."""
        rows, met = self._rows(), np.ones(self.size, bool)
        for clause in self.conditions.where:
            met &= clause.truth(rows)[0]
        for clause in self.conditions.rules:
            is_concerned = np.logical_or.reduce([self.drawn[name] for name in clause.columns])
            met &= ~clause.truth(rows)[1] | ~is_concerned
        return np.where(met, np.exp(self.log_weight), 0.0)

    def _rows(self) -> Rows:
        known = {name: ~mask & ~self.waiting.get(name, ~mask & mask) for name, mask in self.missing.items()}
        return Rows(self.values, known, self.size)

    def _restriction(self, name: str) -> Restriction:
        where, rules = (
            [clause for clause in clauses if name in clause.compared]
            for clauses in (self.conditions.where, self.conditions.rules)
        )
        settled = {other: ~self.waiting.get(other, ~mask & mask) for other, mask in self.missing.items()}
        return Restriction(
            name, self.modalities[name], where, rules, self._rows(), settled, self.conditions.ranges
        )

    def _comparable(self, name: str, cells: Cells, known: Mask) -> NDArray[Any]:
        """Comparable cells (B,); zeros or None where they are not known."""
        found = self.modalities[name].comparable(list(cells[known]))
        values: NDArray[Any] = np.zeros(self.size) if found.dtype.kind == "f" else np.full(self.size, None)
        values[known] = found
        return values


def _cells_of(modality: Modality, numbers: NDArray[np.float64]) -> tuple[Cells, Mask]:
    """Cells (N,) of numbers (N,) that a rule computes, and where the column can have them."""
    found = np.empty(len(numbers), dtype=object)
    found[:] = list(modality.from_comparable(numbers))
    slack = _ROUNDING * np.maximum(1.0, np.abs(numbers))
    return found, np.abs(modality.comparable(list(found)) - numbers) <= slack
