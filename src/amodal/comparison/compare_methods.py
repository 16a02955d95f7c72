"""`compare`: one leaderboard of several methods on a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import ValidationError

from amodal.comparison.advice import advice
from amodal.comparison.leaderboard import MethodResult, leaderboard, rank_overall
from amodal.comparison.page import write_page
from amodal.comparison.run_folder import LEADERBOARD, SETTINGS, check_settings, write_settings
from amodal.comparison.split import split_table
from amodal.comparison.trial import Outcome, Trial
from amodal.comparison.trial_process import read_outcome, run_in_subprocess
from amodal.errors import UsageError
from amodal.files import check_output_folder, exclusive_lock, replacing_file, temporary_folder
from amodal.methods import METHODS, method_named
from amodal.metrics import column_metrics
from amodal.modalities import MODALITIES
from amodal.report import Report
from amodal.report.evaluate import REPORT
from amodal.run_folder import notify
from amodal.table import check_cells, check_media_kept, fingerprint, infer_schema, read_table
from amodal.training import parse_duration

TIME_LIMIT = "5m"
"""Of each method, where neither epochs nor a time is given."""


def compare(
    data: str | Path | pd.DataFrame,
    *,
    methods: Sequence[str] | None = None,
    time_limit: str | float | None = None,
    epochs: int | None = None,
    target: str | None = None,
    output: str | Path | None = None,
    types: Mapping[str, str] | None = None,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    bad_cells: Literal["error", "missing"] = "error",
    media_root: str | Path | None = None,
    device: str = "auto",
    seed: int = 0,
    overwrite: bool = False,
) -> pd.DataFrame:
    """Fit several methods to a table under the same budget and score each on the same held-out rows.

    A fifth of the rows, or 100 where that is fewer and no more than half, is held out; at most 2,000. Each method
    runs in a process of its own. A method that fails is on the leaderboard with the reason.

    Args:
        data: the table; see `TableModel.fit`.
        methods: names of methods; all by default.
        time_limit: maximum fitting time of each method, in seconds or as "5m"; by default 5 minutes, or no limit
            where `epochs` is given.
        epochs: maximum number of epochs of each method.
        target: a category or number column to predict from all others.
        output: a folder for leaderboard.csv, report.html and one folder a method, with its model, report and some
            generated rows. The same call resumes an interrupted comparison. By default nothing is kept.
        types: see `TableModel`.
        options: see `TableModel`.
        bad_cells: see `TableModel`.
        media_root: folder that paths in the table are relative to.
        device: "auto", "cpu", "cuda" or "mps".
        seed: seed of the split, of training and of evaluation.
        overwrite: replace an earlier comparison in `output`.

    Returns:
        The leaderboard, one row a method, the best overall first; see `amodal.comparison.leaderboard.leaderboard`. Its
        `attrs["advice"]` recommends a method in a few sentences.

    Raises:
        UsageError: an unknown method, column or type; or `output` holds something else, or a comparison of other
            data, another seed or another budget, or is in use by another process.
        DataError: the table cannot be used; names columns and rows.
        OSError: an error of the machine, such as a full disk; the same call resumes later.
    """
    if output is not None:
        check_output_folder(
            output, "comparison", overwrite=overwrite, resume=not overwrite, inputs=[data, media_root]
        )
    names = _method_names(methods)
    limit = parse_duration(TIME_LIMIT if time_limit is None and epochs is None else time_limit)
    with temporary_folder() if output is None else exclusive_lock(Path(output)) as folder:
        table = read_table(data, media_root)
        schema = infer_schema(table, MODALITIES, types, options)
        modalities = schema.used
        _check_target(target, modalities)
        if output is not None:
            check_media_kept(table, modalities, Path(output))
        arguments: dict[str, Any] = {
            "time_limit": limit,
            "epochs": epochs,
            "types": dict(types or {}),
            "options": {name: dict(fields) for name, fields in (options or {}).items()},
            "bad_cells": bad_cells,
            "device": device,
        }
        settings = {"amodal": version("amodal"), "data": fingerprint(table, modalities), "seed": seed}
        settings |= {"target": target} | arguments
        if (folder / SETTINGS).is_file() and not overwrite:
            check_settings(folder, settings)
        else:
            # Before any method's time is spent: an unreadable cell would stop all of them.
            check_cells(table, modalities, bad_cells=bad_cells)
            write_settings(folder, settings)
        split = split_table(table, modalities, seed)
        trials = [
            Trial({"method": name, "random_state": seed} | arguments, split, target, folder / name)
            for name in names
        ]
        results = rank_overall(_run_trials(trials))
        frame = leaderboard(results)
        with replacing_file(folder / LEADERBOARD) as path:
            frame.to_csv(path, index=False, lineterminator="\n")
        write_page(
            results,
            split,
            folder,
            modalities,
            budget=_budget(limit, epochs),
            seed=seed,
            target=target,
        )
        frame.attrs["advice"] = advice(results, target)
        return frame


def _method_names(methods: Sequence[str] | None) -> list[str]:
    if methods is None:
        return [method.name for method in METHODS]
    names = list(dict.fromkeys(method_named(name).name for name in methods))
    if not names:
        raise UsageError(f"There are no methods to compare. Choose from {', '.join(_method_names(None))}.")
    return names


def _check_target(target: str | None, modalities: Mapping[str, Any]) -> None:
    if target is None:
        return
    allowed = [name for name, modality in modalities.items() if column_metrics(modality).is_scalar]
    if target not in allowed:
        raise UsageError(
            f"The target must be a column of numbers or categories, and {target!r} is none. "
            f"Choose from {', '.join(allowed) or 'none'}."
        )


def _run_trials(trials: Sequence[Trial]) -> list[MethodResult]:
    """Run the trials that have no successful outcome yet, and print progress."""
    results: dict[str, MethodResult] = {}
    pending = []
    for trial in trials:
        method, outcome = trial.folder.name, read_outcome(trial.folder)
        result = None if outcome is None else _read_result(outcome, trial.folder)
        if result is not None and not result.outcome.failure:
            notify(f"{method}: fitted and judged before, and used again.")
            results[method] = result
            continue
        if outcome is not None and outcome.failure:
            notify(f"{method}: failed before, and is tried again.")
        pending.append(trial)
    for number, trial in enumerate(pending, start=1):
        method = trial.folder.name
        notify(f"{method}: being fitted and judged, {number} of {len(pending)}.")
        outcome = run_in_subprocess(trial)
        result = _read_result(outcome, trial.folder) or MethodResult(
            Outcome(method=method, failure="its report cannot be read")
        )
        notify(f"{method}: {_in_words(result)}")
        results[method] = result
    return [results[trial.folder.name] for trial in trials]


def _read_result(outcome: Outcome, folder: Path) -> MethodResult | None:
    """Result of a finished trial; None where its report cannot be read."""
    if outcome.failure:
        return MethodResult(outcome)
    try:
        report = Report.model_validate_json((folder / REPORT).read_bytes())
    except (OSError, ValidationError):
        return None
    return MethodResult.of_report(outcome, report)


def _in_words(result: MethodResult) -> str:
    if result.outcome.failure:
        return f"failed: {result.outcome.failure}"
    overall = result.scores.get("overall")
    score = "no overall score could be had" if overall is None else f"overall score {overall.value:.2f}"
    return f"{score}, fitted in {result.costs['seconds']:.0f} s"


def _budget(limit: float | None, epochs: int | None) -> str:
    parts = [] if limit is None else [f"{limit:g} s" if limit < 120 else f"{limit / 60:g} min"]
    return " and ".join(parts + ([] if epochs is None else [f"{epochs} epochs"])) or "no limit"
