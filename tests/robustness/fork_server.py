"""The command line, run as forks of one process that has imported everything, and killed where a test says.

A process of its own would take seconds for its imports alone. What a fork does to files is counted by an audit hook;
it is killed, with all that it started, as it is about to do the n-th of these, or just when it has opened a file.
"""

from __future__ import annotations

import atexit
import ctypes
import functools
import importlib
import io
import json
import mmap
import os
import runpy
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Self

IMPORTED = (
    "amodal.cli",
    "amodal.comparison.trial",
    "amodal.datasets.digits.table",
    "amodal.datasets.digits.captions",
    "amodal.datasets.digits.handwriting",
    "amodal.datasets.digits.speech",
    "amodal.estimator",
    "amodal.report",
    "amodal.features",
    "cv2",
    "jinja2",
    "librosa.core.audio",
    "librosa.core.spectrum",
    "librosa.filters",
    "librosa.util.utils",
    "lightning.pytorch.callbacks",
    "mlxtend.data",
    "nltk.tokenize",
    "pyarrow.parquet",
    "rich.progress",
    "rich.table",
    "safetensors.torch",
    "soundfile",
)
NATIVE_WRITERS = (
    ("safetensors.torch", "serialize_file", 1),
    ("pyarrow.parquet", "write_table", 1),
    ("soundfile", "write", 0),
)
"""Calls that open files without Python's knowledge: module, name, and which argument is the path."""

CHANGES = {
    *("os.rename", "os.mkdir", "os.rmdir", "os.remove", "os.link", "os.symlink", "os.truncate"),
    *("os.chmod", "os.utime", "fcntl.flock", "fcntl.lockf", "native.write", "native.written"),
}
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
STARTED = " by a process that it started"
NO_MOUNT = "no folder can be mounted read-only here:"
PR_SET_CHILD_SUBREAPER = 36
SECONDS = 300
"""After which a run is taken to hang, and ended."""


@dataclass(frozen=True)
class Run:
    """How a run ended.

    Attributes:
        code: its exit code; below 0 the signal that ended it.
        stdout: what it wrote there.
        stderr: and there.
        events: what it did to files, in order, one "event path" each.
        group: the number of its group of processes, of which some may live where it alone was killed.
    """

    code: int
    stdout: str
    stderr: str
    events: list[str]
    group: int


class ForkServer:
    """Starts the process, and asks it for runs."""

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "tests.robustness.fork_server"]
        environment = os.environ | {"OMP_NUM_THREADS": "1", "COLUMNS": "80"}
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(
        self,
        words: Sequence[object],
        folder: Path,
        temporary: Path,
        *,
        kill_at: int | None = None,
        opened: bool = False,
        alone: bool = False,
        reads: Path | None = None,
        read_only: Path | None = None,
    ) -> Run:
        """Run the command line.

        Args:
            words: what follows `amodal`.
            folder: where it runs.
            temporary: its TMPDIR.
            kill_at: the number, from 1, of the event at which it is killed; None to let it end.
            opened: where that event is the opening of a file, kill when the file is open, and empty.
            alone: kill the process that a user would, and not those that it started.
            reads: count what is opened to be read below this folder, too.
            read_only: a folder that is mounted read-only for this run.
        """
        assert self._process.stdin
        assert self._process.stdout
        with tempfile.TemporaryDirectory() as said:
            asked = {
                "words": [str(word) for word in words],
                "folder": str(folder),
                "temporary": str(temporary),
                "said": said,
                "kill_at": kill_at,
                "opened": opened,
                "alone": alone,
                "reads": None if reads is None else str(reads),
                "read_only": None if read_only is None else str(read_only),
            }
            self._process.stdin.write(json.dumps(asked) + "\n")
            self._process.stdin.flush()
            code, group = map(int, self._process.stdout.readline().split())
            out, err, events = (
                (Path(said) / name).read_text(encoding="utf-8", errors="replace")
                for name in ("stdout", "stderr", "events")
            )
        return Run(code, out, err, events.splitlines(), group)

    def wait(self, run: Run) -> None:
        """Wait for what a run has started to end, too."""
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps({"group": run.group}) + "\n")
        self._process.stdin.flush()
        self._process.stdout.readline()


def main() -> None:
    """Serve: a line of JSON in, an exit code and a group of processes out."""
    answers = os.fdopen(os.dup(1), "w")
    # What a killed process has started becomes this one's, and can be waited for.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    os.dup2(2, 1)
    for module in IMPORTED:
        importlib.import_module(module)
    _read_handwriting_once()
    for line in sys.stdin:
        request = json.loads(line)
        if "group" in request:
            _wait(request["group"])
            answers.write("\n")
            answers.flush()
            continue
        child = os.fork()
        if not child:
            _run(request)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if not request["alone"]:
            _kill_group(child)
            _wait(child)
        answers.write(f"{code} {child}\n")
        answers.flush()


def _wait(group: int) -> None:
    with suppress(ChildProcessError):
        while True:
            os.waitpid(-group, 0)


