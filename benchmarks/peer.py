"""amodal against MultiVae: the same rows, networks, minutes and judges.

python -m benchmarks.peer --rows 4000 --time-limit 5m
python -m benchmarks.peer --rows 4000 --methods '' --speed

MultiVae needs torchvision, which torchmetrics, and so Lightning, imports where it is installed; no build of it fits
a torch without graphics cards. Hence an environment of its own:

python -m venv build/peer-venv
build/peer-venv/bin/pip install torch==2.13.0 -c constraints.txt
build/peer-venv/bin/pip install -c constraints.txt -e '.[demo,bench]'

How MultiVae is set up is told in `multivae_models.py`.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks.provenance import provenance
from benchmarks.torchvision_operators import define_missing_operators

if TYPE_CHECKING:
    from benchmarks.judges import Judges
    from benchmarks.peer_table import PeerTable

# Theirs and ours by turns, so that neither has the quieter hour.
METHODS = (
    *("MVTCAE", "mvtcae", "MoPoE", "mopoe", "MVAE", "mvae", "MMVAE", "mmvae"),
    *("MMVAE+", "latent-flow", "JMVAE", "DMVAE"),
)
THEIRS = ("MVTCAE", "MoPoE", "MVAE", "MMVAE", "MMVAE+", "JMVAE", "DMVAE")


def kept(
    folder: Path, name: str, options: dict[str, Any], make: Callable[[], dict[str, Any]]
) -> dict[str, Any]:
    """What an earlier run with the same options found; otherwise it is made and kept.

    Args:
        folder: where results are kept, one file a name and options.
        name: of what is made.
        options: all that it depends on.
        make: makes it.
    """
    described = json.dumps({"name": name, **options}, sort_keys=True)
    path = folder / f"{name}-{hashlib.sha256(described.encode()).hexdigest()[:12]}.json"
    if path.is_file():
        return json.loads(path.read_text(encoding="utf-8"))["result"]
    result = make()
    folder.mkdir(parents=True, exist_ok=True)
    record = {"name": name, "options": options, "result": result}
    path.write_text(json.dumps(record, indent=1), encoding="utf-8")
    return result


def ours(name: str, table: PeerTable, seconds: float, seed: int) -> tuple[Any, dict[str, Any]]:
    """Train a method of amodal for so long: its model, and how it went."""
    import torch

    from amodal.methods import method_named
    from amodal.training import Budget, TrainerConfig, train
    from benchmarks.peer_table import BATCH_SIZE

    torch.manual_seed(seed)
    method = method_named(name)
    model = method.model(table.modalities)
    plan = TrainerConfig(batch_size=BATCH_SIZE, seed=seed, device="cpu")
    history = train(model, method.stages, table.store, Budget(100_000, seconds), plan).history
    # Of a method of several stages this is the mean over all.
    epochs, rows = len(history), len(table.training)
    told = {
        "training rows": rows,
        "epochs": epochs,
        "rows a second": round(rows * epochs / history["seconds"].to_numpy()[-1]),
    }
    return model.eval(), told


def drawn_by_ours(model: Any, table: PeerTable, seed: int) -> dict[str, Any]:
    from amodal.distributions import RowNoise
    from benchmarks.coherence import JUDGED, completions

    def complete(given: Any, targets: Any) -> dict[str, list]:
        batch = table.judged.given(given)
        return table.cells(model.complete(batch, targets, RowNoise(seed, batch.rows)))

    return {"completed": completions(complete), "whole rows": complete((), JUDGED)}


def drawn_by_theirs(peer: Any) -> dict[str, Any]:
    from benchmarks.coherence import completions

    return {
        "completed": completions(peer.complete),
        "whole rows": peer.whole_rows(),
        "whole rows of a mixture": peer.whole_rows_of_mixture(),
    }


def judged(drawn: dict[str, Any], judges: Judges, real: dict[str, list], truth: np.ndarray) -> dict[str, Any]:
    """All figures of what a method drew."""
    from benchmarks.closeness import closeness
    from benchmarks.coherence import conditional, means, whole_rows

    shares = conditional(drawn["completed"], judges, truth)
    wholes = {name: cells for name, cells in drawn.items() if name != "completed"}
    return {
        **means(shares),
        **{name: whole_rows(cells, judges) for name, cells in wholes.items()},
        "frechet": closeness(drawn["completed"], drawn["whole rows"], real, judges),
        "conditional": shares,
    }


def run(
    name: str, table: PeerTable, options: argparse.Namespace, judge: Callable[..., dict[str, Any]]
) -> dict:
    from amodal.training import parse_duration

    seconds = parse_duration(options.time_limit)
    if name in THEIRS:
        from benchmarks.multivae_models import train_peer

        peer, told = train_peer(
            name, table, seconds, scale=options.scale, rate=options.rate, seed=options.seed
        )
        drawn = drawn_by_theirs(peer)
    else:
        model, told = ours(name, table, seconds, options.seed)
        drawn = drawn_by_ours(model, table, options.seed)
    if options.pictures:
        save_pictures(options.pictures / f"{name}.png", drawn)
    return told | judge(drawn)


def save_pictures(path: Path, drawn: dict[str, Any]) -> None:
    """Rows of pictures drawn given each column, and of whole rows, to look at."""
    from amodal.media import write_image

    sets = [cells["image"] for cells in drawn["completed"].values() if "image" in cells]
    sets += [drawn["whole rows"]["image"]]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(path, np.concatenate([np.concatenate(cells[:16], axis=1) for cells in sets]))


def comparison(results: dict[str, dict[str, Any]]) -> pd.DataFrame:
    """A row a method, with its speed, coherence and Frechet distances."""
    rows = {}
    for name, result in results.items():
        distances = result["frechet"]
        mixture = result.get("whole rows of a mixture", {})
        rows[f"{'MultiVae' if name in THEIRS else 'amodal'} {name}"] = {
            "rows/s": result["rows a second"],
            "one given": result["one given"],
            "two given": result["two given"],
            "whole": result["whole rows"]["image = speech = caption"],
            "mixture": mixture.get("image = speech = caption", np.nan),
            **{
                f"{column} {kind}": distances[column][kind]
                for column in distances
                for kind in ("given", "whole rows")
            },
        }
    return pd.DataFrame(rows).T


def show(results: dict[str, dict[str, Any]]) -> None:
    print(comparison(results).to_string(na_rep="", float_format=lambda number: f"{number:.4g}"))
    distances = next(reversed(results.values()))["frechet"]
    real = {column: distance["real halves"] for column, distance in distances.items()}
    print(f"Frechet distance of two real halves: {real}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=4000)
    parser.add_argument("--missing", type=float, default=0.2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--methods", default=",".join(METHODS), help="with commas between; '' for none")
    parser.add_argument("--time-limit", default="5m", help="of training, for each method")
    parser.add_argument("--columns", default="image,speech,caption,digit", help="these at least")
    parser.add_argument("--judged", type=int, default=500, help="held-out rows given, and whole rows drawn")
    parser.add_argument("--scale", type=float, default=0.75, help="of MultiVae's normal likelihoods")
    parser.add_argument("--rate", type=float, default=1e-3, help="MultiVae's learning rate")
    parser.add_argument("--speed", action="store_true", help="measure training's speed too")
    parser.add_argument("--rounds", type=int, default=5, help="of --speed")
    parser.add_argument("--batch-sizes", default="128,512", help="of --speed: rows a step, commas between")
    parser.add_argument("--device", default="cpu", help="of --speed: cpu or cuda")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark"))
    parser.add_argument("--pictures", type=Path, help="write pictures that were drawn into this folder")
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    methods = [name for name in options.methods.split(",") if name]
    unknown = set(methods) - {*METHODS}
    if unknown:
        parser.error(f"unknown methods {', '.join(sorted(unknown))}: choose from {', '.join(METHODS)}")

    define_missing_operators()
    from amodal.datasets.digits import make_digits
    from benchmarks.coherence import JUDGED, trusted_judges
    from benchmarks.judges import real_cells
    from benchmarks.peer_table import peer_table

    columns = options.columns.split(",")
    if set(JUDGED) - set(columns):
        parser.error(f"--columns needs {', '.join(JUDGED)} at least")
    folder = options.folder / f"digits-{options.rows}-{options.missing}-{options.seed}"
    if not (folder / "metadata.csv").is_file():
        make_digits(folder, rows=options.rows, missing=options.missing, seed=options.seed)
    heldout = pd.read_csv(folder / "heldout.csv", dtype=str)
    judges, accuracy = trusted_judges(folder, heldout)
    rows = heldout.head(options.judged)
    real = {column: real_cells(folder, rows, column) for column in ("image", "speech")}
    truth = rows["digit"].astype(int).to_numpy()
    table = peer_table(folder, columns, options.judged, options.seed)

    place = options.folder / "peer"
    common = {key: getattr(options, key) for key in ("rows", "missing", "seed", "columns")}
    results: dict[str, dict[str, Any]] = {}
    for name in methods:
        depends = common | {"time limit": options.time_limit, "judged": options.judged}
        if name in THEIRS:
            depends |= {"scale": options.scale, "rate": options.rate}
        results[name] = kept(
            place,
            name,
            depends,
            lambda name=name: run(name, table, options, lambda drawn: judged(drawn, judges, real, truth)),
        )
        print(f"\nafter {name}:")
        show(results)
    record = {
        "title": f"amodal and MultiVae, {options.time_limit} of training each",
        "text": "The same rows, networks and judges.",
        "provenance": provenance(),
        "figures": comparison(results).to_dict("index"),
        "options": common | {"time limit": options.time_limit},
        "judges": accuracy,
        "methods": results,
    }
    if options.speed:
        from benchmarks.peer_speed import measure, show_speed

        record["speed"] = []
        for size in map(int, options.batch_sizes.split(",")):
            depends = common | {"rounds": options.rounds, "batch size": size, "device": options.device}
            measuring = partial(measure, table, options.rounds, options.seed, size, options.device)
            record["speed"].append(kept(place, "speed", depends, measuring))
            show_speed(record["speed"][-1])
    if options.json:
        options.json.write_text(json.dumps(record, indent=1), encoding="utf-8")
    print(json.dumps(record))


if __name__ == "__main__":
    main()
