"""Checks of output paths before any work, and the manifests that mark what amodal wrote.

A folder written by amodal holds `.amodal.json`, which lists its entries. Only such a folder is ever replaced, and only
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
from amodal.files.atomic import is_staging_folder, replacing_file, replacing_folder, temporary_folder

__all__ = [
    "MANIFEST",
    "FolderKind",
    "begin_output_folder",
    "check_output_file",
    "check_output_folder",
    "output_folder",
    "remove_output_folder",
]

MANIFEST = ".amodal.json"
FolderKind = Literal["table", "model", "report", "comparison", "trial", "store", "checkpoint", "demo"]
_CLOSED: tuple[FolderKind, ...] = ("model", "store")  # no output may lie inside them
_PREFIX = ".amodal."  # manifests and locks begin with it
_SYSTEM_FILES = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
_STREAMS = ("-", "/dev/stdout", "/dev/stderr")
_NAME_ERRORS = (ENAMETOOLONG, EINVAL, EILSEQ)


@dataclass(frozen=True)
class _Manifest:
    kind: str
    entries: frozenset[str]


def check_output_folder(
    output: str | Path,
    kind: FolderKind,
    *,
    overwrite: bool | None = False,
    resume: bool = False,
    inputs: Iterable[object] = (),
) -> None:
    """Check that a folder can be written without losing anything.

    Args:
        output: the folder.
        kind: kind of content; only a folder of the same kind is replaced.
        overwrite: allow an earlier output of amodal to be replaced; None for callers without such an argument.
        resume: allow an earlier output of amodal to be continued.
        inputs: files and folders that are read. Objects that are no existing path are skipped.

    Raises:
        UsageError: it exists already, or cannot be a folder, or is, contains or lies in something to keep.
        OSError: it cannot be written: no permission, a read-only or full file system.
    """
    output = Path(output)
    target = _resolve_output(output, inputs)
    if target.exists():
        if not target.is_dir():
            raise UsageError(f"{output} is a file: name a folder.")
        if os.path.ismount(target):
            raise UsageError(f"{output} is where a disk is mounted: name a new folder in it.")
        _check_replaced(target, output, kind, overwrite=overwrite, resume=resume)
    _check_writable(target, output)


def is_parquet_of_amodal(path: Path) -> bool:
    """True for Parquet files whose metadata name amodal as the writer."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return b"amodal" in (parquet.read_schema(path).metadata or {})
    except (OSError, pa.ArrowException):
        return False


def check_output_file(
    output: str | Path,
    *,
    overwrite: bool = False,
    inputs: Iterable[object] = (),
    is_ours: Callable[[Path], bool] = is_parquet_of_amodal,
) -> None:
    """Check that a file can be written without losing anything.

    Args:
        output: the file.
        overwrite: see `check_output_folder`.
        inputs: see `check_output_folder`.
        is_ours: true for files that amodal wrote.

    Raises:
        UsageError: see `check_output_folder`.
        OSError: see `check_output_folder`.
    """
    output = Path(output)
    target = _resolve_output(output, inputs)
    if target.is_dir():
        raise UsageError(f"{output} is a folder: name a file.")
    if target.exists():
        if not overwrite:
            raise UsageError(f"{output} is there already: give another path, or pass overwrite=True.")
        if not is_ours(target):
            raise UsageError(
                f"{output} is no file that amodal wrote, and is not overwritten: give another path."
            )
    _check_writable(target, output)


@contextmanager
def output_folder(
    output: str | Path,
    kind: FolderKind,
    *,
    overwrite: bool | None = False,
    inputs: Iterable[object] = (),
    entries: Iterable[str] = (),
) -> Iterator[Path]:
    """Yield an empty folder, which replaces `output` and gets a manifest when the block succeeds.

    Args:
        output: the folder.
        kind: see `check_output_folder`.
        overwrite: see `check_output_folder`.
        inputs: see `check_output_folder`.
        entries: names that may be written there later; folders end in "/".

    Raises:
        UsageError: see `check_output_folder`, which runs before the block and again after it.
        OSError: writing failed; `output` is unchanged.
    """
    output = Path(output)
    check_output_folder(output, kind, overwrite=overwrite, inputs=inputs)
    with replacing_folder(output) as folder:
        yield folder
        _write_manifest(folder / MANIFEST, kind, {*_listed(folder), *entries})
        target = Path(os.path.realpath(output))
        if target.exists():
            _check_replaced(target, output, kind, overwrite=overwrite)


