"""The program ends with its exit code, whatever its threads are waiting for."""

import os
import signal
import subprocess
import sys
import time

import pytest

pytestmark = pytest.mark.real_tools

_PROGRAM = """
import os, signal, sys, threading, time
from liveos_tui.system.supervisor import supervised
{work}
sys.exit(supervised(work))
"""


def start(work: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM.format(work=work)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(work: str) -> tuple[int, str, str]:
    process = start(work)
    out, err = process.communicate(timeout=30)
    return process.returncode, out, err


def test_the_exit_code_and_the_output_are_the_works() -> None:
    code, out, _ = run("def work():\n    print('said')\n    return 20")

    assert (code, out) == (20, "said\n")


def test_a_child_that_cannot_end_is_left_behind() -> None:
    # A stopped child does not end, as one does not that waits for a dead device. It has let go of
    # the pipes, so that nobody waits for it.
    began = time.monotonic()
    code, out, _ = run(
        "def work():\n"
        "    print(os.getpid(), flush=True)\n"
        "    os._exit = lambda code: os.kill(os.getpid(), signal.SIGSTOP)\n"
        "    return 3\n"
    )
    os.kill(int(out), signal.SIGKILL)

    assert code == 3
    assert time.monotonic() - began < 20


def test_an_exit_in_the_work_is_its_code() -> None:
    assert run("def work():\n    sys.exit(2)")[0] == 2


def test_what_was_printed_before_an_exit_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    # Into a pipe Python keeps the output back until it is flushed, unless it is told not to.
    monkeypatch.delenv("PYTHONUNBUFFERED", raising=False)

    assert run("def work():\n    print('help')\n    sys.exit(0)")[1] == "help\n"


def test_an_error_in_the_work_is_shown() -> None:
    code, _, err = run("def work():\n    raise RuntimeError('a mistake of ours')")

    assert code == 1
    assert "a mistake of ours" in err


def test_a_signal_that_kills_the_child_is_told() -> None:
    code, _, _ = run("def work():\n    os.kill(os.getpid(), signal.SIGSEGV)")

    assert code == -signal.SIGSEGV


def test_sigterm_reaches_the_work() -> None:
    process = start(
        "def work():\n"
        "    stop = threading.Event()\n"
        "    signal.signal(signal.SIGTERM, lambda *_: stop.set())\n"
        "    print('ready', flush=True)\n"
        "    stop.wait(30)\n"
        "    return 130\n"
    )
    assert process.stdout is not None
    process.stdout.readline()
    process.terminate()
    process.communicate(timeout=30)

    assert process.returncode == 130


def test_sigterm_right_after_the_start_reaches_the_work() -> None:
    # The parent stands after the fork, before it has a handler, until the signal is there.
    code, _, _ = run(
        "fork = os.fork\n"
        "def held():\n"
        "    child = fork()\n"
        "    while child and signal.SIGTERM not in signal.sigpending():\n"
        "        time.sleep(0.01)\n"
        "    return child\n"
        "os.fork = held\n"
        "def work():\n"
        "    stop = threading.Event()\n"
        "    signal.signal(signal.SIGTERM, lambda *_: stop.set())\n"
        "    os.kill(os.getppid(), signal.SIGTERM)\n"
        "    return 130 if stop.wait(20) else 1\n"
    )

    assert code == 130


def test_a_parent_that_is_killed_takes_the_work_with_it() -> None:
    process = start("def work():\n    print(os.getpid(), flush=True)\n    time.sleep(60)\n")
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.kill()

    # The pipe ends when the last process that holds it has ended.
    assert process.stdout.read() == ""
    process.communicate()
    assert child != process.pid
