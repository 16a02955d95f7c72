from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError

from amodal.cli.edge import endings
from amodal.files import explain_machine_error, os_errors_about, preallocate


@pytest.mark.parametrize("has_call", [True, False])
def test_room_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_call: bool) -> None:
    if not has_call:
        monkeypatch.delattr(os, "posix_fallocate", raising=False)
    with (tmp_path / "file").open("w+b") as file:
        file.write(b"begin")
        file.flush()
        preallocate(file, 3_000_000)
        assert os.fstat(file.fileno()).st_size == 3_000_000
        assert os.fstat(file.fileno()).st_blocks * 512 >= 3_000_000
        file.seek(0)
        assert file.read() == b"begin" + bytes(3_000_000 - 5)


def test_errors_name_the_user_s_file(tmp_path: Path) -> None:
    staging, target = tmp_path / "staging", tmp_path / "target"
    for hidden in (
        OSError(errno.ENOSPC, "full"),
        OSError(errno.ENOSPC, "full", str(staging / "new")),
        OSError(errno.ENOSPC, "full", "/elsewhere/source", None, str(staging / "copy")),
        SafetensorError("Error while serializing: I/O error: No space left on device (os error 28)"),
    ):
        with (
            pytest.raises(OSError, match="No space left") as raised,
            os_errors_about(target, SafetensorError, staging=staging),
        ):
            raise hidden
        assert (raised.value.errno, raised.value.filename) == (errno.ENOSPC, str(target))
    with pytest.raises(OSError, match="gone") as raised, os_errors_about(target, staging=staging):
        raise FileNotFoundError(errno.ENOENT, "gone", "/elsewhere")
    assert raised.value.filename == "/elsewhere"
    with pytest.raises(SafetensorError), os_errors_about(target, SafetensorError):
        raise SafetensorError("something else")


@pytest.mark.parametrize(
    ("problem", "said"),
    [
        (OSError(errno.EDQUOT, "quota", "/x/y"), "no room to write /x/y"),
        (PermissionError(errno.EACCES, "Permission denied", "/x"), "No permission for /x"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "Read-only file system"),
        (OSError(errno.EMFILE, "many", "/x"), "ulimit -n"),
        (OSError(errno.ENAMETOOLONG, "long", "/x"), "too long"),
        (OSError(errno.EIO, "Input/output error", "/x"), "cannot read or write /x: Input/output error"),
        (OSError("odd"), "odd"),
        (MemoryError(), "Memory ran out"),
    ],
)
def test_refusals_are_sentences(
    problem: OSError | MemoryError, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert said in explain_machine_error(problem)
    with pytest.raises(SystemExit) as end, endings():
        raise problem
    assert end.value.code == 5
    assert said in capsys.readouterr().err


def test_memory_that_pytorch_cannot_have(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as end, endings():
        torch.empty(2**60, dtype=torch.uint8)
    assert end.value.code == 5
    assert "Memory ran out" in capsys.readouterr().err
    with pytest.raises(RuntimeError, match="shape"), endings():
        torch.zeros(2).reshape(3)
