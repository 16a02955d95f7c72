"""The one check of what is to be written, before any work, and the manifests that say what amodal wrote.

A folder that amodal wrote holds `.amodal.json`, which lists its entries. Only such a folder is ever replaced, and only
while it holds nothing else.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EACCES, EILSEQ, EINVAL, ELOOP, ENAMETOOLONG, ENOTDIR
from pathlib import Path
from typing import Any, Literal

from amodal.errors import UsageError, examples
from amodal.files.atomic import is_place, replacing_file, replacing_folder, temporary_folder

__all__ = ["MANIFEST", "Kind", "begin_folder", "check_file", "check_folder", "output_folder", "remove_folder"]

MANIFEST = ".amodal.json"
Kind = Literal["table", "model", "report", "comparison", "trial", "store", "checkpoint", "tour"]
_CLOSED: tuple[Kind, ...] = ("model", "store")  # nothing else belongs in them
_OURS = ".amodal."  # manifests and locks begin with it
_OF_SYSTEMS = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_STREAMS = ("-", "/dev/stdout", "/dev/stderr")
_NAME_ERRORS = (ENAMETOOLONG, EINVAL, EILSEQ)


@dataclass(frozen=True)
class _Manifest:
    kind: str
    entries: frozenset[str]


def check_folder(
    output: str | Path,
    kind: Kind,
    *,
    overwrite: bool | None = False,
    resume: bool = False,
    inputs: Iterable[object] = (),
) -> None:
    """See that a folder can be written, and that nothing is lost by it.

    Args:
        output: the folder.
        kind: what it will hold; nothing else is replaced by it.
        overwrite: whether what amodal wrote there before may be replaced; None where the caller has no such argument.
        resume: whether it may go on with what amodal began there; all that is there stays.
        inputs: what is read: files and folders. What is no path, or not there, is passed over.

    Raises:
        UsageError: it is there already, or cannot be a folder, or is, holds or lies in what must be kept.
        OSError: the machine cannot: no permission, a read-only or full file system.
    """
    output = Path(output)
    target = _checked_place(output, inputs)
    if target.exists():
        if not target.is_dir():
            raise UsageError(f"{output} is a file: name a folder.")
        if os.path.ismount(target):
            raise UsageError(f"{output} is where a disk is mounted: name a new folder in it.")
        _check_replaced(target, output, kind, overwrite=overwrite, resume=resume)
    _try_place(target, output)


def is_parquet_of_amodal(path: Path) -> bool:
    """Whether amodal wrote a Parquet file, which its metadata say."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return b"amodal" in (parquet.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def check_file(
    output: str | Path,
    *,
    overwrite: bool = False,
    inputs: Iterable[object] = (),
    is_ours: Callable[[Path], bool] = is_parquet_of_amodal,
) -> None:
    """See that a file can be written, and that nothing is lost by it.

    Args:
        output: the file.
        overwrite: see `check_folder`.
        inputs: see `check_folder`.
        is_ours: whether amodal wrote a file.

    Raises:
        UsageError: see `check_folder`.
        OSError: see `check_folder`.
    """
    output = Path(output)
    target = _checked_place(output, inputs)
    if target.is_dir():
        raise UsageError(f"{output} is a folder: name a file.")
    if target.exists():
        if not overwrite:
            raise UsageError(f"{output} is there already: give another place, or pass overwrite=True.")
        if not is_ours(target):
            raise UsageError(
                f"{output} is no file that amodal wrote, and is not overwritten: give another place."
            )
    _try_place(target, output)


