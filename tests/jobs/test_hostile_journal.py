"""A journal on a stick that was made to harm: what a job that goes on by it must not do.

Root goes on with jobs of sticks that others have made. Whatever the journal says, nothing outside
the stick is read, written or removed, and no device of its choice is used.
"""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from merging_work import working
from recovering import JOB, Models, Patient, copy, hashes

from liveos_tui.errors import FormatError, LiveosError
from liveos_tui.jobs import live_merging
from liveos_tui.jobs.events import JobState, StepState
from liveos_tui.jobs.folder import JobFolder, JobFolders
from liveos_tui.jobs.forgetting import forget
from liveos_tui.jobs.journal import JOURNAL_NAME, Journal, journals, parse, read
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.order import OrderKind
from liveos_tui.live.contents import JOBS_FOLDER
from liveos_tui.plans.actions import (
    Action,
    Engine,
    ExchangeImages,
    FreezeRoot,
    MakeImage,
    MirrorView,
    SetAside,
    SwitchRoot,
    ThawRoot,
)
from liveos_tui.plans.model import Plan
from liveos_tui.practice.builder import OVERLAY_NAME, PracticeState
from liveos_tui.system.files import Folder
from liveos_tui.system.probes import Probes
from liveos_tui.system.stick_writing import StickFolder

pytestmark = pytest.mark.real_tools

IMAGE = "LiveOS/squashfs.img"
OVERLAY = f"LiveOS/{OVERLAY_NAME}"
SECRET = b"what root alone may read" * 4096


@pytest.fixture
def stick(models: Models, tmp_path: Path) -> Patient:
    return copy(models(PracticeState.HEALTHY), tmp_path)


def journal(stick: Patient, plan: Plan, *lines: dict[str, Any]) -> Path:
    """A journal of this plan, its first step done, with more lines behind."""
    with StickFolder(stick.folder) as folder, Journal.begin(folder, JOB, plan, 0.0) as written:
        written.step(0, StepState.DONE)
    path = stick.folder / JOBS_FOLDER / JOB / JOURNAL_NAME
    with path.open("ab") as file:
        file.writelines(json.dumps(line).encode() + b"\n" for line in lines)
    return path


def with_action(plan: Plan, action: Action) -> Plan:
    """The plan with this action in the place of the one of its kind, or of its second step."""
    kinds = [type(step.action) for step in plan.steps]
    at = kinds.index(type(action)) if type(action) in kinds else 1
    step = replace(plan.steps[at], action=action)
    return replace(plan, steps=(*plan.steps[:at], step, *plan.steps[at + 1 :]))


# What the plan names.


@pytest.mark.parametrize("outside", ["a file", "a device", "a FIFO"])
def test_an_image_that_leads_out_of_the_stick_is_not_read(
    stick: Patient, tmp_path: Path, outside: str
) -> None:
    plan = stick.merge_plan()
    path = stick.folder / IMAGE
    path.unlink()
    if outside == "a FIFO":
        os.mkfifo(path)
    else:
        (tmp_path / "secret").write_bytes(SECRET)
        path.symlink_to("/dev/zero" if outside == "a device" else tmp_path / "secret")
    plan = replace(plan, place=replace(plan.place, base=None))
    journal(stick, plan)
    end = stick.carry(plan, OrderKind.RESUME)

    assert end.state is JobState.FAILED
    assert "link" in end.message or "not a regular file" in end.message
    assert not any(SECRET[:24] in path.read_bytes() for path in stick.folder.rglob("*.alt"))


def test_a_folder_that_is_a_link_out_of_the_stick_is_not_entered(
    stick: Patient, tmp_path: Path
) -> None:
    plan = stick.merge_plan()
    (stick.folder / "LiveOS").rename(tmp_path / "elsewhere")
    (stick.folder / "LiveOS").symlink_to(tmp_path / "elsewhere")
    before = hashes(tmp_path / "elsewhere")
    journal(stick, plan)
    end = stick.carry(plan, OrderKind.RESUME)

    assert end.state is JobState.FAILED
    assert hashes(tmp_path / "elsewhere") == before


