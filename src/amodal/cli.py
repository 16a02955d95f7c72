"""The command line: thin faces of `TableModel`'s calls."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from amodal.problems import DataProblem, UsageProblem

if TYPE_CHECKING:
    import pandas as pd

    from amodal.estimator import TableModel
    from amodal.table import BadCellPolicy

app = typer.Typer(
    help="Complete tables of pictures, sounds, texts, numbers and categories with one generative model.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

DataArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DATA", help="A .csv, .tsv, .jsonl or .parquet file, or a folder with metadata.csv."
    ),
]
ModelArgument = Annotated[Path, typer.Argument(metavar="MODEL", help="A folder that `amodal fit` wrote.")]
FolderOption = Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="Folder to write.")]
SeedOption = Annotated[int, typer.Option(help="Same seed, same result.")]
MediaRootOption = Annotated[
    Path | None, typer.Option(help="Folder that paths in the table are relative to. [default: the table's]")
]
TypeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--type",
        metavar="COL=TYPE",
        help="A column's type: image, audio, text, number, category or ignore; or a representation too, such as "
        "image:patches, audio:mfcc, text:bag_of_words, text:embedding.",
    ),
]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace what is there.")]
BadCellsOption = Annotated[
    str, typer.Option(help="Cells that cannot be read: error, or missing (listed in bad_cells.csv).")
]
GuidanceOption = Annotated[
    float | None,
    typer.Option(
        help="How much pictures and sounds keep to what is given: 1 as the model believes, more agrees better and "
        "varies less; latent-flow. [default: the model's]"
    ),
]
FastOption = Annotated[
    bool, typer.Option("--fast", help="Draw pictures and sounds in a few jumps; latent-flow.")
]
DeviceOption = Annotated[str, typer.Option(help="auto, cpu, cuda or mps.")]


@app.callback(invoke_without_command=True)
def _root(
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    if version:
        from amodal import __version__

        typer.echo(f"amodal {__version__}")
        raise typer.Exit


demo = typer.Typer(help="Make a table to try things on.", no_args_is_help=True)
app.add_typer(demo, name="demo")


@demo.callback()
def _demo() -> None:
    """Keeps `digits` a command of its own."""


@demo.command("digits")
def demo_digits(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Folder to make.")],
    rows: Annotated[int, typer.Option(help="Rows, up to 4,500.")] = 2000,
    missing: Annotated[float, typer.Option(help="Share of cells left out.")] = 0.2,
    seed: SeedOption = 0,
) -> None:
    """Spoken and handwritten digits: pictures, speech, captions, numbers, categories, and holes."""
    from amodal.demo import make_digits

    make_digits(folder, rows=rows, missing=missing, seed=seed)
    typer.echo(
        f"{folder / 'metadata.csv'}: {rows} rows with holes; {folder / 'heldout.csv'}: 500 complete rows"
    )


@app.command()
def inspect(
    data: DataArgument,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
    types: TypeOption = None,
    media_root: MediaRootOption = None,
) -> None:
    """Show each column's type and why, how much is missing, and an example."""
    from amodal.modalities import MODALITIES
    from amodal.table import describe, infer_schema, read_table

    schema = infer_schema(read_table(data, media_root), MODALITIES, _pairs(types, "--type"))
    rows = describe(schema)
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False, indent=1))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table("column", "type", "why", "missing", "example")
    for row in rows:
        kind = row["type"] + (f":{row['representation']}" if row["representation"] else "")
        shown.add_row(
            Text(row["column"]), kind, Text(row["reason"]), f"{row['missing']:.0%}", Text(str(row["example"]))
        )
    Console().print(shown)


@app.command()
def features(
    data: DataArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.parquet", help="File to write.")],
    types: TypeOption = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with any of TableModel's settings.")] = None,
    bad_cells: Annotated[
        str | None, typer.Option(help="Cells that cannot be read: error, or missing (listed beside FILE).")
    ] = None,
    media_root: MediaRootOption = None,
    overwrite: OverwriteOption = False,
) -> None:
    """Write each cell's vector for other tools, one fixed-size list a cell; needs no model."""
    settings = _read_config(config) | ({"bad_cells": bad_cells} if bad_cells else {})
    settings["types"] = {**settings.get("types", {}), **_pairs(types, "--type")}
    if output.exists() and (output.is_dir() or not overwrite):
        raise UsageProblem(f"{output} is there already: give another place, or --overwrite.")
    from amodal.estimator import TableModel
    from amodal.features import described, write_features
    from amodal.table import write_bad_cells

    model = TableModel(**settings)
    vectors = model.features(data, media_root=media_root)
    write_features(vectors, output)
    if model.bad_cells_:
        beside = output.with_name(f"{output.stem}.bad_cells.csv")
        write_bad_cells(beside, model.bad_cells_)
        typer.echo(f"{len(model.bad_cells_)} cells could not be read: {beside}", err=True)
    typer.echo(f"{output}: {vectors.num_rows} rows")
    for name, column in described(vectors).items():
        shape = "x".join(str(side) for side in column["shape"])
        typer.echo(f"  {name}: {column['type']}:{column['representation']}, {shape}; {column['unit']}")