@contextmanager
def output_folder(
    output: str | Path,
    kind: Kind,
    *,
    overwrite: bool | None = False,
    inputs: Iterable[object] = (),
    entries: Iterable[str] = (),
) -> Iterator[Path]:
    """Give an empty folder to fill; it takes the place of `output`, with a manifest, when all went well.

    Args:
        output: the folder.
        kind: see `check_folder`.
        overwrite: see `check_folder`.
        inputs: see `check_folder`.
        entries: what may be written there later; folders end in "/".

    Raises:
        UsageError: see `check_folder`, which is asked first and, as work takes its time, at the end again.
        OSError: the machine cannot; `output` is as it was.
    """
    output = Path(output)
    check_folder(output, kind, overwrite=overwrite, inputs=inputs)
    with replacing_folder(output) as folder:
        yield folder
        _write_manifest(folder / MANIFEST, kind, {*_listed(folder), *entries})
        target = Path(os.path.realpath(output))
        if target.exists():
            _check_replaced(target, output, kind, overwrite=overwrite)


def begin_folder(folder: Path, kind: Kind, entries: Iterable[str]) -> None:
    """Make a folder that is filled bit by bit, or go on with one that was begun.

    Args:
        folder: the folder; what was written there before stays.
        kind: see `check_folder`.
        entries: all that may be written there; folders end in "/".

    Raises:
        UsageError: see `check_folder`.
    """
    check_folder(folder, kind, resume=True)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing_file(folder / MANIFEST) as beside:
        _write_manifest(beside, kind, entries)


def remove_folder(folder: Path) -> None:
    """Remove a folder that amodal wrote, in one step; it stays where it holds anything else."""
    if _manifest(folder) is not None and not any(_foreign(folder)):
        with temporary_folder(folder.parent) as away:
            folder.rename(away / folder.name)


def _checked_place(output: Path, inputs: Iterable[object]) -> Path:
    """The place of an output, its links followed, once it is known not to be, hold or lie in what must be kept."""
    text = str(output)
    if text in _STREAMS or text.startswith("/dev/fd/"):
        raise UsageError(f"{text} is standard output, which is not written to: name a file or a folder.")
    if "\0" in text:
        raise UsageError(f"{text!r} cannot be the name of a file or a folder.")
    try:
        here = Path.cwd()
    except FileNotFoundError:
        raise UsageError("The current folder is gone: change to another one.") from None
    target = Path(os.path.realpath(text))
    try:
        str(target).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{text!r} is not UTF-8: give another name.") from None
    _check_way(here / text, output)
    there = _identities([target])
    if target in (here, *here.parents) or there & _identities([here, *here.parents]):
        raise UsageError(f"{output} is the current folder, or holds it: name a new folder.")
    for path in _paths(inputs):
        real = Path(os.path.realpath(path))
        if there & _identities([real]):
            raise UsageError(f"{output} is {path}, which is read: give another place.")
        if there & _identities([*_in_real_folder(path).parents, *real.parents]):
            raise UsageError(f"{output} holds {path}, which is read: give another place.")
    for folder in target.parents:
        around = _manifest(folder)
        if around and around.kind in _CLOSED:
            raise UsageError(f"{output} lies in {folder}, a {around.kind}: give another place.")
    return target


def _check_way(path: Path, output: Path) -> None:
    """See that links on the way to a place lead somewhere, and that what is there can be replaced at all."""
    for step in (path, *path.parents):
        try:
            status = step.stat()
        except FileNotFoundError:
            if step.is_symlink():
                raise UsageError(f"{step} is a link to what is not there: give another place.") from None
            continue
        except OSError as problem:
            raise _of_name(problem, output) from None
        if step == path and not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
            raise UsageError(f"{output} is a device, a pipe or a socket: name a file or a folder.")
        return


def _of_name(problem: OSError, output: Path) -> Exception:
    """The problem as the call's own, where the name is what is wrong."""
    said = {ELOOP: "is a link that leads to itself", ENOTDIR: "lies in a file"}
    if problem.errno in said:
        return UsageError(f"{output} {said[problem.errno]}: give another place.")
    if problem.errno in _NAME_ERRORS:
        name = str(output)
        shown = name if len(name) <= 40 else f"{name[:20]}…{name[-20:]}"
        return UsageError(
            f"{shown} cannot be the name of a file or a folder ({problem.strerror}): give another."
        )
    return OSError(problem.errno, problem.strerror, str(output))


