"""Judges of what is drawn for real tables, trained on their real training rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file, save_file
from sklearn.ensemble import ExtraTreesClassifier
from torch import Tensor, nn

from amodal.media import fit_image, read_image
from amodal.metrics import MetricUnavailable, detection_auc
from amodal.metrics.feature_blocks import mel_bands, thumbnail
from amodal.metrics.sharpness import sharpness, spectrum
from benchmarks.closeness import MEDIA, closeness
from benchmarks.coherence import Completed, conditional, means, trusted_judges
from benchmarks.heldout_draws import HeldoutDraws
from benchmarks.judges import train_network
from benchmarks.peer import kept
from benchmarks.pitch import in_tune
from benchmarks.real_table import RealTable
from benchmarks.sheets import write_sheet
from benchmarks.table_features import media_vectors, read_recording

Figures = dict[str, Any]


class TableJudge(ABC):
    """Says how good pictures and sounds drawn for one table are.

    Args:
        table: the table; judges learn from all its training rows, whatever part of them a model is fitted to.
        judged: how many held-out rows are drawn for, at most.
    """

    def __init__(self, table: RealTable, judged: int | None = None) -> None:
        self.table = table
        self.rows = np.arange(len(table.heldout)) < (judged or len(table.heldout))
        self.heldout = table.heldout[self.rows]

    @abstractmethod
    def judge(self, drawn: HeldoutDraws, seed: int) -> Figures:
        """All figures of a fitted model; also writes sheets to look at."""

    def real(self, column: str) -> list[Any]:
        """The held-out rows' real pictures or sounds."""
        read = read_image if self.table.kinds[column] == "image" else read_recording
        return [read(self.table.folder / cell) for cell in self.heldout[column]]

    def sheet(self, column: str, real: list[Any], cells: list[Any], title: str) -> None:
        path = self.table.folder / "sheets" / f"{column}-{title}.png"
        write_sheet(path, self.table.kinds[column], real, cells)


class DigitsJudge(TableJudge):
    """Coherence and Frechet distances of image, speech and phrase; see `coherence` and `closeness`."""

    _NAMES: Mapping[str, str] = {"image": "image", "speech": "speech", "phrase": "caption"}

    def __init__(self, table: RealTable, judged: int | None = None) -> None:
        super().__init__(table, judged)
        labels = {
            part: pd.read_csv(table.folder / f"{part}_labels.csv")["digit"] for part in ("train", "heldout")
        }
        heldout = table.heldout.rename(columns=dict(self._NAMES))
        heldout = heldout.assign(digit=labels["heldout"].to_numpy()[: len(heldout)])
        self.judges, self.accuracy = trusted_judges(table.folder, heldout, digits=labels["train"])
        self.truth = heldout["digit"].to_numpy()[self.rows]

    def judge(self, drawn: HeldoutDraws, seed: int) -> Figures:
        completed: Completed = {
            tuple(self._NAMES[name] for name in given): self._draw(drawn, given, seed)
            for count in (1, 2)
            for given in combinations(self._NAMES, count)
        }
        unconditional = self._draw(drawn, (), seed)
        real = {column: self.real(column) for column in MEDIA}
        predicted = np.stack([self.judges(column, cells) for column, cells in unconditional.items()])
        shares = conditional(completed, self.judges, self.truth)
        distances = closeness(completed, unconditional, real, self.judges)
        for column in MEDIA:
            self.sheet(column, real[column], completed[("caption",)][column], f"given-phrase-{seed}")
            self.sheet(column, real[column], unconditional[column], f"whole-rows-{seed}")
        of_means = means(shares)
        return {
            "judges": self.accuracy,
            "one given": of_means["one given"],
            "worst pair": min(share for pair, share in shares.items() if "+" not in pair),
            "two given": of_means["two given"],
            "whole rows": float((predicted == predicted[0]).all(0).mean()),
            **{
                f"Frechet of {column}, {kind}, over real halves": round(of[kind] / of["real halves"], 2)
                for column, of in distances.items()
                for kind in ("given", "whole rows")
            },
            "pairs": {pair.replace("caption", "phrase"): share for pair, share in shares.items()},
        }

    def _draw(self, drawn: HeldoutDraws, given: tuple[str, ...], seed: int) -> dict[str, list[Any]]:
        targets = [name for name in self._NAMES if name not in given]
        cells = drawn.cells(given, targets, rows=self.rows, seed=seed)
        return {self._NAMES[name]: cells[name] for name in targets}