HARMFUL: dict[str, Callable[[MakeImage], Action]] = {
    "a new image with the overlay's name": lambda make: replace(make, beside=OVERLAY),
    "a new image with the image's name": lambda make: replace(make, beside=IMAGE),
    "a new image with any other name": lambda make: replace(make, beside="LiveOS/home.img"),
    "an exchange of the image and the overlay": lambda _: ExchangeImages(IMAGE, OVERLAY),
    "an exchange of other files": lambda _: ExchangeImages("LiveOS/home.img", OVERLAY),
    "the overlay set aside": lambda _: SetAside(OVERLAY),
    "a second overlay with the image's name": lambda _: SwitchRoot("live-rw", IMAGE, 4096),
    "a second overlay elsewhere": lambda _: SwitchRoot("live-rw", "EFI/x.alt", 4096),
    "a second overlay without a size": lambda _: SwitchRoot("live-rw", f"{OVERLAY}.alt", 0),
    "a scratch store without a size": lambda _: FreezeRoot("live-rw", -1),
}


@pytest.mark.parametrize("name", HARMFUL)
def test_a_plan_that_would_remove_what_is_no_jobs_is_none(stick: Patient, name: str) -> None:
    plan = stick.merge_plan()
    make = next(step.action for step in plan.steps if isinstance(step.action, MakeImage))
    path = journal(stick, with_action(plan, HARMFUL[name](make)))

    with pytest.raises(FormatError, match="no plan of liveos-tui"):
        parse(path.read_bytes())


def test_forgetting_by_a_harmful_journal_removes_nothing(stick: Patient) -> None:
    plan = with_action(stick.merge_plan(), SwitchRoot("live-rw", IMAGE, 4096))
    journal(stick, plan, {"end": JobState.LEFT, "message": "It was left as it is."})
    before = hashes(stick.folder / "LiveOS")

    with StickFolder(stick.folder) as folder, pytest.raises(LiveosError):
        forget(folder, read(folder, JOB))

    assert hashes(stick.folder / "LiveOS") == before


def test_the_plan_s_device_is_not_the_one_that_is_worked_on(
    stick: Patient, shop: LocalWorkshop, started: list[JobFolder]
) -> None:
    """The stick is where the person has it at this moment, whatever the journal calls it."""
    plan = stick.merge_plan()
    elsewhere = replace(
        plan.place,
        target="/dev/sda",
        device="/dev/sda",
        number="8:0",
        mount_point="/etc",
        this_system=True,
    )
    journal(stick, replace(plan, place=elsewhere))
    shop.resume(JOB, str(stick.folder))
    place = started[0].order().plan.place

    assert (place.target, place.mount_point) == (str(stick.folder),) * 2
    assert (place.device, place.number, place.this_system) == (None, None, False)


@pytest.fixture
def started() -> list[JobFolder]:
    """The jobs for which a worker was to be started."""
    return []


@pytest.fixture
def shop(tmp_path: Path, started: list[JobFolder]) -> LocalWorkshop:
    folders = JobFolders(Probes(), tmp_path / "jobs")
    return LocalWorkshop(Probes(privileged=False), folders=folders, starter=started.append)


ELSEWHERE: tuple[Action, ...] = (
    MirrorView("/etc/cron.d"),
    MakeImage("LiveOS/squashfs.alt", Engine.STREAM, apart="/etc/cron.d"),
    FreezeRoot("live-rw", 1 << 20, "/etc/cron.d"),
)


