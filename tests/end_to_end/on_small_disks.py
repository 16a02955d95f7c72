"""Run commands on disks of memory, each in a fork of one process that has imported what they need.

What to do stands on stdin, in JSON: the folder to mount disks on, where the commands' stdout goes (nothing to keep it),
and pairs of a command's words and how many pages are free on its disk: null for many, -1 for one that is read-only.
What came of each is printed, in JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

PAGE = 4096


def main() -> None:
    told = json.load(sys.stdin)
    import amodal.comparison
    import amodal.estimator
    import amodal.features
    import amodal.report  # noqa: F401

    print(
        json.dumps(
            [on_disk(words, pages, Path(told["disk"]), told["stdout"]) for words, pages in told["runs"]]
        )
    )


def on_disk(words: list[str], pages: int | None, disk: Path, stdout: str) -> dict[str, object]:
    # No disk of memory has no pages at all: one is always taken.
    size = "size=1g" if pages in (None, -1) else f"size={(pages + 1) * PAGE}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", size, "none", disk], check=True)
    (disk / "taken").write_bytes(bytes(PAGE))
    if pages == -1:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        ended = in_fork(words, disk, stdout)
        used = os.statvfs(disk)
        left = sorted({path.name for path in disk.iterdir()} - {"taken"})
        return ended | {"left": left, "pages": used.f_blocks - used.f_bfree - 1}
    finally:
        subprocess.run(["umount", disk], check=True)


def in_fork(words: list[str], disk: Path, stdout: str) -> dict[str, object]:
    outputs = [Path(stdout) if stdout else disk.with_name("stdout"), disk.with_name("stderr")]
    child = os.fork()
    if not child:
        for number, path in enumerate(outputs, start=1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.chdir(disk)
        os.environ["TMPDIR"] = str(disk)
        os._exit(code_of(words))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    said = ["" if path == Path(stdout) else path.read_text() for path in outputs]
    return {"code": code, "stdout": said[0], "stderr": said[1]}


def code_of(words: list[str]) -> int:
    """What a process would end with."""
    from amodal.cli import main as run

    sys.argv = ["amodal", *words]
    try:
        run()
        sys.stdout.flush()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:  # noqa: BLE001, as Python itself does at the end
        traceback.print_exc()
        return 1
    finally:
        sys.stderr.flush()
    return 0


if __name__ == "__main__":
    main()
