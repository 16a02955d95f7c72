"""Reports with all parts, and rows to show beside them, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from amodal.batch import Batch
from amodal.report import Report, Shown
from amodal.report.examples import Beside, ShownRow, Translated
from amodal.report.results import (
    ColumnCalibration,
    ColumnCompletion,
    ColumnFidelity,
    ColumnLikelihood,
    ColumnNote,
    CopyingPart,
    CoverageReading,
    Data,
    LeftOutNote,
    Made,
    Mark,
    MissingnessPart,
    PairScore,
    Reading,
    Summary,
    TargetDifference,
    TargetJudge,
    TargetPart,
    TargetPrediction,
    WholeRows,
)

ROWS = 6


def reading(
    value: float = 0.7,
    low: float | None = 0.65,
    high: float | None = 0.75,
    *,
    ceiling: float | None = 0.9,
    floor: float | None = 0.5,
    **more: Any,
) -> Reading:
    marks = [None if each is None else Mark(value=each, rows=40) for each in (ceiling, floor)]
    words = {"name": "coverage", "says": "What it says.", "better": "higher", "floor_is": "shuffled"}
    return Reading(
        value=value, low=low, high=high, rows=40, ceiling=marks[0], floor=marks[1], **(words | more)
    )


def made() -> Made:
    table = Data(source="heldout.csv", rows=40, fingerprint="1f" * 32)
    return Made(
        versions={"python": "3.11.7", "amodal": "0.1.0"},
        method="mvtcae",
        options={"latent": 32},
        parameters=1234567,
        fit_seed=3,
        fit_rows=300,
        fit_fingerprint="2e" * 32,
        seed=5,
        data=table,
        training=table,
        judged_rows=40,
        matched_by="training rows",
        matched_rows=300,
        generated_rows=40,
        seconds=12.5,
    )


def bare_report(modalities: Mapping[str, Any]) -> Report:
    """A report in which every metric was left out."""
    return Report(
        made=made(),
        columns=notes(modalities),
        history=[],
        summary=Summary(
            overall=None,
            fidelity=None,
            coherence=None,
            completion=None,
            realism=None,
            copying=None,
            sentences=[],
        ),
        fidelity=[],
        pairs=[],
        whole_rows=WholeRows(score=None, pairs=[]),
        completion=[],
        calibration=[],
        realism=None,
        copying=None,
        likelihood=[],
        missingness=None,
        target=None,
        left_out=[LeftOutNote(metric="fidelity", of="audio", reason="it needs at least 50 rows")],
    )


def notes(modalities: Mapping[str, Any]) -> list[ColumnNote]:
    used = [
        ColumnNote(
            name=name,
            type=modality.type,
            representation=modality.representation,
            summary=modality.summary,
            reason="all cells are of it",
            missing=0.2,
            heldout_missing=0.0,
        )
        for name, modality in modalities.items()
    ]
    identifier = ColumnNote(
        name="id",
        type=None,
        representation=None,
        summary="",
        reason="every cell is another number",
        missing=0.0,
        heldout_missing=None,
    )
    return [*used, identifier]


def whole_report(modalities: Mapping[str, Any]) -> Report:
    """A report with all parts. The first column tells nothing of the last; the target is of the category's type."""
    names = list(modalities)
    types = {name: modality.type for name, modality in modalities.items()}
    target = next(name for name in names if types[name] == "category")
    others = [name for name in names if name != target]

    def pair(given: str, target: str) -> PairScore:
        is_informative = (given, target) != (names[0], names[-1])
        return PairScore(
            given=given,
            target=target,
            score=reading(),
            is_informative=is_informative,
            scaled=0.5 if is_informative else None,
        )

    share = reading(ceiling=None, floor=None)
    error = {"better": "lower", "ceiling": None, "floor": None, "floor_is": ""}
    history = [
        {"epoch": epoch, "seconds": float(epoch), "train_loss": 9.0 / epoch, "val_loss": 10.0 / epoch}
        for epoch in range(1, 8)
    ]
    return bare_report(modalities).model_copy(
        update={
            "history": history,
            "summary": Summary(
                overall=reading(0.63, ceiling=None, floor=None),
                fidelity=share,
                coherence=share,
                completion=reading(0.5, None, None, ceiling=None, floor=None),
                realism=reading(0.8, 0.78, 0.82, ceiling=0.5, floor=1.0, better="lower", unit="AUC"),
                copying=reading(0.04, 0.02, 0.08, ceiling=0.05, floor=1.0, better="lower"),
                sentences=["The weakest pair is a -> b.", "Nothing was copied."],
            ),
            "fidelity": [ColumnFidelity(column=name, type=types[name], scores=[reading()]) for name in names],
            "pairs": [pair(given, to) for given in names for to in names if given != to],
            "whole_rows": WholeRows(score=reading(), pairs=[]),
            "completion": [
                ColumnCompletion(
                    column=name,
                    type=types[name],
                    how="one draw",
                    model=reading(0.25, name="RMSE", unit="cm", **error),
                    baselines=[
                        reading(0.375, name="mean cell" if types[name] == "image" else "mean", **error),
                        reading(0.125, name="nearest rows", **error),
                    ],
                    best="nearest rows",
                )
                for name in names
            ],
            "calibration": [
                ColumnCalibration(
                    column=name, coverage=[CoverageReading(nominal=0.9, share=reading(0.8125, better=None))]
                )
                for name in names
                if types[name] == "number"
            ],
            "realism": reading(0.8, 0.78, 0.82, ceiling=0.5, floor=1.0, better="lower", name="realism"),
            "copying": CopyingPart(
                nearer=reading(name="nearer"), ratio=reading(name="near"), duplicates=reading(0.0, None, None)
            ),
            "likelihood": [
                ColumnLikelihood(column=names[0], bits=reading(-1.5, **error), dimensions=63.0, given=[])
            ],
            "missingness": MissingnessPart(
                columns=names,
                real=np.full((len(names), len(names)), 0.2).tolist(),
                generated=np.zeros((len(names), len(names))).tolist(),
                rates=reading(floor=None),
                together=reading(floor=None),
            ),
            "target": TargetPart(
                target=target,
                measure="accuracy",
                baseline=reading(0.3),
                predictions=[
                    TargetPrediction(given=given, by=by, score=reading(0.6))
                    for given in (
                        *([name] for name in others),
                        others,
                        *([n for n in others if n != name] for name in others),
                    )
                    for by in ("embedding", "completion", "features")
                ],
                gains=[
                    TargetDifference(more=others, fewer=others[:1], by="embedding", score=reading(0.1, 0.05))
                ],
                worth=[
                    TargetDifference(
                        more=others, fewer=others[1:], by="completion", score=reading(0.01, -0.01, 0.03)
                    )
                ],
                judges=[TargetJudge(column=others[0], accuracy=reading(0.95), judged=None)],
                alike=None,
            ),
        }
    )


