"""Command line of the demonstration: `python -m amodal.demo FOLDER`."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd

from amodal.demo.page import Step, write_page
from amodal.errors import UsageError
from amodal.files import begin_output_folder

NUM_ROWS = 16
_ENTRIES = (
    *("table/", "model/", "model.training/", "generated/", "filled/", "from-caption/", "from-image/"),
    "index.html",
)


def main() -> None:
    """Make the demo table, fit a model, complete cells in every way, and write it all to one page."""
    parser = argparse.ArgumentParser(prog="python -m amodal.demo", description=main.__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="output folder")
    parser.add_argument("--rows", type=int, default=2000, help="rows of the table (default: 2000)")
    parser.add_argument("--time-limit", default="5m", help="maximum fitting time (default: 5m)")
    options = parser.parse_args()
    folder: Path = options.folder
    table, model = folder / "table", folder / "model"
    try:
        begin_output_folder(folder, "demo", _ENTRIES)
    except UsageError as problem:
        parser.error(str(problem))

    steps = []
    if (table / "metadata.csv").is_file():
        print(f"{table} is there already, and is used again.")
    else:
        steps.append(_run("demo", "digits", table, "--rows", options.rows))
    steps.append(_run("inspect", table))
    steps.append(_run("fit", table, "-o", model, "--time-limit", options.time_limit, "--overwrite"))

    # The page has room for a few rows: the first of each table.
    holes, heldout = table / "holes.csv", table / "whole.csv"
    metadata = pd.read_csv(table / "metadata.csv", dtype=str)
    metadata[metadata.isna().any(axis=1)].head(NUM_ROWS).to_csv(holes, index=False)
    pd.read_csv(table / "heldout.csv", dtype=str).head(NUM_ROWS).to_csv(heldout, index=False)

    steps.append(_run("sample", model, "-n", NUM_ROWS, "-o", folder / "generated", "--overwrite"))
    steps.append(_run("complete", model, holes, "-o", folder / "filled", "--overwrite"))
    for given, columns in (("caption", "image,speech"), ("image", "speech")):
        steps.append(
            _run(
                *("complete", model, heldout, "-o", folder / f"from-{given}", "--overwrite"),
                *("--given", given, "--columns", columns),
            )
        )
    page = write_page(folder, steps)
    print(f"\nAll of it on one page: {page.resolve()}")


def _run(*arguments: object) -> Step:
    """Run `amodal` with these arguments, as a user would."""
    words = [str(argument) for argument in arguments]
    command = shlex.join(["amodal", *words])
    print(f"\n$ {command}", flush=True)
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "amodal.cli", *words]) as process:  # noqa: S603
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # Ctrl-C reaches the command too, which exits by itself and prints how to resume.
            code = process.wait()
    if code:
        sys.exit(code)
    return Step(command, time.monotonic() - started)


if __name__ == "__main__":
    main()
