"""What every modality keeps, on real files; a new one is tested by being listed with cells of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch.distributions import Distribution

from amodal.distributions import RowNoise
from amodal.media import Sound, log_mel, read_image, read_sound, write_image, write_sound
from amodal.modalities import MODALITIES, Modality
from amodal.problems import RejectColumn
from amodal.table import infer_schema, read_table

ROWS = 24


def pictures(folder: Path) -> list[str]:
    rng = np.random.default_rng(0)
    for row in range(ROWS):
        write_image(folder / f"{row}.png", rng.integers(0, 256, (12, 20, 3), dtype=np.uint8))
    return [f"{row}.png" for row in range(ROWS)]


def sounds(folder: Path) -> list[str]:
    for row in range(ROWS):
        time = np.arange(3000 + 200 * row) / 8000
        write_sound(folder / f"{row}.wav", 0.5 * np.sin(2 * np.pi * (300 + 40 * row) * time), 8000)
    return [f"{row}.wav" for row in range(ROWS)]


CELLS: dict[str, Callable[[Path], list]] = {
    "image:pixels": pictures,
    "audio:mel": sounds,
    "number:quantile": lambda _: np.random.default_rng(1).normal(size=ROWS).round(3).tolist(),
    "category:one_hot": lambda _: [["red", "green", "blue"][row % 3] for row in range(ROWS)],
    "text:tokens": lambda _: [f"the {row} of a {'long' if row % 2 else 'short'} list" for row in range(ROWS)],
}


def same(kind: str, cell: object, again: object, root: Path) -> bool:
    if kind == "image:pixels":
        return np.array_equal(read_image(root / str(cell)), again)
    if kind == "audio:mel":
        assert isinstance(again, Sound)
        before = read_sound(root / str(cell))
        settings = {"target_rate": 8000, "n_fft": 256, "hop": 128, "mels": 40}
        mels = [log_mel(sound.samples, sound.rate, **settings) for sound in (before, again)]
        frames = min(mel.shape[1] for mel in mels)
        loudest = [mel[:, 4 : frames - 4].argmax(0) for mel in mels]
        return (
            abs(before.seconds - again.seconds) < 0.04 and float(np.abs(loudest[0] - loudest[1]).mean()) < 1
        )
    return cell == again


@pytest.fixture(params=MODALITIES, ids=lambda modality: f"{modality.type}:{modality.representation}")
def case(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[type[Modality], pd.Series, Path]:
    modality = request.param
    return modality, pd.Series(CELLS[f"{modality.type}:{modality.representation}"](tmp_path)), tmp_path


Case = tuple[type[Modality], pd.Series, Path]


def test_it_accepts_its_own_and_says_why(case: Case) -> None:
    modality, cells, root = case
    assert modality.accepts(cells, root)
    assert modality.fit(cells, root).summary


def test_its_tensor_is_as_it_says(case: Case) -> None:
    modality, cells, root = case
    fitted = modality.fit(cells, root)
    tensor = fitted.to_tensor(cells, root)
    assert tensor.shape == (ROWS, *fitted.shape)
    assert str(tensor.numpy().dtype) == fitted.dtype
    assert fitted.to_tensor(cells.iloc[:0], root).shape == (0, *fitted.shape)
    assert fitted.size >= 1


def test_cells_come_back(case: Case) -> None:
    modality, cells, root = case
    fitted = modality.fit(cells, root)
    again = fitted.to_cells(fitted.scaled(fitted.to_tensor(cells, root)))
    kind = f"{modality.type}:{modality.representation}"
    assert len(again) == ROWS
    wrong = [cell for cell, back in zip(cells, again, strict=True) if not same(kind, cell, back, root)]
    assert not wrong


def test_what_it_writes_it_reads(case: Case, tmp_path: Path) -> None:
    modality, cells, root = case
    fitted = modality.fit(cells, root)
    tensor = fitted.to_tensor(cells.iloc[:3], root)
    made = fitted.to_cells(fitted.scaled(tensor))
    if modality.suffix is None:
        again = pd.Series(made)
    else:
        again = pd.Series([f"again{row}{modality.suffix}" for row in range(3)])
        for path, cell in zip(again, made, strict=True):
            fitted.write(tmp_path / path, cell)
    back = fitted.to_tensor(again, tmp_path).float()
    assert back.shape == tensor.shape
    assert (back - tensor.float()).abs().mean() <= 0.15 * tensor.float().abs().mean()


def test_it_survives_json(case: Case) -> None:
    modality, cells, root = case
    fitted = modality.fit(cells, root)
    assert modality.from_dict(json.loads(json.dumps(fitted.to_dict()))) == fitted
    with pytest.raises(ValueError, match="needs"):
        modality.from_dict({"surprise": 1})


def test_encoder_and_likelihood_fit_together(case: Case) -> None:
    modality, cells, root = case
    fitted = modality.fit(cells, root)
    values = fitted.scaled(fitted.to_tensor(cells, root))
    torch.manual_seed(0)
    features = fitted.encoder(32)(values)
    assert features.shape == (ROWS, 32)
    decoder = fitted.decoder(5)
    likelihood = decoder(torch.randn(ROWS, 5))
    assert isinstance(likelihood, Distribution)
    score = likelihood.log_prob(values)
    assert score.shape == (ROWS,)
    assert score.isfinite().all()
    score.sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in decoder.parameters())
    drawn = fitted.draw(likelihood, RowNoise(0, torch.arange(ROWS)))
    assert drawn.shape == values.shape
    assert len(fitted.to_cells(drawn[:2])) == 2


def test_a_likelihood_learns_its_cells(case: Case) -> None:
    modality, cells, root = case
    fitted = modality.fit(cells, root)
    values = fitted.scaled(fitted.to_tensor(cells, root))
    torch.manual_seed(0)
    decoder, latents = fitted.decoder(ROWS), torch.eye(ROWS)
    optimiser = torch.optim.Adam(decoder.parameters(), 0.005)
    scores = []
    for _ in range(60):
        score = decoder(latents).log_prob(values).mean()
        optimiser.zero_grad()
        (-score).backward()
        optimiser.step()
        scores.append(score.item())
    assert scores[-1] > scores[0] + 0.2 * abs(scores[0])


def test_each_column_of_a_table_gets_its_type(tmp_path: Path) -> None:
    frame = pd.DataFrame({kind: make(tmp_path) for kind, make in CELLS.items()})
    schema = infer_schema(read_table(frame, tmp_path), MODALITIES)
    assert {f"{m.type}:{m.representation}" for m in MODALITIES} == set(CELLS)
    assert {name: f"{m.type}:{m.representation}" for name, m in schema.used.items()} == {k: k for k in CELLS}


@pytest.mark.parametrize("kind", ["image:pixels", "audio:mel", "number:quantile"])
def test_words_are_rejected(kind: str) -> None:
    modality = next(m for m in MODALITIES if f"{m.type}:{m.representation}" == kind)
    with pytest.raises(RejectColumn):
        modality.accepts(pd.Series(["some", "words", "more words"]), None)