@pytest.mark.parametrize("action", ELSEWHERE, ids=lambda action: type(action).__name__)
def test_a_folder_of_the_machine_is_written_to_only_where_it_was_named_here(
    stick: Patient, shop: LocalWorkshop, started: list[JobFolder], tmp_path: Path, action: Action
) -> None:
    journal(stick, with_action(stick.merge_plan(), action))

    with pytest.raises(LiveosError, match=r"outside of the stick, too: in /etc/cron\.d"):
        shop.resume(JOB, str(stick.folder))
    assert started == []
    shop.resume(JOB, str(stick.folder), str(tmp_path / "named"))
    assert started[0].order().work == str(tmp_path / "named")
    # It was named in this boot, and that one is meant; what the stick has come back with was not.
    shop.resume(JOB, str(stick.folder))
    assert started[1].order().work == str(tmp_path / "named")
    path = stick.folder / JOBS_FOLDER / JOB / JOURNAL_NAME
    path.write_bytes(path.read_bytes().replace(b"/etc/cron.d", b"/etc/udev"))
    with pytest.raises(LiveosError, match="outside of the stick, too: in /etc/udev"):
        shop.resume(JOB, str(stick.folder))


def test_thawing_touches_no_device_that_is_not_the_job_s(
    stick: Patient, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Control:
        """A kernel without a device of the job; all but looking is not there."""

        def info(self, name: str) -> None:
            return None

    monkeypatch.setattr(live_merging, "_control", lambda _: Control())
    with working(stick) as work:
        told = live_merging.thaw_root(work, ThawRoot("somebody-elses-disk"))

    assert told == "The root uses its own overlay."


# What the journal holds.


def test_a_time_that_no_calendar_knows_is_none(stick: Patient) -> None:
    path = journal(stick, stick.merge_plan())
    first, *rest = path.read_bytes().split(b"\n")
    for moment in ("1e999", "NaN", "-1", "1" * 400, "1e300", "true", '"now"'):
        document = json.loads(first)
        document["started"] = "STARTED"
        line = json.dumps(document).replace('"STARTED"', moment)
        state = parse(b"\n".join([line.encode(), *rest]))
        assert 0 <= state.started <= 1 << 33, moment


def test_journals_without_end_take_bounded_memory(stick: Patient) -> None:
    path = journal(stick, stick.merge_plan())
    data = path.read_bytes()
    note = {"step": 1, "note": {"a": [[]] * 200_000}}
    data += json.dumps(note, separators=(",", ":")).encode() + b"\n"
    for number in range(20):
        folder = stick.folder / JOBS_FOLDER / f"job-{number:02}"
        folder.mkdir()
        (folder / JOURNAL_NAME).write_bytes(data.replace(JOB.encode(), f"job-{number:02}".encode()))

    assert 5 < len(journals(Folder(stick.folder))) < 18


def test_a_journal_that_never_answers_is_passed_over(stick: Patient) -> None:
    path = journal(stick, stick.merge_plan())
    path.unlink()
    os.mkfifo(path)

    assert journals(Folder(stick.folder)) == ()


_NUMBERS = {"marks": [["unhashable"], {}], "sector": 7, "bytes": -1, "saved": 5, "old": 5}
_TEXTS = {"marks": "text", "sector": "no hexadecimals", "saved": "../../etc/passwd", "begun": []}
NOTES = (
    {**_NUMBERS, "sha256": [], "sha256_old": {}},
    {**_TEXTS, "bytes": 1 << 70, "after": {}, "old": {"bytes": {}}, "new": 5},
)


@pytest.mark.parametrize("note", NOTES)
@pytest.mark.parametrize("kind", [OrderKind.RESUME, OrderKind.ROLL_BACK])
def test_notes_that_make_no_sense_are_an_error_or_nothing(
    stick: Patient, note: dict[str, Any], kind: OrderKind
) -> None:
    plan = stick.merge_plan()
    lines = [{"step": n, "note": note} for n in range(len(plan.steps))]
    journal(stick, plan, *lines, {"step": len(plan.steps) - 1, "state": "running"})
    stick.carry(plan, kind)

    assert (stick.folder / IMAGE).stat().st_size > 0
    assert (stick.folder / OVERLAY).stat().st_size < 1 << 30