def _run(request: Mapping[str, Any]) -> None:
    """Be the fork; never returns."""
    os.setsid()
    signal.alarm(SECONDS)
    said = Path(request["said"])
    # First the folder, as its files are the test's own.
    for descriptor, name in ((1, "stdout"), (2, "stderr")):
        os.dup2(os.open(said / name, os.O_CREAT | os.O_WRONLY | os.O_APPEND), descriptor)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    events = os.open(said / "events", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
    os.environ["TMPDIR"], tempfile.tempdir = request["temporary"], None
    if request["read_only"] is not None:
        _mount_read_only(request["read_only"])
    os.chdir(request["folder"])
    _fork_trials()
    _keep_each_epoch()
    _hold_out_few()
    _watch(request, events)
    sys.argv = ["amodal", *request["words"]]
    from amodal.cli import main as command_line

    _end(command_line)


def _end(call: Callable[[], object]) -> None:
    """End this process as Python would after a call."""
    code = 0
    try:
        call()
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())
        code = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _watch(request: Mapping[str, Any], log: int) -> None:
    """Write down each event, and kill at the one that is asked for."""
    count = mmap.mmap(-1, 8)  # shared with forks
    lock = threading.Lock()
    os.set_inheritable(log, True)
    leader, busy = os.getpid(), threading.local()
    kill_at, reads = request["kill_at"], request["reads"]
    places = (request["folder"], request["temporary"], *([reads] if reads else []))

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if not (reads or flags & WRITING):
                return
        elif event in CHANGES:
            path, flags = arguments[0], os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        else:
            return
        if getattr(busy, "killing", False) or not _is_below(path, places):
            return
        with lock:
            number = int.from_bytes(count[:], "little") + 1
            count[:] = number.to_bytes(8, "little")
            by = "" if os.getpid() == leader else STARTED
            os.write(log, f"{event} {path!r}{by}\n".encode())
            if number != kill_at:
                return
            busy.killing = True
            if request["opened"] and event in ("open", "native.write") and not isinstance(path, int):
                os.open(path, flags, 0o666)
            if not request["alone"]:
                os.killpg(leader, signal.SIGKILL)
            os.kill(leader, signal.SIGKILL)
            busy.killing = False

    for module, name, position in NATIVE_WRITERS:
        _announce(module, name, position)
    sys.addaudithook(hook)


def _is_below(path: Any, places: tuple[str, ...]) -> bool:
    """Whether a path is none of a library's, which keeps things for itself; relative ones and descriptors are not."""
    text = os.fsdecode(path) if isinstance(path, str | bytes | os.PathLike) else ""
    return not text.startswith("/") or text.startswith(places)


def _announce(module: str, name: str, position: int) -> None:
    writer = getattr(importlib.import_module(module), name)

    @functools.wraps(writer)
    def announced(*arguments: Any, **more: Any) -> Any:
        path = arguments[position]
        if not isinstance(path, str | os.PathLike):
            return writer(*arguments, **more)
        sys.audit("native.write", path)
        result = writer(*arguments, **more)
        sys.audit("native.written", path)
        return result

    setattr(sys.modules[module], name, announced)


def _fork_trials() -> None:
    """Make `compare` fork for each method, where it would start Python anew."""
    from amodal.comparison import trial_process

    trial_process.subprocess = SimpleNamespace(Popen=_ForkedTrial, PIPE=subprocess.PIPE)  # type: ignore[assignment]


class _ForkedTrial:
    """A method's process, as `subprocess.Popen` would give it with two pipes."""

    def __init__(self, command: Sequence[str], *, stdin: int, stdout: int) -> None:
        to_read, raised = os.pipe()
        said, to_write = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if not self.pid:
            os.dup2(to_read, 0)
            os.dup2(to_write, 1)
            _close_as_exec_does()
            sys.stdin = io.TextIOWrapper(os.fdopen(0, "rb"))
            _end(functools.partial(runpy.run_module, command[-1], run_name="__main__"))
        os.close(to_read)
        os.close(to_write)
        self.stdin, self.stdout = os.fdopen(raised, "wb"), os.fdopen(said, "rb")
        self.returncode: int | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdin.close()
        self.stdout.close()
        self.wait()

    def wait(self) -> int:
        if self.returncode is None:
            self.returncode = os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])
        return self.returncode

    def kill(self) -> None:
        if self.returncode is None:
            os.kill(self.pid, signal.SIGKILL)


def _close_as_exec_does() -> None:
    for path in list(Path("/proc/self/fd").iterdir()):
        with suppress(OSError):  # that of the list itself
            if not os.get_inheritable(int(path.name)):
                os.close(int(path.name))


def _keep_each_epoch() -> None:
    """Write a checkpoint after every epoch, where one in ten seconds is usual."""
    from amodal.training.checkpoints import Checkpoints

    Checkpoints.__init__.__defaults__ = (-1.0,)


def _read_handwriting_once() -> None:
    """Read the demo's pictures for all forks; each would take a second for it."""
    from amodal.datasets.digits import handwriting

    pictures = handwriting.handwritten_digits()
    handwriting.handwritten_digits = lambda: pictures


def _hold_out_few() -> None:
    """Make the demo's held-out table of 10 rows; 500 take seconds."""
    from amodal.datasets.digits import table

    table._HELD_OUT = 10


def _mount_read_only(folder: str) -> None:
    """Mount a folder read-only, for this process alone; permissions do not bind root."""
    new_user, new_mounts, bind, recursive, remount, read_only = 0x10000000, 0x20000, 4096, 16384, 32, 1
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.getuid(), os.getgid()
    # What a mount forbids already, a new user may not allow.
    kept = os.statvfs(folder).f_flag & (os.ST_NOSUID | os.ST_NODEV | os.ST_NOEXEC)
    failed = libc.unshare(new_user | new_mounts)
    if not failed:
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"0 {user} 1")
        Path("/proc/self/gid_map").write_text(f"0 {group} 1")
        place = os.fsencode(folder)
        failed = libc.mount(place, place, None, bind | recursive, None)
        failed = failed or libc.mount(None, place, None, bind | remount | read_only | kept, None)
    if failed:
        print(NO_MOUNT, os.strerror(ctypes.get_errno()), file=sys.stderr, flush=True)
        os._exit(125)


def _kill_group(leader: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(leader, signal.SIGKILL)


if __name__ == "__main__":
    main()
