"""How well the encoder of a text column reads labels and numbers, beside linear models of tf-idf features.

python -m benchmarks.text_encoders --tables FOLDER

An encoder and a linear layer are trained by Adam on one column of texts and one target; the rival is scikit-learn's
ridge or logistic regression on words and pairs of words, regularised as the training rows say.
"""

from __future__ import annotations

import argparse
import math
import statistics
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegressionCV, RidgeCV
from torch import nn
from torch.nn import functional

from amodal.distributions import RowNoise
from amodal.modalities import TextTokens
from benchmarks.provenance import write_figures

# Table, its text and its target; a number where the target is a price.
TASKS = (
    ("baby_products", "title", "price"),
    ("used_bikes", "bike_name", "price"),
    ("emoji", "name", "category"),
    ("emoji", "name", "subcategory"),
)
_BATCH_SIZE = 128
_LEARNING_RATE = 2e-3
_FEATURES = 256


@dataclass(frozen=True)
class Task:
    """Texts and targets of training and of held-out rows.

    Attributes:
        texts: of both parts.
        targets: of both parts; numbers are standardised logarithms.
    """

    texts: tuple[pd.Series, pd.Series]
    targets: tuple[NDArray, NDArray]

    @property
    def is_number(self) -> bool:
        return self.targets[0].dtype.kind == "f"

    def score(self, predicted: NDArray) -> float:
        """R2 of numbers, accuracy of labels, on the held-out rows."""
        truth = self.targets[1]
        if not self.is_number:
            return float((predicted == truth).mean())
        return 1.0 - float(np.square(predicted - truth).sum() / np.square(truth - truth.mean()).sum())


def read_task(folder: Path, text: str, target: str) -> Task:
    """The task of a table's folder with metadata.csv and heldout.csv."""
    parts = [pd.read_csv(folder / f"{name}.csv")[[text, target]].dropna() for name in ("metadata", "heldout")]
    if target == "price":
        parts = [part[part[target] > 0] for part in parts]
        logarithms = [np.log(part[target].to_numpy(dtype=np.float64)) for part in parts]
        mean, scale = logarithms[0].mean(), logarithms[0].std()
        targets = [(numbers - mean) / scale for numbers in logarithms]
    else:
        labels = {label: number for number, label in enumerate(sorted(set(parts[0][target])))}
        targets = [part[target].map(labels).fillna(-1).to_numpy(dtype=np.int64) for part in parts]
    texts = [part[text].astype(str).reset_index(drop=True) for part in parts]
    return Task((texts[0], texts[1]), (targets[0], targets[1]))


def score_linear_model(task: Task) -> float:
    """Score of the linear model of tf-idf features."""
    vectorizer = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    train, heldout = vectorizer.fit_transform(task.texts[0]), vectorizer.transform(task.texts[1])
    if task.is_number:
        model = RidgeCV(alphas=(0.1, 0.3, 1.0, 3.0, 10.0))
    else:
        model = LogisticRegressionCV(
            Cs=(1.0, 10.0, 100.0),
            cv=3,
            max_iter=500,
            scoring="accuracy",
            l1_ratios=(0.0,),
            use_legacy_attributes=False,
        )
    return task.score(model.fit(train, task.targets[0]).predict(heldout))


def score_encoder(task: Task, epochs: int, seed: int, bag: bool = True) -> float:
    """Score of the encoder with a linear layer.

    Args:
        task: what is learned.
        epochs: passes over the training rows.
        seed: of the weights, the order of rows and the augmentation.
        bag: with the weighted sum of tokens and pairs, or the convolutions alone.
    """
    torch.manual_seed(seed)
    modality = TextTokens.fit(task.texts[0], None)
    train, heldout = (modality.to_tensor(texts, None) for texts in task.texts)
    target = torch.tensor(task.targets[0])
    outputs = 1 if task.is_number else int(target.max()) + 1
    encoder = modality.encoder(_FEATURES)
    if not bag:
        encoder.tokens = nn.Parameter(torch.zeros_like(encoder.tokens), requires_grad=False)
        encoder.pairs.requires_grad_(False)
    network = nn.Sequential(encoder, nn.Linear(_FEATURES, outputs))
    optimizer = torch.optim.Adam(
        (each for each in network.parameters() if each.requires_grad), _LEARNING_RATE
    )
    steps = epochs * math.ceil(len(train) / _BATCH_SIZE)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(1.0, (step + 1) / 50) * 0.5 * (1.0 + math.cos(math.pi * step / steps))
    )
    for epoch in range(epochs):
        for rows in torch.randperm(len(train)).split(_BATCH_SIZE):
            noise = RowNoise(seed * 1_000 + epoch, rows)
            output = network(modality.augment(train[rows], noise))
            if task.is_number:
                loss = functional.mse_loss(output[:, 0], target[rows].float())
            else:
                loss = functional.cross_entropy(output, target[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    with torch.no_grad():
        output = network(heldout)
    return task.score(output[:, 0].numpy() if task.is_number else output.argmax(1).numpy())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tables", type=Path, required=True, help="folder of the unpacked tables")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    options = parser.parse_args()
    torch.set_num_threads(1)
    figures: dict[str, dict[str, float]] = {}
    for table, text, target in TASKS:
        task = read_task(options.tables / table, text, target)
        scores = {"tf-idf, linear": score_linear_model(task)}
        for name, bag in (("encoder", True), ("convolutions alone", False)):
            runs = [score_encoder(task, options.epochs, seed, bag) for seed in range(options.seeds)]
            scores[name] = statistics.mean(runs)
        figures[f"{table}: {text} -> {target}"] = {name: round(score, 3) for name, score in scores.items()}
        print(f"{table}: {text} -> {target}", figures[f"{table}: {text} -> {target}"], flush=True)
    if options.json:
        write_figures(options.json, "Reading of texts: R2 of prices, accuracy of labels", figures)


if __name__ == "__main__":
    main()