class EmojiJudge(TableJudge):
    """Accuracy of the category shown by images, their sharpness, and detection AUC against real ones."""

    _SIZE = 64
    _EPOCHS = 30
    # The number changes with the network or its training, so that none is loaded into another.
    _KEPT = "judge-1.safetensors"

    def __init__(self, table: RealTable, judged: int | None = None) -> None:
        super().__init__(table, judged)
        self.labels = sorted(table.training["category"].unique())
        self._network = self._trained()
        self._real = self.real("picture")
        self.accuracy = self._right(self._real)
        print(f"judge of emoji's category on held-out real pictures: {self.accuracy:.3f}")

    def _trained(self) -> nn.Sequential:
        """A network trained on all training pictures; kept in the table's folder for the next time."""
        kept_weights = self.table.folder / self._KEPT
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            network = self._untrained()
            if kept_weights.is_file():
                network.load_state_dict(load_file(kept_weights))
                return network.eval()
            pictures = [read_image(self.table.folder / cell) for cell in self.table.training["picture"]]
            labels = torch.tensor(self.table.training["category"].map(self.labels.index).to_numpy())
            train_network(network, self._tensor(pictures), labels, self._EPOCHS)
        save_file(network.state_dict(), kept_weights)
        return network

    def judge(self, drawn: HeldoutDraws, seed: int) -> Figures:
        given = drawn.cells(["category"], ["picture"], rows=self.rows, seed=seed)["picture"]
        unconditional = drawn.cells([], ["picture"], rows=self.rows, seed=seed)["picture"]
        size = given[0].shape[:2]
        real = [fit_image(picture, *size, 3) for picture in self._real]
        for title, cells in (("given-category", given), ("whole-rows", unconditional)):
            self.sheet("picture", real, cells, f"{title}-{seed}")
        right = self._right(given)
        return {
            "category shown, real": round(self.accuracy, 4),
            "category shown, generated": round(right, 4),
            "category shown, over real": round(right / self.accuracy, 4),
            "sharpness over real": round(sharpness(unconditional, real), 4),
            "detection AUC": _detection(real, unconditional, seed),
        }

    def _right(self, pictures: list[np.ndarray]) -> float:
        with torch.no_grad():
            predicted = self._network(self._tensor(pictures)).argmax(1).tolist()
        return float(
            (np.array([self.labels[number] for number in predicted]) == self.heldout["category"]).mean()
        )

    def _tensor(self, pictures: list[np.ndarray]) -> Tensor:
        fitted = [fit_image(picture, self._SIZE, self._SIZE, 3) for picture in pictures]
        return torch.from_numpy(np.stack(fitted)).permute(0, 3, 1, 2).float() / 255

    def _untrained(self) -> nn.Sequential:
        layers: list[nn.Module] = []
        for inputs, outputs in ((3, 24), (24, 48), (48, 64), (64, 96)):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(
            *layers, nn.Flatten(), nn.Dropout(0.5), nn.Linear(96 * (self._SIZE // 16) ** 2, len(self.labels))
        )


class OrchestraJudge(TableJudge):
    """Accuracy of the pitch and of the instrument of drawn notes."""

    def __init__(self, table: RealTable, judged: int | None = None) -> None:
        super().__init__(table, judged)
        self.midi = pd.to_numeric(self.heldout["midi"]).to_numpy()
        training, heldout = media_vectors(table, "sound")
        self._classifier = ExtraTreesClassifier(500, random_state=0).fit(
            training, table.training["instrument"]
        )
        self.accuracy = self._right(heldout[self.rows])
        print(f"judge of orchestra's instrument on held-out real notes: {self.accuracy:.3f}")

    @cached_property
    def _real_in_tune(self) -> np.ndarray:
        depends = {"content": self.table.content, "rows": int(self.rows.sum()), "version": 2}
        return np.array(
            kept(
                self.table.folder,
                "pitch",
                depends,
                lambda: {"in tune": in_tune(self.real("sound"), self.midi).tolist()},
            )["in tune"]
        )

    def judge(self, drawn: HeldoutDraws, seed: int) -> Figures:
        of_pitch = drawn.cells(["midi"], ["sound"], rows=self.rows, seed=seed)["sound"]
        of_instrument = drawn.cells(["instrument"], ["sound"], rows=self.rows, seed=seed)["sound"]
        real = self.real("sound")
        self.sheet("sound", real, of_pitch, f"given-midi-{seed}")
        self.sheet("sound", real, of_instrument, f"given-instrument-{seed}")
        passed = self._real_in_tune
        right = self._right(np.stack([mel_bands(sound) for sound in of_instrument]))
        return {
            "in tune, real": round(float(passed.mean()), 4),
            "in tune, generated, where real is": round(
                float(in_tune([of_pitch[row] for row in np.flatnonzero(passed)], self.midi[passed]).mean()), 4
            ),
            "instrument heard, real": round(self.accuracy, 4),
            "instrument heard, generated": round(right, 4),
            "instrument heard, over real": round(right / self.accuracy, 4),
        }

    def _right(self, vectors: np.ndarray) -> float:
        return float((self._classifier.predict(vectors) == self.heldout["instrument"]).mean())


def _detection(real: list[np.ndarray], drawn: list[np.ndarray], seed: int) -> float | None:
    """The AUC of boosted trees, cross-validated, on thumbnails and on energies by spatial frequency."""
    vectors = [
        np.array([[*thumbnail(picture), *np.log(spectrum(picture) + 1e-9)] for picture in some])
        for some in (real, drawn)
    ]
    try:
        return round(detection_auc(*vectors, seed=seed).value, 4)
    except MetricUnavailable:
        return None


JUDGES: Mapping[str, type[TableJudge]] = {
    "digits": DigitsJudge,
    "emoji": EmojiJudge,
    "orchestra": OrchestraJudge,
}
"""Table -> its judge; the others are judged by their completions alone."""