def shown(modalities: Mapping[str, Any], rows: Batch) -> Shown:
    """The first rows, shown as real, as generated and as nearest ones."""
    cells = {name: modality.to_cells(rows.x[name]) for name, modality in modalities.items()}
    real = [ShownRow({name: cells[name][row] for name in modalities}, row) for row in range(len(rows))]
    first = next(iter(modalities))
    holed = [replace(row, cells=row.cells | {first: None}) for row in real]
    kinds = {name: modality.type for name, modality in modalities.items()}
    values = {name: list(cells[name]) for name in modalities if kinds[name] in ("number", "category")}
    label = next((name for name in modalities if kinds[name] == "category"), "")
    rng = np.random.default_rng(0)
    return Shown(
        real=real[:ROWS],
        beside=[Beside(real[row], holed[row + 1], 1.0) for row in range(ROWS)],
        nearest_are="training",
        translated=[
            Translated(given, target, real[0], real[1].cells[target])
            for given in modalities
            for target in modalities
            if given != target
        ],
        real_values=values,
        generated_values=values,
        real_rows=rows,
        generated_rows=rows,
        embedding=rng.normal(size=(len(rows), 8)).astype(np.float32),
        map=rng.normal(size=(len(rows), 2)).astype(np.float32),
        map_labels=[str(each) for each in cells[label]] if label else [],
        map_column=label,
    )