def _try_place(target: Path, output: Path) -> None:
    """Make what will be made, in a temporary folder beside it."""
    above = next(parent for parent in target.parents if parent.exists())
    try:
        with temporary_folder(above) as folder:
            folder.joinpath(*target.relative_to(above).parts).mkdir(parents=True)
    except OSError as problem:
        raise _of_name(problem, output) from None
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(EACCES, os.strerror(EACCES), str(output))


def _check_replaced(
    target: Path, output: Path, kind: Kind, *, overwrite: bool | None, resume: bool = False
) -> None:
    """See that a folder may be replaced: it is empty, or amodal's and nothing else."""
    manifest = _manifest(target)
    if manifest is None:
        if any(not _is_passed_over(entry.name) for entry in target.iterdir()):
            raise UsageError(
                f"{output} is no {kind} that amodal wrote (it has no {MANIFEST}), and is not overwritten: "
                "give another place."
            )
        return
    if manifest.kind != kind:
        raise UsageError(
            f"{output} is no {kind}, but a {manifest.kind}, and is not overwritten: give another place."
        )
    if resume:
        return
    if not overwrite:
        way = "or delete it first" if overwrite is None else "or pass overwrite=True"
        raise UsageError(f"{output} holds a {kind} already: give another place, {way}.")
    foreign = sorted(_foreign(target))
    if foreign:
        raise UsageError(
            f"{output} also holds what amodal did not write ({examples(foreign)}), and is not overwritten: "
            "give another place, or move that away."
        )


def _paths(inputs: Iterable[object]) -> Iterator[Path]:
    for given in inputs:
        if isinstance(given, str | Path) and str(given) and "\0" not in str(given):
            yield Path(given)


def _in_real_folder(path: Path) -> Path:
    """A path with the links to its folder followed, and not its own."""
    return Path(os.path.realpath(path.parent), path.name if path.name != ".." else "")


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """What names the same file or folder, whatever it is called; nothing for what is not there."""
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def _write_manifest(path: Path, kind: Kind, entries: Iterable[str]) -> None:
    text = json.dumps({"amodal": kind, "entries": sorted(entries)}, indent=0)
    path.write_text(text + "\n", encoding="utf-8")


def _manifest(folder: Path) -> _Manifest | None:
    """What a folder's manifest says; None where there is none that can be read."""
    try:
        raw: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return _Manifest(str(raw["amodal"]), frozenset(raw["entries"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _listed(folder: Path) -> Iterator[str]:
    """All that a folder holds, as manifests have it."""
    for root, folders, files in os.walk(folder):
        inside = Path(root).relative_to(folder)
        yield from (f"{(inside / name).as_posix()}/" for name in folders)
        yield from ((inside / name).as_posix() for name in files)


def _foreign(folder: Path) -> Iterator[str]:
    """What a folder holds and neither its manifest nor those of folders in it list."""
    manifest = _manifest(folder)
    entries = manifest.entries if manifest else frozenset()
    yield from _not_in(entries, folder, "")


def _not_in(entries: frozenset[str], folder: Path, inside: str) -> Iterator[str]:
    for entry in list(os.scandir(folder)):
        name = inside + entry.name
        if _is_passed_over(entry.name):
            continue
        if not entry.is_dir(follow_symlinks=False):
            if name not in entries:
                yield name
        elif f"{name}/" not in entries:
            yield f"{name}/"
        elif _manifest(Path(entry.path)) is not None:
            yield from (f"{name}/{each}" for each in _foreign(Path(entry.path)))
        else:
            yield from _not_in(entries, Path(entry.path), f"{name}/")


def _is_passed_over(name: str) -> bool:
    return name.startswith(_OURS) or is_place(name) or name in _OF_SYSTEMS
