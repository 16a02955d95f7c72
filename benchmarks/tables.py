"""Real tables: every label and number column completed, beside pipelines made for it; pictures and sounds judged.

python -m benchmarks.tables                                     # all seven tables, with defaults
python -m benchmarks.tables adult digits --time-limit 4m --seeds 2 --json build/tables.json
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

from amodal import TableModel
from amodal.errors import DataError
from amodal.methods import DEFAULT_METHOD, METHODS
from benchmarks.heldout_draws import HeldoutDraws
from benchmarks.provenance import provenance
from benchmarks.real_table import KINDS, RealTable
from benchmarks.table_completion import completion, rivals_of, summary
from benchmarks.table_judges import JUDGES
from benchmarks.tables_page import mean_of_seeds, show, summaries_frame


def measure(whole: RealTable, options: argparse.Namespace) -> dict[str, Any]:
    """Fit a table once a seed, and all figures of each fit."""
    # First, so that a judge that cannot be trusted ends the run before an hour is spent.
    judge = JUDGES[whole.name](whole, options.judged_media) if whole.name in JUDGES else None
    table = whole.first(options.rows, options.judged)
    beside = rivals_of(table)
    seeds = []
    for seed in range(options.seeds):
        started = time.monotonic()
        fitted = TableModel(
            options.method, time_limit=options.time_limit, epochs=options.epochs, random_state=seed
        ).fit(table.training, media_root=table.folder)
        took = time.monotonic() - started
        drawn = HeldoutDraws(fitted, whole)
        columns = completion(drawn, table, beside, options.draws, seed)
        figures = {
            "seed": seed,
            "epochs": len(fitted.history_),
            "fit seconds": round(took, 1),
            "columns": columns,
            "completion": summary(columns),
        }
        if judge is not None:
            figures["judged"] = judge.judge(drawn, seed)
        figures["judging seconds"] = round(time.monotonic() - started - took, 1)
        print(show(table.name, figures), flush=True)
        seeds.append(figures)
    return {
        "rows": len(table.training),
        "heldout": len(table.heldout),
        "seeds": seeds,
        "mean": mean_of_seeds(
            [{key: of for key, of in figures.items() if key != "seed"} for figures in seeds]
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"tables; {', '.join(KINDS)} by default")
    parser.add_argument("--time-limit", help="of each fit, as 4m; none by default, as fit has it")
    parser.add_argument("--epochs", type=int, help="of each fit, at most")
    parser.add_argument("--rows", type=int, help="fit, and let rivals fit, the first N training rows only")
    parser.add_argument("--seeds", type=int, default=2, help="fits of each table")
    parser.add_argument("--method", default=DEFAULT_METHOD, choices=[method.name for method in METHODS])
    parser.add_argument("--draws", type=int, default=20, help="of each completed cell")
    parser.add_argument("--judged", type=int, help="complete the first N held-out rows only")
    parser.add_argument("--judged-media", type=int, help="judge pictures and sounds of the first N only")
    parser.add_argument("--folder", type=Path, default=Path("build/tables"), help="of the tables")
    parser.add_argument(
        "--archives",
        type=Path,
        default=Path("build/archives"),
        help="of NAME.tar.gz, unpacked where needed",
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    for number in ("rows", "seeds", "draws", "judged", "judged_media", "epochs"):
        if getattr(options, number) is not None and getattr(options, number) < 1:
            parser.error(f"--{number.replace('_', '-')} must be at least 1")

    record: dict[str, Any] = {
        "provenance": provenance(),
        "options": {
            "time limit": options.time_limit,
            **{name: getattr(options, name) for name in ("epochs", "rows", "method", "draws", "judged")},
            "judged media": options.judged_media,
        },
        "tables": {},
        "problems": {},
    }
    try:
        tables = [
            RealTable.read(name, options.folder, options.archives) for name in options.names or list(KINDS)
        ]
    except DataError as problem:
        print(problem, file=sys.stderr)
        sys.exit(3)
    for table in tables:
        try:
            record["tables"][table.name] = measure(table, options)
        except DataError as problem:
            # The other tables are measured all the same; that this one is not is told at the end again.
            record["problems"][table.name] = str(problem)
            print(f"\n{table.name} cannot be fitted: {problem}", file=sys.stderr, flush=True)
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            options.json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    if record["tables"]:
        summaries = summaries_frame(record["tables"])
        print("\n" + summaries.to_string(na_rep="", float_format=lambda number: f"{number:.3f}"))
    print(json.dumps(record))
    if record["problems"]:
        print(f"Not measured: {', '.join(record['problems'])}.", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