def begin_output_folder(folder: Path, kind: FolderKind, entries: Iterable[str]) -> None:
    """Create a folder that is filled step by step, or continue one.

    Args:
        folder: the folder; earlier content stays.
        kind: see `check_output_folder`.
        entries: all names that may be written there; folders end in "/".

    Raises:
        UsageError: see `check_output_folder`.
    """
    check_output_folder(folder, kind, resume=True)
    folder.mkdir(parents=True, exist_ok=True)
    with replacing_file(folder / MANIFEST) as new:
        _write_manifest(new, kind, entries)


def remove_output_folder(folder: Path) -> None:
    """Remove a folder written by amodal, in one step, unless it holds anything else."""
    if _read_manifest(folder) is not None and not any(_foreign(folder)):
        with temporary_folder(folder.parent) as trash:
            folder.rename(trash / folder.name)


def _resolve_output(output: Path, inputs: Iterable[object]) -> Path:
    """Real path of an output, which must not be, contain or lie in an input, the current folder or a closed folder."""
    text = str(output)
    if text in _STREAMS or text.startswith("/dev/fd/"):
        raise UsageError(f"{text} is standard output, which is not written to: name a file or a folder.")
    if "\0" in text:
        raise UsageError(f"{text!r} cannot be the name of a file or a folder.")
    try:
        current = Path.cwd()
    except FileNotFoundError:
        raise UsageError("The current folder is gone: change to another one.") from None
    target = Path(os.path.realpath(text))
    try:
        str(target).encode()
    except UnicodeEncodeError:
        raise UsageError(f"{text!r} is not UTF-8: give another name.") from None
    _check_links(current / text, output)
    identity = _identities([target])
    if target in (current, *current.parents) or identity & _identities([current, *current.parents]):
        raise UsageError(f"{output} is the current folder, or holds it: name a new folder.")
    for path in _paths(inputs):
        real = Path(os.path.realpath(path))
        if identity & _identities([real]):
            raise UsageError(f"{output} is {path}, which is read: give another path.")
        if identity & _identities([*_in_real_folder(path).parents, *real.parents]):
            raise UsageError(f"{output} holds {path}, which is read: give another path.")
    for folder in target.parents:
        manifest = _read_manifest(folder)
        if manifest and manifest.kind in _CLOSED:
            raise UsageError(f"{output} lies in {folder}, a {manifest.kind}: give another path.")
    return target


def _check_links(path: Path, output: Path) -> None:
    """Refuse broken links on the way to an output, and devices, pipes and sockets."""
    for step in (path, *path.parents):
        try:
            status = step.stat()
        except FileNotFoundError:
            if step.is_symlink():
                raise UsageError(f"{step} is a link to what is not there: give another path.") from None
            continue
        except OSError as problem:
            raise _name_error(problem, output) from None
        if step == path and not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
            raise UsageError(f"{output} is a device, a pipe or a socket: name a file or a folder.")
        return


def _name_error(problem: OSError, output: Path) -> Exception:
    """A `UsageError` where the name causes the problem, else the problem with the output's name."""
    reasons = {ELOOP: "is a link that leads to itself", ENOTDIR: "lies in a file"}
    if problem.errno in reasons:
        return UsageError(f"{output} {reasons[problem.errno]}: give another path.")
    if problem.errno in _NAME_ERRORS:
        name = str(output)
        short = name if len(name) <= 40 else f"{name[:20]}…{name[-20:]}"
        return UsageError(
            f"{short} cannot be the name of a file or a folder ({problem.strerror}): give another."
        )
    return OSError(problem.errno, problem.strerror, str(output))


