from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from amodal.cli.exit_codes import exit_on_error
from amodal.interrupts import Terminated, handle_signals, signals_as_exceptions

SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_command_with_its_code(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        with signals_as_exceptions(), exit_on_error():
            os.kill(os.getpid(), number)
            raise AssertionError("it went on")

    before = signal.getsignal(number)
    with pytest.raises(SystemExit) as end:
        command()
    assert end.value.code == 128 + number
    assert capsys.readouterr().err == "Interrupted.\n"
    assert signal.getsignal(number) == before


def test_the_first_signal_is_handled_and_the_second_as_before() -> None:
    seen: list[int] = []

    def two_signals() -> None:
        with signals_as_exceptions(), handle_signals(seen.append):
            os.kill(os.getpid(), signal.SIGTERM)
            assert seen == [signal.SIGTERM]
            os.kill(os.getpid(), signal.SIGHUP)

    with pytest.raises(Terminated) as stop:
        two_signals()
    assert stop.value.number == signal.SIGHUP
    code = """
import os, signal
from amodal.interrupts import signals_as_exceptions
with signals_as_exceptions():
    try:
        os.kill(os.getpid(), signal.SIGTERM)
    finally:
        os.kill(os.getpid(), signal.SIGTERM)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -signal.SIGTERM


def test_what_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with signals_as_exceptions():
            os.kill(os.getpid(), signal.SIGHUP)
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_other_threads_are_left_alone() -> None:
    done = []

    def work() -> None:
        with signals_as_exceptions():
            done.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [before]
