"""The tour of `make demo`: `python -m amodal.demo FOLDER`."""

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
from amodal.files import begin_folder

SHOWN = 16
_ENTRIES = (
    *("table/", "model/", "model.training/", "generated/", "filled/", "from-caption/", "from-image/"),
    "index.html",
)


def main() -> None:
    """Make the table, fit it, complete it in every way, and show all of it on one page."""
    parser = argparse.ArgumentParser(prog="python -m amodal.demo", description=main.__doc__)
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="where everything goes")
    parser.add_argument("--rows", type=int, default=2000, help="rows of the table (default: 2000)")
    parser.add_argument("--time-limit", default="5m", help="most time to fit the model (default: 5m)")
    options = parser.parse_args()
    folder: Path = options.folder
    table, model = folder / "table", folder / "model"
    try:
        begin_folder(folder, "tour", _ENTRIES)
    except UsageError as problem:
        parser.error(str(problem))

    steps = []
    if (table / "metadata.csv").is_file():
        print(f"{table} is there already, and is used again.")
    else:
        steps.append(_run("demo", "digits", table, "--rows", options.rows))
    steps.append(_run("inspect", table))
    steps.append(_run("fit", table, "-o", model, "--time-limit", options.time_limit, "--overwrite"))

    # A page has room for a few rows: the first of each table stand beside it.
    holes, whole = table / "holes.csv", table / "whole.csv"
    metadata = pd.read_csv(table / "metadata.csv", dtype=str)
    metadata[metadata.isna().any(axis=1)].head(SHOWN).to_csv(holes, index=False)
    pd.read_csv(table / "heldout.csv", dtype=str).head(SHOWN).to_csv(whole, index=False)

    steps.append(_run("sample", model, "-n", SHOWN, "-o", folder / "generated", "--overwrite"))
    steps.append(_run("complete", model, holes, "-o", folder / "filled", "--overwrite"))
    for given, drawn in (("caption", "image,speech"), ("image", "speech")):
        steps.append(
            _run(
                *("complete", model, whole, "-o", folder / f"from-{given}", "--overwrite"),
                *("--given", given, "--columns", drawn),
            )
        )
    page = write_page(folder, steps)
    print(f"\nAll of it on one page: {page.resolve()}")


def _run(*words: object) -> Step:
    """Run the command line as a user would."""
    arguments = [str(word) for word in words]
    command = shlex.join(["amodal", *arguments])
    print(f"\n$ {command}", flush=True)
    started = time.monotonic()
    with subprocess.Popen([sys.executable, "-m", "amodal.cli", *arguments]) as process:  # noqa: S603
        try:
            code = process.wait()
        except KeyboardInterrupt:
            # Ctrl-C reaches the command too, which ends in its own time and says how to go on.
            code = process.wait()
    if code:
        sys.exit(code)
    return Step(command, time.monotonic() - started)


if __name__ == "__main__":
    main()
