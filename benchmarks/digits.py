"""Coherence on the demo table: is what is drawn the digit that is given?

python -m benchmarks.digits --rows 4000 --method mvtcae,mopoe --time-limit 5m
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import pandas as pd

from amodal import TableModel
from amodal.datasets.digits import make_digits
from amodal.training.data import split
from benchmarks.closeness import SEEN, closeness
from benchmarks.coherence import (
    GIVEN,
    JUDGED,
    PAIRS,
    completions,
    conditional,
    means,
    trusted_judges,
    whole_rows,
)
from benchmarks.judges import Judges, real_cells
from benchmarks.provenance import provenance
from benchmarks.variety import LEAST_RECALL, too_uniform, variety

DRAWS = 4


def complete(
    model: TableModel,
    heldout: pd.DataFrame,
    folder: Path,
    given: Sequence[str],
    targets: Sequence[str],
    **how: bool | int,
) -> dict[str, list]:
    # The other columns are not even there to be looked at.
    drawn = model.complete(heldout[list(given)], given=given, columns=targets, media_root=folder, **how)
    return {target: drawn[target].tolist() for target in targets}


def rows_a_second(model: TableModel) -> int | None:
    """Rows trained on a second, the table's preparation (which ends in the first epoch) left out."""
    seconds = model.history_["seconds"].to_numpy()
    rows = len(split(model.fitted_.rows, model.fitted_.seed)[0])
    return round(rows * (len(seconds) - 1) / (seconds[-1] - seconds[0])) if len(seconds) > 1 else None


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--missing", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--method", default="mvtcae", help="one or several, with commas between")
    parser.add_argument("--time-limit", default="5m")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--keep", type=Path, help="folder to keep the fitted models in")
    parser.add_argument("--model", type=Path, help="judge this model instead of fitting one")
    parser.add_argument("--judged", type=int, default=500, help="held-out rows given, and whole rows drawn")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()

    folder = options.folder / f"digits-{options.rows}-{options.missing}-{options.seed}"
    if not (folder / "metadata.csv").is_file():
        make_digits(folder, rows=options.rows, missing=options.missing, seed=options.seed)
    heldout = pd.read_csv(folder / "heldout.csv", dtype=str)
    judged = heldout.head(options.judged)
    judges, accuracy = trusted_judges(folder, heldout)

    real = {column: real_cells(folder, judged, column) for column in SEEN}
    results = []
    for method in [""] if options.model else options.method.split(","):
        started = time.monotonic()
        if options.model:
            model = TableModel.load(options.model)
        else:
            model = TableModel(method, time_limit=options.time_limit, random_state=options.seed)
            model.fit(folder / "metadata.csv")
            if options.keep:
                model.save(options.keep / method, overwrite=True)
        seconds = None if options.model else round(time.monotonic() - started, 1)
        ways = {"": {}, " fast": {"fast": True}} if model.method == "latent-flow" else {"": {}}
        for way, how in ways.items():
            result = judge(model, judged, folder, judges, real, **how)
            of_fit = {
                "method": model.method + way,
                "fit seconds": seconds,
                "epochs": len(model.history_),
                "rows a second": rows_a_second(model),
            }
            results.append(of_fit | result)
            show(results[-1])
    record = {
        "title": f"Coherence on the demo table: {options.rows:,} rows, {options.missing:.0%} of the cells missing",
        "text": "Share of drawn cells that are the right digit.",
        "provenance": provenance(),
        "figures": {result["method"]: figures(result) for result in results},
        "judges": accuracy,
        "methods": results,
    }
    if options.json:
        options.json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(json.dumps(record))
    uniform = {result["method"]: too_uniform(result["variety"]) for result in results}
    if any(columns for method, columns in uniform.items() if method.startswith("latent-flow")):
        sys.exit(f"Draws recall less than {LEAST_RECALL:.0%} of what halves of the real cells do: {uniform}")


def judge(
    model: TableModel,
    heldout: pd.DataFrame,
    folder: Path,
    judges: Judges,
    real: Mapping[str, list],
    **how: bool,
) -> dict:
    """All figures of a fitted model, of which `how` says in which way it draws."""
    ask = partial(complete, model, heldout, folder, **how)
    completed = completions(ask)
    truth = heldout["digit"].astype(int).to_numpy()
    shares = conditional(completed, judges, truth)
    sampled = model.sample(len(heldout) * DRAWS, **how)
    wholes = [{name: sampled[name].iloc[draw::DRAWS].tolist() for name in JUDGED} for draw in range(DRAWS)]
    again = ask(["caption"], list(SEEN), draws=DRAWS)
    draws = [{name: cells[draw::DRAWS] for name, cells in again.items()} for draw in range(DRAWS)]
    return {
        **means(shares),
        "whole rows": whole_rows({name: sampled[name].tolist() for name in JUDGED}, judges),
        "conditional": shares,
        "distances": closeness(completed, wholes[0], real, judges),
        "variety": variety(draws, wholes, real, judges),
    }


def figures(result: dict) -> dict[str, float | None]:
    """The figures of a method that docs/benchmarks.md has."""
    names = ("one given", "two given", "rows a second", "fit seconds")
    return {name: result[name] for name in names} | {
        f"whole rows: {name}": share for name, share in result["whole rows"].items()
    }


def show(result: dict) -> None:
    print(
        f"\n{result['method']}: {result['epochs']} epochs, {result['rows a second']} rows a second, "
        f"{result['fit seconds']} s of fitting"
    )
    table = pd.Series(result["conditional"]).rename("share").to_frame()
    table[["given", "target"]] = [key.split(" > ") for key in table.index]
    matrix = table.pivot(index="given", columns="target", values="share")
    matrix = matrix.reindex(index=["+".join(given) for given in GIVEN + PAIRS], columns=list(JUDGED))
    print(matrix.to_string(na_rep="", float_format="%.3f"))
    print(
        f"mean, one of image, speech, caption given: {result['one given']:.3f} "
        f"(with digit: {result['one given, digit too']:.3f}); two given: {result['two given']:.3f}"
    )
    for name, share in result["whole rows"].items():
        print(f"whole rows, {name}: {share:.3f}")
    for title, of in (("Frechet distance", result["distances"]), ("variety", result["variety"])):
        for column, figures in of.items():
            print(f"{title}, {column}: " + "; ".join(f"{name} {figure}" for name, figure in figures.items()))


if __name__ == "__main__":
    main()
