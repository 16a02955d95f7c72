"""Speed of training on a column of long texts, of this checkout or of another one beside it in turns.

python -m benchmarks.long_texts
python -m benchmarks.long_texts --other ../released/src --rounds 3

The table has descriptions of a given number of words, a label that some of the words tell and a number that is a sum
over words. Timings on a shared machine are unreliable: with `--other`, the two are run in turns.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.provenance import write_figures

_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprst" for vowel in "aeiou"]
_DRAWS = 8
_LABELS = ("kitchen", "garden", "office", "travel", "sport")


def make_descriptions(rows: int, words: int, seed: int = 0) -> pd.DataFrame:
    """Rows of a description, a label and a price.

    Words have Zipf's frequencies, as in natural texts; a fifth are drawn from words of the label. The price is the sum
    of the values of the words, with noise of a tenth of its spread. A text has `words` words on average.
    """
    rng = np.random.default_rng(seed)
    vocabulary = np.array(
        sorted({"".join(rng.choice(_SYLLABLES, rng.integers(1, 5))) for _ in range(12_000)})
    )
    rng.shuffle(vocabulary)
    frequency = 1.0 / np.arange(10, len(vocabulary) + 10)
    frequency /= frequency.sum()
    values = rng.normal(size=len(vocabulary))
    labels = rng.integers(len(_LABELS), size=rows)
    longest = words + words // 2
    chosen = rng.choice(len(vocabulary), (rows, longest), p=frequency)
    own = 500 + 40 * labels[:, None] + rng.integers(40, size=(rows, longest))
    chosen = np.where(rng.random((rows, longest)) < 0.2, own, chosen)
    lengths = rng.integers(max(words // 2, 1), longest + 1, rows)
    price = np.array([values[row[:length]].sum() for row, length in zip(chosen, lengths, strict=True)])
    price += 0.1 * price.std() * rng.normal(size=rows)
    texts = [
        " ".join(vocabulary[row[:length]]).capitalize() + "."
        for row, length in zip(chosen, lengths, strict=True)
    ]
    return pd.DataFrame(
        {"description": texts, "room": np.array(_LABELS)[labels], "price": (100 + 10 * price).round(2)}
    )


def measure(rows: int, words: int, time_limit: str) -> dict[str, Any]:
    """Epochs, rows a second, and how well held-out labels and prices are completed."""
    from amodal import TableModel

    table = make_descriptions(rows + 500, words)
    train, heldout = table[:rows], table[rows:].reset_index(drop=True)
    began = time.perf_counter()
    model = TableModel(time_limit=time_limit).fit(train)
    seconds = time.perf_counter() - began
    began = time.perf_counter()
    targets = ["room", "price"]
    draws = model.complete(heldout, columns=targets, draws=_DRAWS)
    completing = time.perf_counter() - began
    began = time.perf_counter()
    sample = model.sample(100)
    sampling = time.perf_counter() - began
    by_row = draws.groupby("row", sort=True)
    price, room = by_row["price"].mean().to_numpy(), by_row["room"].agg(lambda cells: cells.mode()[0])
    error = (
        np.square(price - heldout["price"]).sum()
        / np.square(heldout["price"] - heldout["price"].mean()).sum()
    )
    return {
        "epochs": len(model.history_),
        "rows a second": len(model.history_) * rows / seconds,
        "R2 of the number": 1.0 - float(error),
        "accuracy of the label": float((room.to_numpy() == heldout["room"]).mean()),
        "completions a second": _DRAWS * len(heldout) / completing,
        "generated rows a second": len(sample) / sampling,
        "a description": str(sample["description"].iloc[0])[:160],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=4_000)
    parser.add_argument("--words", type=int, default=100, help="words of a text on average")
    parser.add_argument("--time-limit", default="5m")
    parser.add_argument(
        "--other", type=Path, help="folder of another version's package, run in turns with this one"
    )
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures to FILE as well")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure(options.rows, options.words, options.time_limit)))
        return
    sources = {"this version": None} | ({"other version": options.other} if options.other else {})
    found: dict[str, list[dict[str, Any]]] = {name: [] for name in sources}
    for _ in range(options.rounds):
        for name, source in sources.items():
            found[name].append(_run(source))
            print(name, json.dumps(found[name][-1]), flush=True)
    figures = {
        name: {
            key: round(statistics.median(run[key] for run in runs), 3)
            for key, value in runs[0].items()
            if not isinstance(value, str)
        }
        for name, runs in found.items()
    }
    print(json.dumps(figures, indent=1))
    if options.json:
        write_figures(options.json, "A column of long texts", figures)


def _run(source: Path | None) -> dict[str, Any]:
    """The figures of one process, with the package of a folder in place of this one's."""
    environment = os.environ | ({"PYTHONPATH": str(source.resolve())} if source else {})
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.long_texts", *sys.argv[1:], "--measure"],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    return dict(json.loads(done.stdout.splitlines()[-1]))


if __name__ == "__main__":
    main()