@app.command()
def fit(
    data: DataArgument,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="MODEL", help="Folder to write the model to.")
    ],
    method: Annotated[
        str | None,
        typer.Option(
            help="latent-flow, mvtcae, mvae, mmvae, mopoe, mmvm, barycenter, hellinger or early-fusion. "
            "[default: latent-flow]"
        ),
    ] = None,
    types: TypeOption = None,
    config: Annotated[Path | None, typer.Option(help="YAML file with any of TableModel's settings.")] = None,
    time_limit: Annotated[str | None, typer.Option(help="Most time, such as 90s, 5m or 1h30m.")] = None,
    epochs: Annotated[int | None, typer.Option(help="Most passes over the table.")] = None,
    batch_size: Annotated[
        int | None,
        typer.Option(help="Rows a step, over all devices. [default: 128, fewer where rows are few]"),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Same seed, same result. [default: 0]")] = None,
    device: Annotated[str | None, typer.Option(help="auto, cpu, cuda or mps. [default: auto]")] = None,
    precision: Annotated[
        str | None, typer.Option(help="auto, 32-true or bf16-mixed. [default: auto]")
    ] = None,
    devices: Annotated[
        str | None, typer.Option(help="Processes or graphics cards on this machine. [default: 1]")
    ] = None,
    num_nodes: Annotated[int | None, typer.Option(help="Machines. [default: 1]")] = None,
    strategy: Annotated[
        str | None, typer.Option(help="How they work together: ddp, fsdp. [default: auto]")
    ] = None,
    bad_cells: Annotated[
        str | None, typer.Option(help="Cells that cannot be read: error or missing.")
    ] = None,
    media_root: MediaRootOption = None,
    overwrite: OverwriteOption = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on from an interrupted run's checkpoint.")
    ] = False,
) -> None:
    """Learn a table and write the model."""
    from amodal.model_folder import check_free
    from amodal.training import process_number

    if overwrite and resume:
        raise UsageProblem("--overwrite starts anew and --resume goes on: give one of them.")
    first = process_number() == 0
    if first:
        check_free(output, overwrite=overwrite or resume)
    given = {
        "method": method,
        "time_limit": time_limit,
        "epochs": epochs,
        "batch_size": batch_size,
        "random_state": seed,
        "device": device,
        "precision": precision,
        "devices": int(devices) if devices and devices.isdigit() else devices,
        "num_nodes": num_nodes,
        "strategy": strategy,
        "bad_cells": bad_cells,
    }
    settings = _read_config(config) | {name: value for name, value in given.items() if value is not None}
    if types:
        settings["types"] = {**settings.get("types", {}), **_pairs(types, "--type")}
    from amodal.estimator import TableModel

    work = output.with_name(output.name + ".training")
    model = TableModel(**settings)
    try:
        model.fit(data, media_root=media_root, work=work, resume=resume)
    except KeyboardInterrupt:
        typer.echo(
            f"Interrupted. Go on with the same command and --resume ({work} keeps the last epoch).", err=True
        )
        raise typer.Exit(130) from None
    if not model.is_global_zero_:
        return
    model.save(output, overwrite=overwrite or resume)
    for name, reason in model.schema_.ignored.items():
        typer.echo(f"{name} was left out: {reason}", err=True)
    if model.bad_cells_:
        shutil.copyfile(work / "store" / "bad_cells.csv", output / "bad_cells.csv")
        typer.echo(f"{len(model.bad_cells_)} cells could not be read: {output / 'bad_cells.csv'}", err=True)
    shutil.rmtree(work)
    history = model.history_
    typer.echo(f"{output}: {len(history)} epochs in {history['seconds'].iloc[-1]:.0f} s", err=False)


