"""The whole evaluation of a fitted model: every metric, beside what real and worthless rows have."""

from __future__ import annotations

import math
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any, Protocol

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from amodal.errors import UsageError
from amodal.metrics import Copying
from amodal.models import GenerativeModel
from amodal.parallel import in_parallel
from amodal.report.context import Evidence, gather
from amodal.report.examples import Shown, show
from amodal.report.metric import Notes
from amodal.report.results import (
    ColumnCalibration,
    ColumnCompletion,
    ColumnFidelity,
    ColumnLikelihood,
    ColumnNote,
    CopyingPart,
    Made,
    MissingnessPart,
    PairScore,
    Reading,
    Report,
    TargetPart,
    WholeRows,
)
from amodal.report.sections.coherence import Translations, pair_scores, translate, whole_rows
from amodal.report.sections.completion import completion
from amodal.report.sections.fidelity import fidelity
from amodal.report.sections.likelihood import likelihood
from amodal.report.sections.target import target_part
from amodal.report.sections.whole_table import copying_scores, missing_cells, realism_score
from amodal.report.summary import summarise
from amodal.report.tables import RealRows, described, real_rows, training_vectors
from amodal.table import BadCellPolicy, Schema, Table

_LIBRARIES = ("amodal", "torch", "numpy", "pandas", "scikit-learn", "scipy", "librosa")


class Fitted(Protocol):
    """What is known of a fitted model; see `amodal.persistence.FittedModel`."""

    @property
    def method(self) -> str: ...
    @property
    def model(self) -> GenerativeModel: ...
    @property
    def options(self) -> dict[str, Any]: ...
    @property
    def schema(self) -> Schema: ...
    @property
    def history(self) -> pd.DataFrame: ...
    @property
    def seed(self) -> int: ...
    @property
    def rows(self) -> int: ...
    @property
    def fingerprint(self) -> str: ...


@dataclass(frozen=True)
class Evaluation:
    """What an evaluation found.

    Attributes:
        report: the numbers.
        evidence: the rows they were found in.
        heldout: the held-out table.
        training: the table of training rows, None where it was not given.
        translations: each column drawn from each other one.
        nearest: each generated row's nearest training row; None where there are none.
        target: the target column, if any.
    """

    report: Report
    evidence: Evidence
    heldout: Table
    training: Table | None
    translations: Translations
    nearest: NDArray[np.int64] | None
    target: str | None

    def shown(self, rows: int = 8) -> Shown:
        """What a page shows beside the numbers: some rows' cells, made when this is called.

        Args:
            rows: how many real and generated rows.
        """
        return show(
            self.evidence,
            self.training,
            self.translations,
            self.nearest,
            target=self.target,
            rows=rows,
        )


@dataclass
class _Parts:
    """The report's parts as they are found."""

    fidelity: list[ColumnFidelity] = field(default_factory=list)
    pairs: list[PairScore] = field(default_factory=list)
    whole_rows: WholeRows = field(default_factory=lambda: WholeRows(score=None, pairs=[]))
    completion: list[ColumnCompletion] = field(default_factory=list)
    calibration: list[ColumnCalibration] = field(default_factory=list)
    realism: Reading | None = None
    copying: CopyingPart | None = None
    likelihood: list[ColumnLikelihood] = field(default_factory=list)
    missingness: MissingnessPart | None = None
    target: TargetPart | None = None
    translations: Translations = field(default_factory=dict)
    found: Copying | None = None


def evaluate(
    fitted: Fitted,
    heldout: Table,
    *,
    training: Table | None = None,
    target: str | None = None,
    seed: int = 0,
    bad_cells: BadCellPolicy = "error",
) -> Evaluation:
    """Judge a model by rows that it was not fitted to.

    Metrics need real rows of two kinds: some to learn from (features, matchers, judges, fills without a model), and
    others to judge by. The first are training rows where they are given, and else one half of the held-out rows.
    Up to 2,000 rows of each are looked at.

    Args:
        fitted: the model.
        heldout: rows that it was not fitted to.
        training: the rows that it was fitted to; without them it cannot be said whether it copies.
        target: a column of categories or numbers, of which it is asked what the others say of it.
        seed: of draws, splits, subsamples and intervals.
        bad_cells: "error" refuses cells that cannot be read, and labels that training rows did not have; "missing"
            takes them as missing.

    Raises:
        UsageError: the model has no such target.
        DataError: a table has none of the model's columns, or cells that cannot be used.
    """
    start = time.monotonic()
    model, modalities = fitted.model, fitted.model.modalities
    if target is not None and target not in modalities:
        raise UsageError(f"The model has no column {target!r}. Choose from {', '.join(modalities)}.")
    rows = real_rows(heldout, training, modalities, seed=seed, bad_cells=bad_cells)
    notes, parts = Notes(), _Parts()
    evidence = gather(model, rows.known, rows.judged, notes, seed=seed, cut=rows.cut)
    steps = _steps(evidence, rows, training, target, notes, parts)
    for _ in in_parallel(lambda step: step(), steps, label="Judging", workers=1):
        pass
    made = _made(fitted, heldout, training, rows, evidence, seconds=time.monotonic() - start)
    summary = summarise(
        made, parts.fidelity, parts.pairs, parts.completion, parts.realism, parts.copying, notes
    )
    report = Report(
        made=made,
        columns=_columns(fitted.schema, heldout, rows),
        history=_history(fitted.history),
        summary=summary,
        fidelity=parts.fidelity,
        pairs=parts.pairs,
        whole_rows=parts.whole_rows,
        completion=parts.completion,
        calibration=parts.calibration,
        realism=parts.realism,
        copying=parts.copying,
        likelihood=parts.likelihood,
        missingness=parts.missingness,
        target=parts.target,
        left_out=notes.left_out,
    )
    nearest = None if parts.found is None else parts.found.nearest
    return Evaluation(report, evidence, heldout, training, parts.translations, nearest, target)


