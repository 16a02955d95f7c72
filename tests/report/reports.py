"""Reports with all sections, and examples to show with them, made by hand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from amodal.batch import Batch
from amodal.metrics import (
    Estimate,
    Gain,
    Metric,
    Prediction,
    TargetScores,
    column_metrics,
)
from amodal.report import Report, ReportExamples
from amodal.report.context import UnavailableMetric
from amodal.report.examples import Example, TranslationExample
from amodal.report.provenance import ColumnInfo, Provenance, TableInfo
from amodal.report.sections.calibration import ColumnCalibration, CoverageMetric
from amodal.report.sections.coherence import Coherence, ColumnCoherence
from amodal.report.sections.completion import ColumnCompletion
from amodal.report.sections.fidelity import ColumnFidelity
from amodal.report.sections.latent_map import LatentMap
from amodal.report.sections.likelihood import ColumnLikelihood
from amodal.report.sections.missingness import MissingCells
from amodal.report.sections.pairs import PairScore
from amodal.report.sections.privacy import Privacy
from amodal.report.sections.rows import WholeRows
from amodal.report.summary import Summary

ROWS = 6


def metric(
    value: float = 0.7,
    low: float | None = 0.65,
    high: float | None = 0.75,
    *,
    ceiling: float | None = 0.9,
    floor: float | None = 0.5,
    **more: Any,
) -> Metric:
    ends = [None if each is None else Estimate(each, 40) for each in (ceiling, floor)]
    words = {"name": "coverage", "description": "What it is.", "better": "higher", "floor_kind": "shuffled"}
    return Metric(value=value, low=low, high=high, rows=40, ceiling=ends[0], floor=ends[1], **(words | more))


def provenance() -> Provenance:
    table = TableInfo(source="heldout.csv", rows=40, fingerprint="1f" * 32)
    return Provenance(
        versions={"python": "3.11.7", "amodal": "0.1.0"},
        method="mvtcae",
        options={"latent": 32},
        parameters=1234567,
        fit_seed=3,
        fit_rows=300,
        fit_fingerprint="2e" * 32,
        seed=5,
        heldout=table,
        training=table,
        evaluated_rows=40,
        reference="training rows",
        reference_rows=300,
        generated_rows=40,
        seconds=12.5,
    )


def bare_report(modalities: Mapping[str, Any]) -> Report:
    """A report in which every metric is unavailable."""
    return Report(
        provenance=provenance(),
        columns=columns(modalities),
        summary=Summary(),
        sections={"fidelity": []},
        unavailable=[UnavailableMetric(metric="fidelity", of="audio", reason="it needs at least 50 rows")],
    )


def columns(modalities: Mapping[str, Any]) -> list[ColumnInfo]:
    used = [
        ColumnInfo(
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
    identifier = ColumnInfo(
        name="id",
        type=None,
        representation=None,
        summary="",
        reason="every cell is another number",
        missing=0.0,
        heldout_missing=None,
    )
    return [*used, identifier]


def full_report(modalities: Mapping[str, Any]) -> Report:
    """A report with all sections. The first and the last column are no informative pair; the target is a category."""
    names = list(modalities)
    types = {name: modality.type for name, modality in modalities.items()}
    target = next(name for name in names if types[name] == "category")
    others = tuple(name for name in names if name != target)

    def pair(given: str, target: str) -> PairScore:
        is_informative = (given, target) != (names[0], names[-1])
        relative = 0.5 if is_informative else None
        return PairScore(
            given=given, target=target, score=metric(), is_informative=is_informative, relative=relative
        )

    share = metric(ceiling=None, floor=None)
    error = {"better": "lower", "ceiling": None, "floor": None, "floor_kind": ""}
    auc = metric(0.8, 0.78, 0.82, ceiling=0.5, floor=1.0, better="lower", unit="AUC")
    sections = {
        "pairs": [pair(given, to) for given in names for to in names if given != to],
        "rows": WholeRows(score=metric(), pairs=[]),
        "fidelity": [ColumnFidelity(column=name, type=types[name], metrics=[metric()]) for name in names],
        "completion": [
            ColumnCompletion(
                column=name,
                type=types[name],
                consensus="one draw",
                model=metric(0.25, name="RMSE", unit="cm", **error),
                imputers=[
                    metric(0.375, name="mean cell" if types[name] == "image" else "mean", **error),
                    metric(0.125, name="nearest rows", **error),
                ],
                best="nearest rows",
            )
            for name in names
        ],
        "calibration": [
            ColumnCalibration(
                column=name, coverage=[CoverageMetric(nominal=0.9, empirical=metric(0.8125, better=None))]
            )
            for name in names
            if types[name] == "number"
        ],
        "target": TargetScores(
            target=target,
            metric="accuracy",
            baseline=metric(0.3),
            predictions=tuple(
                Prediction(given, predictor, metric(0.6))
                for given in (
                    *((name,) for name in others),
                    others,
                    *(tuple(n for n in others if n != name) for name in others),
                )
                for predictor in ("embedding", "completion", "features")
            ),
            gains=(Gain(others, others[:1], "embedding", metric(0.1, 0.05)),),
            ablations=(Gain(others, others[1:], "completion", metric(0.01, -0.01, 0.03)),),
        ),
        "coherence": Coherence(
            target=target,
            columns=[ColumnCoherence(column=others[0], accuracy=metric(0.95), coherence=None)],
            joint=None,
        ),
        "detection": auc,
        "privacy": Privacy(
            dcr_share=metric(name="nearer"),
            nndr_share=metric(name="near"),
            duplicates=metric(0.0, None, None),
            membership=metric(0.52, 0.48, 0.56, name="membership AUC"),
            membership_score="the whole row",
        ),
        "likelihood": [ColumnLikelihood(column=names[0], bits=metric(-1.5, **error), dimensions=63.0)],
        "latent_map": LatentMap(rows=40, explained_variance=(0.5, 0.25)),
        "training": [
            {"epoch": epoch, "seconds": float(epoch), "train_loss": 9.0 / epoch, "val_loss": 10.0 / epoch}
            for epoch in range(1, 8)
        ],
        "missingness": MissingCells(
            columns=names,
            real=np.full((len(names), len(names)), 0.2).tolist(),
            generated=np.zeros((len(names), len(names))).tolist(),
            rates=metric(floor=None),
            pair_rates=metric(floor=None),
        ),
    }
    summary = Summary(
        overall=metric(0.63, 0.55, 0.72, ceiling=None, floor=None),
        weakness="audio (generated cells are less varied than real ones)",
        whole_rows=share,
        membership=metric(0.52, 0.48, 0.56, ceiling=0.5, floor=1.0, better="lower", unit="AUC"),
        fidelity=share,
        matching_accuracy=share,
        completion=metric(0.5, None, None, ceiling=None, floor=None),
        detection_auc=auc,
        nndr_share=metric(0.04, 0.02, 0.08, ceiling=0.05, floor=1.0, better="lower"),
        sentences=("The weakest pair is a -> b.", "Nothing was copied."),
    )
    return bare_report(modalities).model_copy(update={"sections": sections, "summary": summary})


def examples(modalities: Mapping[str, Any], rows: Batch) -> ReportExamples:
    """The first rows, as real, as generated and as nearest ones."""
    cells = {name: modality.to_cells(rows.x[name]) for name, modality in modalities.items()}
    real = [Example({name: cells[name][row] for name in modalities}, row) for row in range(len(rows))]
    first = next(iter(modalities))
    holed = [replace(row, cells=row.cells | {first: None}) for row in real]
    columns = {name: column_metrics(modality) for name, modality in modalities.items()}
    values = {name: list(cells[name]) for name, column in columns.items() if column.is_scalar}
    label = next((name for name, column in columns.items() if column.is_categorical), "")
    rng = np.random.default_rng(0)
    return ReportExamples(
        real=real[:ROWS],
        generated=real[:ROWS],
        nearest=holed[1 : ROWS + 1],
        nearest_source="training",
        translations=[
            TranslationExample(given, target, real[0], real[1].cells[target])
            for given in modalities
            for target in modalities
            if given != target
        ],
        real_values=values,
        generated_values=values,
        real_rows=rows,
        latent_map=rng.normal(size=(len(rows), 2)),
        map_labels=[str(each) for each in cells[label]] if label else [],
        map_column=label,
    )