@app.command()
def sample(
    model: ModelArgument,
    n: Annotated[int, typer.Option("-n", help="How many rows.")],
    output: FolderOption,
    given: Annotated[
        list[str] | None,
        typer.Option(metavar="COL=VALUE", help="A cell that every row shall have; repeatable."),
    ] = None,
    guidance: GuidanceOption = None,
    fast: FastOption = False,
    seed: SeedOption = 0,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Generate rows."""
    fitted = _load(model, device)
    cells = _pairs(given, "--given")
    with _output(output, overwrite):
        frame = fitted.sample(n, given=cells, guidance=guidance, fast=fast, seed=seed)
        _write(fitted, frame, output, Path.cwd(), overwrite)


@app.command()
def complete(
    model: ModelArgument,
    data: DataArgument,
    output: FolderOption,
    given: Annotated[str | None, typer.Option(metavar="A,B", help="Use only these columns' cells.")] = None,
    columns: Annotated[
        str | None, typer.Option(metavar="C,D", help="Draw these columns, also where a cell is present.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Completions of each row.")] = 1,
    guidance: GuidanceOption = None,
    fast: FastOption = False,
    seed: SeedOption = 0,
    bad_cells: BadCellsOption = "error",
    media_root: MediaRootOption = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Fill the holes of a table, or turn columns into others."""
    from amodal.table import read_table

    fitted = _load(model, device)
    with _output(output, overwrite):
        root = read_table(data, media_root).root
        frame = fitted.complete(
            data,
            columns=_names(columns),
            given=_names(given),
            draws=draws,
            guidance=guidance,
            fast=fast,
            bad_cells=cast("BadCellPolicy", bad_cells),
            media_root=media_root,
            seed=seed,
        )
        _write(fitted, frame, output, root, overwrite)


@app.command()
def embed(
    model: ModelArgument,
    data: DataArgument,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE.parquet", help="File to write.")],
    media_root: MediaRootOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Write each row's joint representation, one fixed-size list a row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from amodal.files import replacing_file

    vectors = _load(model, device).embed(data, media_root=media_root)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), vectors.shape[1])
    with replacing_file(output) as beside:
        pq.write_table(pa.table({"embedding": column}), beside)
    typer.echo(f"{output}: {vectors.shape[0]} rows of {vectors.shape[1]} numbers")


@app.command()
def evaluate(
    model: ModelArgument,
    data: DataArgument,
    output: FolderOption,
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="Ask what the other columns say of this one.")
    ] = None,
    training: Annotated[
        Path | None,
        typer.Option(metavar="DATA", help="The table that the model was fitted to, to look for copies."),
    ] = None,
    fail_under: Annotated[
        float | None,
        typer.Option(metavar="X", help="Exit with 4 where the overall score, 0 to 1, is below."),
    ] = None,
    seed: SeedOption = 0,
    bad_cells: BadCellsOption = "error",
    media_root: MediaRootOption = None,
    device: DeviceOption = "auto",
    overwrite: OverwriteOption = False,
) -> None:
    """Judge a model by rows that it was not fitted to.

    The overall score is the mean of two. Fidelity: how far generated cells come from worthless, 0, to real ones, 1,
    column by column. Coherence: what columns drawn from one another have of real rows' agreement beyond chance.
    """
    if fail_under is not None and not 0 <= fail_under <= 1:
        raise UsageProblem(f"--fail-under must be 0 to 1, not {fail_under}.")
    fitted = _load(model, device)
    with _output(output, overwrite):
        report = fitted.evaluate(
            data,
            target=target,
            training=training,
            bad_cells=cast("BadCellPolicy", bad_cells),
            media_root=media_root,
            seed=seed,
            output=output,
        )
    overall = report.summary.overall
    typer.echo("\n".join(report.summary.sentences))
    if report.left_out:
        typer.echo(f"{len(report.left_out)} metrics were left out; the report says why.")
    score = "none could be had" if overall is None else f"{overall.value:.2f}"
    typer.echo(f"{output / 'report.html'}: overall score {score}")
    if fail_under is not None and (overall is None or overall.value < fail_under):
        typer.echo(f"The overall score ({score}) is below the {fail_under:g} asked for.", err=True)
        raise typer.Exit(4)