def _check_writable(target: Path, output: Path) -> None:
    """Create the same folders in a temporary folder next to the target."""
    parent = next(parent for parent in target.parents if parent.exists())
    try:
        with temporary_folder(parent) as folder:
            folder.joinpath(*target.relative_to(parent).parts).mkdir(parents=True)
    except OSError as problem:
        raise _name_error(problem, output) from None
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(EACCES, os.strerror(EACCES), str(output))


def _check_replaced(
    target: Path, output: Path, kind: FolderKind, *, overwrite: bool | None, resume: bool = False
) -> None:
    """Check that a folder may be replaced: it is empty, or holds only what amodal wrote."""
    manifest = _read_manifest(target)
    if manifest is None:
        if any(not _is_ignored(entry.name) for entry in target.iterdir()):
            raise UsageError(
                f"{output} is no {kind} that amodal wrote (it has no {MANIFEST}), and is not overwritten: "
                "give another path."
            )
        return
    if manifest.kind != kind:
        raise UsageError(
            f"{output} is no {kind}, but a {manifest.kind}, and is not overwritten: give another path."
        )
    if resume:
        return
    if not overwrite:
        way = "or delete it first" if overwrite is None else "or pass overwrite=True"
        raise UsageError(f"{output} holds a {kind} already: give another path, {way}.")
    foreign = sorted(_foreign(target))
    if foreign:
        raise UsageError(
            f"{output} also holds what amodal did not write ({examples(foreign)}), and is not overwritten: "
            "give another path, or move that away."
        )


def _paths(inputs: Iterable[object]) -> Iterator[Path]:
    for given in inputs:
        if isinstance(given, str | Path) and str(given) and "\0" not in str(given):
            yield Path(given)


def _in_real_folder(path: Path) -> Path:
    """A path with the links in its parents resolved, but not its own."""
    return Path(os.path.realpath(path.parent), path.name if path.name != ".." else "")


def _identities(paths: Iterable[Path]) -> set[tuple[int, int]]:
    """Device and inode of each existing path, the same for all names of a file or folder."""
    found = set()
    for path in paths:
        try:
            status = path.stat()
        except OSError:
            continue
        found.add((status.st_dev, status.st_ino))
    return found


def _write_manifest(path: Path, kind: FolderKind, entries: Iterable[str]) -> None:
    text = json.dumps({"amodal": kind, "entries": sorted(entries)}, indent=0)
    path.write_text(text + "\n", encoding="utf-8")


def _read_manifest(folder: Path) -> _Manifest | None:
    """The manifest of a folder; None where none can be read."""
    try:
        raw: Any = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        return _Manifest(str(raw["amodal"]), frozenset(raw["entries"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _listed(folder: Path) -> Iterator[str]:
    """Relative paths of all that a folder holds; folders end in "/"."""
    for root, folders, files in os.walk(folder):
        inside = Path(root).relative_to(folder)
        yield from (f"{(inside / name).as_posix()}/" for name in folders)
        yield from ((inside / name).as_posix() for name in files)


def _foreign(folder: Path) -> Iterator[str]:
    """Relative paths of what neither a folder's manifest nor those of nested folders list."""
    manifest = _read_manifest(folder)
    entries = manifest.entries if manifest else frozenset()
    yield from _unlisted(entries, folder, "")


def _unlisted(entries: frozenset[str], folder: Path, inside: str) -> Iterator[str]:
    for entry in list(os.scandir(folder)):
        name = inside + entry.name
        if _is_ignored(entry.name):
            continue
        if not entry.is_dir(follow_symlinks=False):
            if name not in entries:
                yield name
        elif f"{name}/" not in entries:
            yield f"{name}/"
        elif _read_manifest(Path(entry.path)) is not None:
            yield from (f"{name}/{each}" for each in _foreign(Path(entry.path)))
        else:
            yield from _unlisted(entries, Path(entry.path), f"{name}/")


def _is_ignored(name: str) -> bool:
    return name.startswith(_PREFIX) or is_staging_folder(name) or name in _SYSTEM_FILES
