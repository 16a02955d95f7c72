"""A table with holes: TableModel as an imputer in a scikit-learn pipeline.

python examples/imputer_in_a_pipeline.py
"""

import argparse
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.datasets import load_breast_cancer
from sklearn.impute import KNNImputer, SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from amodal import TableModel


class TableImputer(TransformerMixin, BaseEstimator):
    """Fills missing cells by the mean of several draws given the present cells of the row."""

    def __init__(self, epochs: int | None = None, draws: int = 10) -> None:
        self.epochs = epochs
        self.draws = draws

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: N803
        self.model_ = TableModel("mvtcae", epochs=self.epochs, time_limit="20s").fit(X)
        return self

    def transform(self, X: pd.DataFrame) -> pd.DataFrame:  # noqa: N803
        draws = self.model_.complete(X, draws=self.draws)
        return draws.groupby("row")[list(X.columns)].mean().set_axis(X.index)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int)
    parser.add_argument("--epochs", type=int)
    options = parser.parse_args()
    complete, label = load_breast_cancer(return_X_y=True, as_frame=True)
    complete = complete.iloc[: options.rows, :10]
    table = complete.mask(np.random.default_rng(0).random(complete.shape) < 0.4).dropna(how="all")
    complete, label = complete.loc[table.index], label.loc[table.index]

    half = len(table) // 2
    for imputer in (SimpleImputer(), KNNImputer(), TableImputer(options.epochs)):
        filled = np.asarray(imputer.fit(table[:half]).transform(table[half:]))
        errors = ((filled - complete[half:]) / complete.std())[table[half:].isna()]
        error = np.sqrt(np.nanmean(errors**2))
        pipeline = make_pipeline(imputer, StandardScaler(), LogisticRegression())
        accuracy = cross_val_score(pipeline, table, label, cv=3).mean()
        print(f"{type(imputer).__name__}: error {error:.2f} standard deviations, accuracy {accuracy:.3f}")


if __name__ == "__main__":
    main()
