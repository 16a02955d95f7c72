"""A new fusion rule in fifteen lines: the mixture of the products of all pairs of columns.

python examples/new_fusion_rule.py
"""

import argparse
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd
import torch

import amodal.methods
from amodal import TableModel
from amodal.fusions import MembershipTable
from amodal.models.vae import MultimodalVAE


class PairwiseProducts(MembershipTable):
    """Mixture of the products of all pairs of present columns; a column that is present alone counts by itself."""

    def members(self, present: torch.Tensor) -> torch.Tensor:
        """Experts of each product, boolean (B, K, M), from `present`, boolean (B, M)."""
        columns = present.shape[1]
        pairs = torch.zeros(columns * (columns - 1) // 2, columns, dtype=torch.bool, device=present.device)
        for number, pair in enumerate(combinations(range(columns), 2)):
            pairs[number, list(pair)] = True
        complete = (present[:, None] | ~pairs).all(2, keepdim=True)
        alone = (
            torch.eye(columns, dtype=torch.bool, device=present.device) & (present.sum(1) == 1)[:, None, None]
        )
        return torch.cat([pairs & complete, alone & present[:, None]], dim=1)


# A method is a name for a model and the way it is trained; here the way of MoPoE.
PAIRS = replace(
    amodal.methods.method_named("mopoe"),
    name="pairs",
    summary="mixture of the products of all pairs",
    source="this example",
    model=lambda modalities, **options: MultimodalVAE(
        modalities, PairwiseProducts(prior_expert=False), **options
    ),
)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1000)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    amodal.methods.METHODS += (PAIRS,)

    # Four columns that share one hidden number.
    random = np.random.default_rng(0)
    hidden = random.normal(size=options.rows)
    table = pd.DataFrame({name: (hidden + random.normal(size=options.rows) / 2).round(2) for name in "abc"})
    table["size"] = np.where(hidden > 0, "large", "small")
    table = table.mask(random.random(table.shape) < 0.2).dropna(how="all")
    training, heldout = table.iloc[: len(table) * 4 // 5], table.iloc[len(table) * 4 // 5 :].dropna()

    for method in ("mopoe", "pairs"):
        model = TableModel(method, time_limit="20s", epochs=options.epochs).fit(training)
        drawn = model.complete(heldout, given=["a", "b"], columns=["size"])
        right = (drawn["size"].to_numpy() == heldout["size"].to_numpy()).mean()
        print(f"{method}: size drawn from a and b is right in {right:.0%}")


if __name__ == "__main__":
    main()
