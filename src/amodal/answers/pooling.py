"""Pooling of analyses of several completed tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from amodal.errors import UsageError


@dataclass(frozen=True)
class Pooled:
    """An estimate from m completed tables.

    Attributes:
        estimate: mean of the tables' estimates.
        variance: within-table variance, and (1 + 1/m) times the variance between tables.
        degrees_of_freedom: of the t-distribution of (estimate - truth) / sqrt(variance).
        missing_information: share of the information on the estimate that the holes cost, 0 to 1.
    """

    estimate: NDArray[np.float64]
    variance: NDArray[np.float64]
    degrees_of_freedom: NDArray[np.float64]
    missing_information: NDArray[np.float64]

    def interval(self, level: float = 0.95) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Lower and upper end of the confidence interval at a level between 0 and 1."""
        from scipy import stats

        reach = stats.t.ppf((1.0 + level) / 2.0, self.degrees_of_freedom) * np.sqrt(self.variance)
        return self.estimate - reach, self.estimate + reach


def pool(
    estimates: Sequence[Any] | NDArray[Any],
    variances: Sequence[Any] | NDArray[Any],
    *,
    degrees_of_freedom: float | None = None,
) -> Pooled:
    """Pool the estimates of m tables of `TableModel.complete(draws=m)` by Rubin's rules.

    With W the mean of the variances and B the variance of the estimates, the variance is T = W + (1 + 1/m) B and the
    degrees of freedom are (m - 1) (1 + 1/r)^2 with r = (1 + 1/m) B / W (Rubin, "Multiple Imputation for Nonresponse in
    Surveys", 1987); of small tables, those of Barnard & Rubin (Biometrika 86, 1999).

    Args:
        estimates: the tables' estimates, (m,) or (m, P).
        variances: their squared standard errors, of the same shape.
        degrees_of_freedom: that a table without holes would have, such as rows less parameters, for Barnard & Rubin's
            rule.

    Raises:
        UsageError: there are fewer than two tables, the shapes differ, or a variance is negative.

    Example:
        >>> pooled = pool([1.0, 2.0, 3.0], [0.5, 0.5, 0.5])
        >>> float(pooled.estimate), round(float(pooled.variance), 4), round(float(pooled.degrees_of_freedom), 4)
        (2.0, 1.8333, 3.7812)
    """
    q, u = np.asarray(estimates, dtype=np.float64), np.asarray(variances, dtype=np.float64)
    if q.ndim == 0 or len(q) < 2:
        raise UsageError("pool needs the estimates of at least two tables: complete(draws=5) makes five.")
    if q.shape != u.shape:
        raise UsageError(f"estimates have shape {q.shape} and variances {u.shape}: they must agree.")
    if not (u >= 0).all():
        raise UsageError("A variance is negative or not a number.")
    m = len(q)
    within, between = u.mean(0), (1.0 + 1.0 / m) * q.var(0, ddof=1)
    total = within + between
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(total > 0, between / total, 0.0)
        freedom = np.where(share > 0, (m - 1) / share**2, np.inf)
        if degrees_of_freedom is not None:
            complete = float(degrees_of_freedom)
            observed = (complete + 1.0) / (complete + 3.0) * complete * (1.0 - share)
            freedom = 1.0 / (1.0 / freedom + 1.0 / observed)
        ratio = between / within
        missing = np.where(np.isfinite(ratio), (ratio + 2.0 / (freedom + 3.0)) / (ratio + 1.0), 1.0)
    return Pooled(q.mean(0), total, np.asarray(freedom), np.where(share > 0, missing, 0.0))
