"""What is started detached goes on; what does not start is told in one sentence."""

import os
import sys
from pathlib import Path

import pytest

from liveos_tui.errors import LiveosError
from liveos_tui.system import inhibitor, runner, session
from liveos_tui.system.inhibitor import no_sleep
from liveos_tui.system.session import service_command, start_detached

pytestmark = pytest.mark.real_tools


class Tools:
    """Programs in the place of systemd's. `record` is what was done, a line each."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self.record = folder / "record"
        self.record.touch()
        path = f"{folder}:{runner.SEARCH_PATH}"
        for module in (runner, session, inhibitor):
            monkeypatch.setattr(module, "SEARCH_PATH", path)
        monkeypatch.setattr(session, "_SYSTEMD_RUNS", folder)
        monkeypatch.setattr(inhibitor, "_LOGIND_RUNS", folder)
        monkeypatch.setattr(os, "geteuid", lambda: 0)

    def make(self, name: str, script: str) -> None:
        program = self._folder / name
        program.write_text(f"#!/bin/sh\nrecord='{self.record}'\n{script}\n")
        program.chmod(0o755)

    @property
    def lines(self) -> list[str]:
        return self.record.read_text().splitlines()


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    return Tools(tmp_path, monkeypatch)


def start(tmp_path: Path, *argv: str) -> None:
    start_detached(
        argv,
        unit="liveos-tui-x",
        environment={"WORD": "a value"},
        log=tmp_path / "log",
        arrived=(tmp_path / "arrived").exists,
        patience=30,
    )


def arriving(tmp_path: Path) -> tuple[str, ...]:
    new, arrived = tmp_path / "new", tmp_path / "arrived"
    return ("/bin/sh", "-c", f"echo \"$WORD\" > '{new}'; mv '{new}' '{arrived}'")


def test_a_service_gets_its_environment_and_leaves_its_tools_to_the_worker() -> None:
    command = service_command(["prog", "x"], "name", {"A": "b c"}, Path("/run/log"))

    assert command[0] == "systemd-run"
    assert "--setenv=A=b c" in command
    assert "--property=KillMode=mixed" in command
    assert command[-3:] == ["--", "prog", "x"]


def test_where_systemd_runs_it_starts_the_program(tools: Tools, tmp_path: Path) -> None:
    tools.make(
        "systemd-run",
        'for word; do case "$word" in --setenv=WORD=*) WORD="${word#--setenv=WORD=}";; esac; done\n'
        'export WORD\necho service >> "$record"\n'
        'while [ "$1" != -- ]; do shift; done; shift; "$@" &',
    )
    start(tmp_path, *arriving(tmp_path))

    assert tools.lines == ["service"]
    assert (tmp_path / "arrived").read_text() == "a value\n"


def test_a_systemd_that_fails_does_not_keep_the_work(tools: Tools, tmp_path: Path) -> None:
    tools.make("systemd-run", 'echo tried >> "$record"; exit 1')
    start(tmp_path, *arriving(tmp_path))

    assert tools.lines == ["tried"]
    assert (tmp_path / "arrived").read_text() == "a value\n"


def test_elsewhere_it_gets_a_session_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_SYSTEMD_RUNS", tmp_path / "not there")
    program = "import os, sys; open(sys.argv[1], 'w').write(str(os.getsid(0) == os.getpid()))"
    start_detached(
        [sys.executable, "-c", program, str(tmp_path / "arrived")],
        unit="x",
        environment={},
        log=tmp_path / "log",
        arrived=lambda: (
            (tmp_path / "arrived").exists() and bool((tmp_path / "arrived").read_text())
        ),
    )

    assert (tmp_path / "arrived").read_text() == "True"


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("/bin/sh", "-c", "echo one; echo the last words. >&2; exit 3"), "the last words."),
        (("/bin/sh", "-c", "printf '\\033[2J'; exit 3"), r"\x1b[2J"),
        (("/bin/true",), "it said nothing"),
        (("/nowhere",), "No such file or directory"),
    ],
)
def test_what_does_not_start_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...], words: str
) -> None:
    monkeypatch.setattr(session, "_SYSTEMD_RUNS", tmp_path / "not there")
    with pytest.raises(LiveosError) as caught:
        start(tmp_path, *argv)

    assert words in caught.value.message
    assert "\x1b" not in caught.value.message
    assert caught.value.hint


def test_what_does_not_arrive_in_time_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_SYSTEMD_RUNS", tmp_path / "not there")
    with pytest.raises(LiveosError, match="did not start"):
        start_detached(
            ["/bin/sleep", "1"],
            unit="x",
            environment={},
            log=tmp_path / "log",
            arrived=lambda: False,
            patience=0.1,
        )


def test_the_machine_is_kept_awake_until_the_work_is_done(tools: Tools) -> None:
    tools.make(
        "systemd-inhibit",
        'for word; do echo "$word" >> "$record"; done; cat; echo "let go" >> "$record"',
    )
    with no_sleep("Recover the overlay"):
        pass

    assert "--what=sleep:shutdown" in tools.lines
    assert "--why=Recover the overlay" in tools.lines
    assert "--mode=block" in tools.lines
    assert tools.lines[-1] == "let go"


def test_without_an_inhibitor_the_work_goes_on(tools: Tools) -> None:
    tools.make("systemd-inhibit", "exit 1")
    with no_sleep("why"):
        done = True

    assert done


def test_a_lock_that_does_not_end_is_ended(tools: Tools, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inhibitor, "_END_SECONDS", 0.1)
    tools.make("systemd-inhibit", "exec sleep 600")
    with no_sleep("why"):
        done = True

    assert done
