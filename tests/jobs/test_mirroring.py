"""The step that mirrors the merged view of a practice stick to a work folder."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from recovering import JOB, Models, Patient, copy

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.jobs import mirroring
from liveos_tui.jobs.events import OutputEvent, ProgressEvent
from liveos_tui.jobs.mirroring import copy_path, drop_mirror, mirror_view
from liveos_tui.jobs.order import Order, OrderKind, Workplace
from liveos_tui.jobs.work import Work
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.recognise import recognise
from liveos_tui.live.work_folders import why_not_work_folder
from liveos_tui.plans.actions import MirrorView
from liveos_tui.plans.reset import plan_reset
from liveos_tui.practice.builder import PracticeState
from liveos_tui.practice.views import UserSpaceJoiner
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.views import View
from liveos_tui.system.work_folder import WorkFolder, device_number

pytestmark = pytest.mark.real_tools


@dataclass
class Merging:
    """A stick in the middle of a merge: its view is joined."""

    stick: Patient
    work: Work
    view: View
    action: MirrorView

    @property
    def copy(self) -> Path:
        return Path(self.action.work) / f"liveos-tui-{JOB}-rootfs.img"

    def files(self) -> list[str]:
        return sorted(path.name for path in Path(self.action.work).iterdir())

    def lines(self) -> list[str]:
        return [event.text for event in self.stick.events if isinstance(event, OutputEvent)]


@pytest.fixture
def merging(models: Models, tmp_path: Path) -> Iterator[Merging]:
    stick = copy(models(PracticeState.NEARLY_FULL), tmp_path)
    folder = tmp_path / "work"
    folder.mkdir()
    found = recognise(stick.probes, str(stick.folder))
    with found.hold:
        plan = plan_reset(diagnose(stick.probes, found.site))
    joiner = UserSpaceJoiner(SystemRunner(), stick.scratch)
    workplace = Workplace(stick.probes, joiner, stick.scratch, stick.control, stick.events.append)
    with (
        Work(Order(OrderKind.START, JOB, plan), workplace) as work,
        StickFolder(stick.folder) as opened,
    ):
        work.use_stick(opened)
        with joiner.view(work.base(), work.store_path, JOB, read_only=True) as view:
            work.use_view(view)
            yield Merging(stick, work, view, MirrorView(str(folder)))


def test_the_copy_equals_the_view(merging: Merging) -> None:
    said = mirror_view(merging.work, merging.action)

    assert merging.copy == copy_path(merging.work, merging.action)
    assert merging.copy.read_bytes() == merging.view.read(0, merging.view.size_bytes)
    assert merging.copy.stat().st_mode & 0o777 == 0o600
    assert said.startswith("The view is mirrored, 40 MiB: its copy takes ")
    assert merging.files() == [merging.copy.name]


def test_progress_and_status_lines_are_told(merging: Merging) -> None:
    mirror_view(merging.work, merging.action)

    progress = [event for event in merging.stick.events if isinstance(event, ProgressEvent)]
    assert progress[-1].phase == "mirroring the view"
    assert progress[-1].fraction == 1.0
    assert merging.lines()[-1].startswith("0 81920 mirror 2 ")
    assert merging.lines()[-1].endswith("80/80 1 AA 1 core")


def test_status_lines_are_told_when_they_differ_and_not_too_often(merging: Merging) -> None:
    lines = mirroring._Lines(merging.work)
    for number in range(100):
        lines.told(f"line {number // 2}", last=False)
    lines.told("the last", last=True)
    lines.told("the last", last=True)
    assert merging.lines() == ["line 0", "the last"]


def test_a_cancelled_mirror_leaves_nothing(merging: Merging) -> None:
    merging.stick.control.cancel = lambda: True
    with pytest.raises(CancelledError):
        mirror_view(merging.work, merging.action)
    assert merging.files() == []


def test_a_copy_of_an_interrupted_run_is_made_anew(merging: Merging) -> None:
    merging.copy.write_bytes(b"half a copy")
    mirror_view(merging.work, merging.action)
    assert merging.copy.stat().st_size == merging.view.size_bytes


def test_a_folder_without_room_is_refused_before_anything_is_written(
    merging: Merging, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = WorkFolder(merging.action.work, "ext4", "8:1", 39 << 20)
    monkeypatch.setattr(mirroring, "work_folder", lambda _: folder)
    with pytest.raises(LiveosError, match="40 MiB are needed, 39 MiB are free there"):
        mirror_view(merging.work, merging.action)
    assert merging.files() == []


def test_the_running_systems_own_root_is_refused(
    merging: Merging, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = merging.work.plan
    merging.work.place = replace(plan.place, this_system=True)
    root = device_number(Path("/"))
    folder = WorkFolder(merging.action.work, "ext4", root, 1 << 40)
    monkeypatch.setattr(mirroring, "work_folder", lambda _: folder)
    assert why_not_work_folder(folder, 1) is None
    with pytest.raises(LiveosError, match="lies on the overlay itself"):
        mirror_view(merging.work, merging.action)
    assert merging.files() == []


def test_only_the_jobs_own_copy_is_dropped(merging: Merging) -> None:
    other = merging.copy.with_name("liveos-tui-20250101-000000-merge-rootfs.img")
    other.touch()
    mirror_view(merging.work, merging.action)

    assert "is removed" in drop_mirror(merging.work, merging.action)
    assert merging.files() == [other.name]
    assert drop_mirror(merging.work, merging.action) == "There was no copy."


def test_the_control_is_asked_all_the_time(merging: Merging) -> None:
    asked = []

    def cancelled() -> bool:
        asked.append(1)
        return False

    merging.stick.control.cancel = cancelled
    mirror_view(merging.work, merging.action)
    assert asked