@app.command()
def compare(
    data: DataArgument,
    output: FolderOption,
    methods: Annotated[
        str | None, typer.Option(metavar="A,B", help="The methods, by name. [default: all]")
    ] = None,
    time_limit: Annotated[
        str, typer.Option(help="Most time that each method is fitted for, such as 90s, 5m or 1h30m.")
    ] = "5m",
    epochs: Annotated[int | None, typer.Option(help="Most passes over the table, of each method.")] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COL", help="Ask what the other columns say of this one.")
    ] = None,
    types: TypeOption = None,
    seed: SeedOption = 0,
    bad_cells: BadCellsOption = "error",
    media_root: MediaRootOption = None,
    device: DeviceOption = "auto",
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Begin anew what is in DIR.")] = False,
) -> None:
    """Fit several methods under the same budget, judge each by the same held-out rows, and say which to take.

    The same command goes on where it was interrupted. A method that fails does not end the others.
    """
    from amodal.comparison import compare

    try:
        leaderboard = compare(
            data,
            methods=_names(methods),
            time_limit=time_limit,
            epochs=epochs,
            target=target,
            output=output,
            types=_pairs(types, "--type"),
            bad_cells=cast("BadCellPolicy", bad_cells),
            media_root=media_root,
            device=device,
            seed=seed,
            overwrite=overwrite,
        )
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command goes on with the methods that are left.", err=True)
        raise typer.Exit(130) from None
    _show_leaderboard(leaderboard)
    typer.echo("\n".join(sentence.replace("`", "") for sentence in leaderboard.attrs["advice"]))
    typer.echo(f"{output / 'report.html'}: {len(leaderboard)} methods")
    if leaderboard["failure"].notna().all():
        raise typer.Exit(3)


def _show_leaderboard(leaderboard: pd.DataFrame) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table

    scores = ["overall", "fidelity", "coherence", "whole_rows", "completion", "target"]
    costs = {
        "seconds": ("s", "{:.0f}", 1),
        "memory_mb": ("GB", "{:.1f}", 1e3),
        "parameters": ("size", "{:.1f}M", 1e6),
    }
    # A row fits into 80 letters.
    titles = {"coherence": "pairs", "whole_rows": "rows", "completion": "complete"}
    shown = {name: (titles.get(name, name), "{:.2f}", 1.0) for name in scores if name in leaderboard} | costs
    table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False)
    table.add_column("method", no_wrap=True)
    for title, _, _ in shown.values():
        table.add_column(title, justify="right")
    for row in leaderboard.to_dict(orient="records"):
        if isinstance(row["failure"], str):
            table.add_row(row["method"], "failed")
            continue
        cells = [
            form.format(float(row[name]) / unit) if row[name] == row[name] else "–"
            for name, (_, form, unit) in shown.items()
        ]
        table.add_row(row["method"], *cells)
    Console().print(table)


def _load(folder: Path, device: str) -> TableModel:
    from amodal.estimator import TableModel

    return TableModel.load(folder, device=device)


@contextmanager
def _output(folder: Path, overwrite: bool) -> Iterator[None]:
    """Refuse a place that is taken before any work is done for it."""
    if folder.exists() and any(folder.iterdir()) and not overwrite:
        raise UsageProblem(f"{folder} is there already: give another place, or --overwrite.")
    yield


def _write(fitted: TableModel, frame: pd.DataFrame, output: Path, root: Path | None, overwrite: bool) -> None:
    from amodal.table import write_table

    writers: dict[str, Any] = fitted.schema_.used
    path = write_table(frame, output, writers, root=root, overwrite=overwrite)
    typer.echo(f"{path}: {len(frame)} rows")


def _names(text: str | None) -> list[str] | None:
    return None if text is None else [name.strip() for name in text.split(",") if name.strip()]


def _pairs(items: list[str] | None, option: str) -> dict[str, str]:
    """Read COL=VALUE; a column's name may itself hold an equals sign only in a config file."""
    pairs = {}
    for item in items or []:
        name, equals, value = item.partition("=")
        if not (name and equals and value):
            raise UsageProblem(f"{option} {item!r} is not understood: write COLUMN=VALUE.")
        pairs[name] = value
    return pairs


def _read_config(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    import inspect as reflection

    import yaml

    from amodal.estimator import TableModel

    if not path.is_file():
        raise UsageProblem(f"There is no file {path}.")
    try:
        settings = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as problem:
        raise UsageProblem(f"{path} is not YAML: {problem}") from problem
    known = set(reflection.signature(TableModel).parameters)
    if not isinstance(settings, dict) or not set(settings) <= known:
        wrong = sorted(set(settings) - known) if isinstance(settings, dict) else settings
        raise UsageProblem(f"{path}: unknown settings {wrong}. Choose from {', '.join(sorted(known))}.")
    return settings


def main() -> None:
    """Run the command line; problems end it with one message and their exit code."""
    try:
        app()
    except UsageProblem as problem:
        typer.echo(f"Error: {problem}", err=True)
        sys.exit(2)
    except DataProblem as problem:
        typer.echo(f"Error: {problem}", err=True)
        sys.exit(3)


if __name__ == "__main__":
    main()
