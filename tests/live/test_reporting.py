"""`report`: shown first, saved only where it does no harm, and never over another file."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import layouts
import pytest
from machines import MachineBuilder

from liveos_tui.commands import reporting
from liveos_tui.commands.reporting import OwnRootError, report
from liveos_tui.errors import LiveosError
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans.model import Confirmation, Plan

PROGRAM = [sys.executable, "-m", "liveos_tui"]


def liveos_tui(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PROGRAM, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.real_tools
def test_without_a_terminal_it_is_only_shown_and_says_so(tmp_path: Path) -> None:
    found = liveos_tui("report", ".", folder=tmp_path)

    assert found.returncode == 0, found.stderr
    assert "is not a LiveOS" in found.stdout
    assert found.stderr == (
        "liveos-tui: Shown, not saved. To save the report: --yes [--output FILE].\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.real_tools
def test_yes_saves_it_for_its_owner_alone(tmp_path: Path) -> None:
    found = liveos_tui("report", ".", "--yes", folder=tmp_path)
    (saved,) = tmp_path.iterdir()

    assert found.returncode == 0, found.stderr
    assert saved.name in found.stdout
    assert "Versions" in saved.read_text()
    assert stat.S_IMODE(saved.stat().st_mode) == 0o600


@pytest.mark.real_tools
def test_a_file_that_is_there_is_left(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("mine")
    found = liveos_tui("report", ".", "--yes", "--output", "mine", folder=tmp_path)

    assert found.returncode == 2
    assert "File exists" in found.stderr
    assert (tmp_path / "mine").read_text() == "mine"


@pytest.mark.real_tools
def test_a_target_that_is_not_there_is_a_mistake_of_usage(tmp_path: Path) -> None:
    assert liveos_tui("report", "/nowhere", folder=tmp_path).returncode == 2


def test_a_file_on_the_running_overlay_is_refused(machine: MachineBuilder, tmp_path: Path) -> None:
    layouts.fedora_30(machine)

    with pytest.raises(OwnRootError, match="overlay"):
        report("live", str(tmp_path / "report.txt"), yes=True, probes=machine.probes())
    assert not (tmp_path / "report.txt").exists()


def test_by_itself_it_takes_no_folder_on_the_running_overlay(
    machine: MachineBuilder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    layouts.fedora_30(machine)
    memory = tmp_path / "memory"
    memory.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(memory))
    numbers = {str(memory): "0:25"}
    monkeypatch.setattr(reporting, "device_number", lambda path: numbers.get(str(path), "254:0"))
    saved: list[Path] = []
    monkeypatch.setattr(reporting, "save_new", lambda path, _: saved.append(path))

    assert report("live", None, yes=True, probes=machine.probes()) == 0
    assert [path.parent for path in saved] == [memory]


def test_a_user_who_may_write_nowhere_is_told_so_and_how_to_save_it(
    machine: MachineBuilder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)

    with pytest.raises(LiveosError, match="neither in this folder nor in /run") as refused:
        report("live", None, yes=True, probes=machine.probes())
    assert refused.value.hint.startswith("It was not saved. Name a file elsewhere with --output")


@pytest.mark.parametrize(
    ("answer", "code", "count"), [("yes", 0, 1), ("no", 130, 0), (None, 130, 0)]
)
def test_at_a_terminal_it_is_shown_then_asked_for(
    machine: MachineBuilder,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    answer: str | None,
    code: int,
    count: int,
) -> None:
    monkeypatch.setattr(reporting, "can_ask", lambda: True)
    monkeypatch.setenv("LINES", "1000")
    shown: list[str] = []

    def asked(question: str) -> str | None:
        shown.append(capsys.readouterr().out)
        assert "yes to save it" in question
        return answer

    monkeypatch.setattr(reporting, "ask", asked)
    saved = tmp_path / "report.txt"

    assert report("live", str(saved), yes=False, probes=machine.probes()) == code
    assert "not booted from a LiveOS" in shown[0]
    assert [path.read_text() for path in tmp_path.glob("*.txt")] == shown * count


def job(job_id: str, target: str, *, on_target: bool) -> Job:
    place = Place(target=target, name="STICK", overlay="LiveOS/overlay-STICK-0BAD-F00D")
    plan = Plan(Operation.RESET, place, f"Reset {job_id}", (), Confirmation.ENTER)
    return Job(job_id, plan, JobState.DONE, 1000.0, on_target=on_target)


@pytest.mark.parametrize(
    ("booted", "told"),
    [(True, ["Reset mine"]), (False, ["Reset mine-too"])],
    ids=["of the stick", "of a stick that cannot be looked at, by its name"],
)
def test_it_has_the_jobs_of_its_stick_alone(
    machine: MachineBuilder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    booted: bool,
    told: list[str],
) -> None:
    if booted:
        layouts.fedora_30(machine)
    found = (
        job("mine", "/dev/sdb1", on_target=booted),
        job("mine-too", "live", on_target=False),
        job("others", "/dev/sdc1", on_target=False),
    )
    monkeypatch.setattr(LocalWorkshop, "jobs", lambda *_: found)

    report("live", None, yes=False, probes=machine.probes())

    said = capsys.readouterr().out
    assert [line.strip() for line in said.splitlines() if "  Reset " in line] == told
    assert "2 of other sticks are left out" in said


@pytest.mark.real_tools
def test_the_name_of_a_folder_is_nobodys_business(tmp_path: Path) -> None:
    (tmp_path / "summer-of-alice").mkdir()
    found = liveos_tui("report", "summer-of-alice", folder=tmp_path)

    assert "is not a LiveOS" in found.stdout
    assert "alice" not in found.stdout
