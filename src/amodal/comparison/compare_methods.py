"""The whole comparison."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import pandas as pd
from pydantic import ValidationError

from amodal.comparison.advice import advice
from amodal.comparison.leaderboard import Standing, in_order, leaderboard, standing
from amodal.comparison.page import write_page
from amodal.comparison.run_folder import LEADERBOARD, SETTINGS, begin, check_settings
from amodal.comparison.split import split_table
from amodal.comparison.trial import Outcome, Trial
from amodal.comparison.trial_process import read_outcome, run_in_subprocess
from amodal.errors import UsageError
from amodal.files import check_folder, exclusive, replacing_file, temporary_folder
from amodal.methods import METHODS, method_named
from amodal.metrics import column_metrics
from amodal.modalities import MODALITIES
from amodal.report import Report
from amodal.report.evaluate import REPORT
from amodal.table import check_cells, check_cells_kept, fingerprint, infer_schema, read_table
from amodal.training import parse_duration

TIME_LIMIT = "5m"


def compare(
    data: str | Path | pd.DataFrame,
    *,
    methods: Sequence[str] | None = None,
    time_limit: str | float | None = TIME_LIMIT,
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
    """Fit several methods to a table under the same budget, and judge each by the same rows, which none of them saw.

    A fifth of the rows, or 100 where that is fewer and no more than half, is held out; at most 2,000. Each method
    is fitted and judged in a process of its own. One that fails is on the leaderboard with its reason.

    Args:
        data: the table; see `TableModel.fit`.
        methods: their names; all by default.
        time_limit: most time that each is fitted for, in seconds or as "5m"; None for no limit.
        epochs: most passes over the table of each.
        target: a column of categories or numbers, of which it is asked what the others say of it.
        output: a folder, to which leaderboard.csv, report.html and a folder for each method are written, with its
            model, report and some generated rows. The same call goes on where one was interrupted. By default
            nothing is kept.
        types: see `TableModel`.
        options: see `TableModel`.
        bad_cells: see `TableModel`.
        media_root: the folder that paths in the table are relative to.
        device: "auto", "cpu", "cuda" or "mps".
        seed: of the split, of training and of evaluation.
        overwrite: begin anew what is in `output`.

    Returns:
        The leaderboard, one row a method, the best overall first; see `amodal.comparison.leaderboard.leaderboard`. Its
        `attrs["advice"]` says in a few sentences which method to take, and why.

    Raises:
        UsageError: an unknown method, column or type; or `output` holds something else, or a comparison of other
            data, another seed or another budget; or another process compares there.
        DataError: the table cannot be used; says which columns and rows.
        OSError: the machine refused something, such as room on a disk; the same call goes on later.
    """
    if output is not None:
        check_folder(
            output, "comparison", overwrite=overwrite, resume=not overwrite, inputs=[data, media_root]
        )
    names = _names(methods)
    limit = parse_duration(time_limit)
    with _place(output) as folder:
        table = read_table(data, Path(media_root) if media_root else None)
        schema = infer_schema(table, MODALITIES, types, options)
        modalities: dict[str, Any] = schema.used
        _check_target(target, modalities)
        if output is not None:
            check_cells_kept(table, modalities, Path(output))
        settings = {
            "amodal": version("amodal"),
            "data": fingerprint(table, modalities),
            "seed": seed,
            "time_limit": limit,
            "epochs": epochs,
            "target": target,
            "types": dict(types or {}),
            "options": {name: dict(told) for name, told in (options or {}).items()},
            "bad_cells": bad_cells,
            "device": device,
        }
        if (folder / SETTINGS).is_file() and not overwrite:
            check_settings(folder, settings)
        else:
            # Before any method's time is spent: a cell that cannot be read stops all of them.
            check_cells(table, modalities, bad_cells=bad_cells)
            begin(folder, settings)
        split = split_table(table, modalities, seed)
        told = {
            "types": types,
            "options": options,
            "bad_cells": bad_cells,
            "epochs": epochs,
            "time_limit": limit,
            "device": device,
            "random_state": seed,
        }
        trials = [Trial({"method": name} | told, split, target, folder / name) for name in names]
        standings = in_order(_standings(trials))
        frame = leaderboard(standings)
        with replacing_file(folder / LEADERBOARD) as path:
            frame.to_csv(path, index=False, lineterminator="\n")
        write_page(
            standings,
            split,
            folder,
            modalities,
            budget=_budget(limit, epochs),
            seed=seed,
            target=target,
        )
        frame.attrs["advice"] = advice(standings, target)
        return frame


def _names(methods: Sequence[str] | None) -> list[str]:
    if methods is None:
        return [method.name for method in METHODS]
    names = list(dict.fromkeys(method_named(name).name for name in methods))
    if not names:
        raise UsageError(f"There are no methods to compare. Choose from {', '.join(_names(None))}.")
    return names


def _check_target(target: str | None, modalities: Mapping[str, Any]) -> None:
    if target is None:
        return
    able = [name for name, modality in modalities.items() if column_metrics(modality).is_scalar]
    if target not in able:
        raise UsageError(
            f"The target must be a column of numbers or categories, and {target!r} is none. "
            f"Choose from {', '.join(able) or 'none'}."
        )


@contextmanager
def _place(output: str | Path | None) -> Iterator[Path]:
    if output is not None:
        with exclusive(Path(output)):
            yield Path(output)
        return
    with temporary_folder() as folder:
        yield folder


def _standings(trials: Sequence[Trial]) -> list[Standing]:
    """Do what is not done yet, and say so."""
    found: dict[str, Standing] = {}
    left = []
    for trial in trials:
        outcome, method = read_outcome(trial.folder), trial.folder.name
        kept = None if outcome is None else _standing(outcome, trial.folder)
        if kept is not None and not kept.outcome.failure:
            _tell(f"{method}: fitted and judged before, and used again.")
            found[method] = kept
            continue
        if outcome is not None and outcome.failure:
            _tell(f"{method}: failed before, and is tried again.")
        left.append(trial)
    for number, trial in enumerate(left, start=1):
        method = trial.folder.name
        _tell(f"{method}: being fitted and judged, {number} of {len(left)}.")
        outcome = run_in_subprocess(trial)
        found[method] = _standing(outcome, trial.folder) or Standing(
            Outcome(method=method, failure="its report cannot be read")
        )
        _tell(f"{method}: {_result(found[method])}")
    return [found[trial.folder.name] for trial in trials]


def _standing(outcome: Outcome, folder: Path) -> Standing | None:
    """How a finished trial stands; None where its report is not there whole."""
    if outcome.failure:
        return standing(outcome, None)
    try:
        return standing(outcome, Report.model_validate_json((folder / REPORT).read_bytes()))
    except (OSError, ValidationError):
        return None


def _result(each: Standing) -> str:
    if each.outcome.failure:
        return f"failed: {each.outcome.failure}"
    overall = each.scores.get("overall")
    score = "no overall score could be had" if overall is None else f"overall score {overall.value:.2f}"
    return f"{score}, fitted in {each.costs['seconds']:.0f} s"


def _budget(limit: float | None, epochs: int | None) -> str:
    parts = [] if limit is None else [f"{limit:g} s" if limit < 120 else f"{limit / 60:g} min"]
    return " and ".join(parts + ([] if epochs is None else [f"{epochs} epochs"])) or "no limit"


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
