import io
import sys
import time

import pytest

from amodal import parallel
from amodal.parallel import in_parallel


def test_results_come_in_the_order_of_the_items() -> None:
    def late_first(item: int) -> int:
        time.sleep(0.05 if item == 0 else 0)
        return item * item

    assert list(in_parallel(late_first, range(20), label="x", workers=4)) == [n * n for n in range(20)]
    assert list(in_parallel(late_first, [], label="x")) == []


def test_an_error_stops_the_rest() -> None:
    done: list[int] = []

    def fail_at_two(item: int) -> None:
        if item == 2:
            raise ValueError("two")
        done.append(item)
        time.sleep(0.01)

    with pytest.raises(ValueError, match="two"):
        list(in_parallel(fail_at_two, range(1000), label="x", workers=1))
    assert len(done) < 100


def test_who_stops_listening_stops_the_work() -> None:
    done: list[int] = []

    def work(item: int) -> None:
        done.append(item)
        time.sleep(0.01)

    results = in_parallel(work, range(1000), label="x", workers=1)
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert len(done) < 100


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("slow", "shown"), [(0.0, True), (60.0, False)])
def test_a_bar_is_shown_on_a_terminal_when_it_takes_long(
    monkeypatch: pytest.MonkeyPatch, slow: float, shown: bool
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(parallel, "BAR_DELAY", slow)
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    list(in_parallel(lambda item: time.sleep(0.02), range(10), label="Preparing"))
    assert ("Preparing" in terminal.getvalue()) == shown


def test_no_bar_where_nobody_looks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(parallel, "BAR_DELAY", 0.0)
    list(in_parallel(lambda item: time.sleep(0.01), range(5), label="Preparing"))
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""