def _steps(
    evidence: Evidence,
    rows: RealRows,
    training: Table | None,
    target: str | None,
    notes: Notes,
    parts: _Parts,
) -> list[Callable[[], None]]:
    """What is to be done, one after another."""

    def judge_columns() -> None:
        parts.fidelity = fidelity(evidence, notes)

    def judge_pairs() -> None:
        parts.translations = translate(evidence)
        parts.pairs = pair_scores(evidence, parts.translations, notes)
        parts.whole_rows = whole_rows(evidence, notes)

    def complete() -> None:
        parts.completion, parts.calibration = completion(evidence, notes)

    def judge_rows() -> None:
        with notes.attempt("realism"):
            parts.realism = realism_score(evidence)
        with notes.attempt("missingness"):
            parts.missingness = missing_cells(evidence)

    def look_for_copies() -> None:
        if training is None:
            notes.add("copying", "training rows are not in a model: give them by training=DATA")
            return
        with notes.attempt("copying"):
            vectors, numbers = training_vectors(
                training, evidence.features, evidence.modalities, seed=evidence.seed
            )
            parts.copying, found = copying_scores(evidence, vectors, cut=len(vectors) < len(training))
            parts.found = Copying(
                **{
                    name: getattr(found, name)
                    for name in ("nearer", "ratio", "duplicates", "heldout_duplicates", "rows")
                },
                nearest=numbers[found.nearest],
            )

    def foresee() -> None:
        parts.likelihood = likelihood(evidence, notes)

    def predict() -> None:
        if target is not None:
            with notes.attempt("target", target):
                parts.target = target_part(evidence, rows.heldout, target, parts.translations, notes)

    return [judge_columns, judge_pairs, complete, judge_rows, look_for_copies, foresee, predict]


def _made(
    fitted: Fitted,
    heldout: Table,
    training: Table | None,
    rows: RealRows,
    evidence: Evidence,
    *,
    seconds: float,
) -> Made:
    modalities = fitted.schema.used
    return Made(
        versions={"python": platform.python_version()} | {name: version(name) for name in _LIBRARIES},
        method=fitted.method,
        options=fitted.options,
        parameters=sum(weights.numel() for weights in fitted.model.parameters()),
        fit_seed=fitted.seed,
        fit_rows=fitted.rows,
        fit_fingerprint=fitted.fingerprint,
        seed=evidence.seed,
        data=described(heldout, modalities),
        training=None if training is None else described(training, modalities),
        judged_rows=len(rows.judged),
        matched_by="training rows" if training is not None else "the other half of the held-out rows",
        matched_rows=len(rows.known),
        generated_rows=len(evidence.generated),
        seconds=round(seconds, 1),
    )


def _columns(schema: Schema, heldout: Table, rows: RealRows) -> list[ColumnNote]:
    return [
        ColumnNote(
            name=column.name,
            type=column.modality.type if column.modality else None,
            representation=column.modality.representation if column.modality else None,
            summary=column.modality.summary if column.modality else "",
            reason=column.reason,
            missing=column.missing,
            heldout_missing=1 - float(rows.heldout.mask(column.name).float().mean())
            if column.modality and column.name in heldout.columns
            else None,
        )
        for column in schema.columns
    ]


def _history(history: pd.DataFrame) -> list[dict[str, float | int | str | None]]:
    return [
        {str(name): _plain(value) for name, value in row.items()} for row in history.to_dict(orient="records")
    ]


def _plain(value: Any) -> float | int | str | None:
    """A cell of the history; what was not measured in an epoch is None."""
    if isinstance(value, str):
        return value
    if isinstance(value, int | np.integer):
        return int(value)
    number = float(value)
    return number if math.isfinite(number) else None
