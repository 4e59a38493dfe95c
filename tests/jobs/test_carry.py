"""Recovery from its first step to its last, on real files: what it writes, and how it is undone."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

import pytest
from recovering import (
    JOB,
    MIB,
    CutError,
    FakeControl,
    Models,
    Patient,
    copy,
    hashes,
    power_cut,
    step_of,
)

from liveos_tui.formats.cow import CowSummary, iterate_exceptions, summarise
from liveos_tui.jobs.events import FoundEvent, JobState, StepEvent, StepState, WaitingEvent
from liveos_tui.jobs.journal import read
from liveos_tui.jobs.order import OrderKind
from liveos_tui.plans.actions import GrowFile, Rehearse, Repair, SetValid
from liveos_tui.practice.builder import PracticeState
from liveos_tui.system import runner
from liveos_tui.system.files import Folder
from liveos_tui.system.stick_writing import StickFolder
from liveos_tui.system.writable_file import NoRoomError, WritableFile

pytestmark = pytest.mark.real_tools

ILL = (PracticeState.INVALID, PracticeState.OVERFLOW)


@pytest.fixture(params=ILL)
def patient(models: Models, tmp_path: Path, request: pytest.FixtureRequest) -> Patient:
    return copy(models(request.param), tmp_path)


@pytest.fixture
def invalid(models: Models, tmp_path: Path) -> Patient:
    return copy(models(PracticeState.INVALID), tmp_path)


def summary(patient: Patient) -> CowSummary:
    data = patient.store.read_bytes()
    return summarise(lambda offset, size: data[offset : offset + size], len(data))


def is_well(patient: Patient) -> bool:
    """Valid, with room, and e2fsck finds nothing in what base and store make together."""
    found = summary(patient)
    if not found.valid or found.full or found.damage:
        return False
    plan = patient.plan(rehearse=True)
    patient.events.clear()
    end = patient.carry(plan)
    told = " ".join(event.text for event in patient.events if isinstance(event, StepEvent))
    return end.state is JobState.DONE and "0 problems" not in told and "is sound" in told


def test_a_recovery_brings_the_overlay_back(patient: Patient) -> None:
    plan = patient.plan()
    end = patient.carry(plan)

    assert (end.state, end.message) == (JobState.DONE, "The overlay of PRACTICE is recovered.")
    assert patient.done() == list(range(len(plan.steps)))
    assert is_well(patient)


def test_the_report_says_what_came_back_and_what_was_lost(invalid: Patient) -> None:
    report = " ".join(invalid.carry(invalid.plan()).report)

    assert "files differ from the image" in report
    assert "/lost+found" in report


def test_a_rehearsal_writes_not_one_byte(patient: Patient) -> None:
    before = hashes(patient.folder)
    end = patient.carry(patient.plan(rehearse=True))
    told = [event.text for event in patient.events if isinstance(event, FoundEvent)]

    assert end.state is JobState.DONE
    assert hashes(patient.folder) == before
    assert any("differ from the image" in text for text in told)


def test_rolling_back_gives_the_exact_bytes(patient: Patient) -> None:
    before = patient.store.read_bytes()
    plan = patient.plan()
    patient.carry(plan)
    assert patient.store.read_bytes() != before

    end = patient.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.ROLLED_BACK
    assert patient.store.read_bytes() == before
    assert read(Folder(patient.folder), JOB).state is JobState.ROLLED_BACK


def test_what_was_rolled_back_can_be_recovered_anew(invalid: Patient) -> None:
    plan = invalid.plan()
    invalid.carry(plan)
    invalid.carry(plan, OrderKind.ROLL_BACK)

    assert invalid.carry(plan, OrderKind.RESUME).state is JobState.DONE
    assert is_well(invalid)


@pytest.fixture(scope="module")
def writes(models: Models, tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many writes a whole recovery takes."""
    patient = copy(models(PracticeState.INVALID), tmp_path_factory.mktemp("counted"))
    with power_cut(10**9) as done:
        patient.carry(patient.plan())
    return len(done)


# Spread over the whole job; `make vm-cuts` does it in a real machine, with a real power cut.
PARTS = (0.1, 0.3, 0.5, 0.65, 0.8, 0.9, 0.97, 0.985)


@pytest.mark.parametrize(
    ("part", "kind"),
    [(p, OrderKind.RESUME) for p in PARTS] + [(p, OrderKind.ROLL_BACK) for p in PARTS[2::2]],
)
def test_after_a_cut_it_goes_on_or_back(
    invalid: Patient, writes: int, part: float, kind: OrderKind
) -> None:
    before = invalid.store.read_bytes()
    plan = invalid.plan()
    with power_cut(int(writes * part)), pytest.raises(CutError):
        invalid.carry(plan)
    state = read(Folder(invalid.folder), JOB)
    assert state.state is JobState.INTERRUPTED

    end = invalid.carry(plan, kind)

    if kind is OrderKind.RESUME:
        assert end.state is JobState.DONE, end
        assert is_well(invalid)
        assert invalid.carry(plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK
    assert invalid.store.read_bytes() == before


def test_a_second_cut_while_it_goes_back_is_no_harm(invalid: Patient, writes: int) -> None:
    before = invalid.store.read_bytes()
    plan = invalid.plan()
    invalid.carry(plan)
    for after in (1, 10, 30):
        with power_cut(after), pytest.raises(CutError):
            invalid.carry(plan, OrderKind.ROLL_BACK)

    assert invalid.carry(plan, OrderKind.ROLL_BACK).state is JobState.ROLLED_BACK
    assert invalid.store.read_bytes() == before


def test_it_waits_before_a_step_that_is_not_allowed_yet(invalid: Patient) -> None:
    plan = invalid.plan()
    invalid.control.steps = 2

    def allow_all(control: object) -> None:
        assert invalid.done() == [0, 1]
        invalid.control.steps = None

    invalid.control.on_wait = allow_all

    assert invalid.carry(plan).state is JobState.DONE
    assert [e.step for e in invalid.events if isinstance(e, WaitingEvent)] == [2]


def test_a_step_is_taken_back_while_it_waits(invalid: Patient) -> None:
    plan = invalid.plan()
    grow = step_of(plan, GrowFile)
    size = invalid.store.stat().st_size
    invalid.control.steps = grow + 1

    def back(control: object) -> None:
        if invalid.control.waited == 1:
            assert invalid.store.stat().st_size > size
            invalid.control.backs = 1
            invalid.control.steps = grow
        else:
            assert invalid.store.stat().st_size == size
            invalid.control.steps = None

    invalid.control.on_wait = back

    assert invalid.carry(plan).state is JobState.DONE
    assert is_well(invalid)


def test_a_repair_is_taken_back_and_done_again(invalid: Patient) -> None:
    plan = invalid.plan()
    repair = step_of(plan, Repair)
    invalid.control.steps = repair + 1

    def back(control: object) -> None:
        invalid.control.backs = 1 if invalid.control.waited == 1 else 0
        invalid.control.steps = repair if invalid.control.waited == 1 else None

    invalid.control.on_wait = back

    assert invalid.carry(plan).state is JobState.DONE
    assert is_well(invalid)


def test_cancelled_in_the_rehearsal_nothing_was_written(invalid: Patient) -> None:
    before = hashes(invalid.folder)
    plan = invalid.plan()
    rehearsal = step_of(plan, Rehearse)
    running = StepEvent(rehearsal, StepState.RUNNING)
    invalid.control.cancel = lambda: running in invalid.events
    end = invalid.carry(plan)

    assert end.state is JobState.CANCELLED
    assert "Nothing was written" in end.hint
    assert hashes(invalid.folder) == before


def test_cancelled_while_it_grows_the_file_has_its_old_size(invalid: Patient) -> None:
    before = invalid.store.read_bytes()
    plan = invalid.plan()
    running = StepEvent(step_of(plan, GrowFile), StepState.RUNNING)
    invalid.control.cancel = lambda: running in invalid.events
    end = invalid.carry(plan)

    assert end.state is JobState.CANCELLED
    assert "go back" in end.hint
    assert invalid.store.read_bytes() == before
    invalid.control.cancel = lambda: False
    assert invalid.carry(plan, OrderKind.RESUME).state is JobState.DONE


def test_a_stick_that_is_full_before_the_file_has_grown_gives_it_back(invalid: Patient) -> None:
    before = invalid.store.read_bytes()
    plan = invalid.plan()
    original = WritableFile.write

    def full(self: WritableFile, offset: int, data: bytes) -> None:
        if self.name.startswith("LiveOS/") and offset > len(before) + MIB:
            raise NoRoomError("The overlay could not be written: No space left on device.")
        original(self, offset, data)

    with patch.object(WritableFile, "write", full):
        end = invalid.carry(plan)

    assert end.state is JobState.FAILED
    assert "No space left" in end.message
    assert invalid.store.read_bytes() == before
    assert invalid.carry(plan, OrderKind.RESUME).state is JobState.DONE


def test_a_file_that_was_cut_between_two_runs_is_grown_again(invalid: Patient) -> None:
    plan = invalid.plan()
    invalid.control.steps = step_of(plan, GrowFile) + 2
    invalid.control.on_wait = lambda control: setattr(control, "cancel", lambda: True)
    invalid.carry(plan)
    grown = invalid.store.stat().st_size
    with invalid.store.open("r+b") as file:
        file.truncate(grown - MIB)
    invalid.control = FakeControl()

    assert invalid.carry(plan, OrderKind.RESUME).state is JobState.DONE
    assert invalid.store.stat().st_size == grown
    assert is_well(invalid)


def test_another_job_on_the_stick_is_refused(invalid: Patient) -> None:
    before = hashes(invalid.folder)
    plan = invalid.plan()
    with StickFolder(invalid.folder) as other:
        other.lock("LiveOS")
        end = invalid.carry(plan)

    assert end.state is JobState.FAILED
    assert "Another job" in end.message
    assert hashes(invalid.folder) == before


def test_an_overlay_that_has_changed_since_is_refused(invalid: Patient) -> None:
    plan = invalid.plan()
    with invalid.store.open("ab") as file:
        file.write(bytes(4096))
    before = hashes(invalid.folder)
    end = invalid.carry(plan)

    assert "has changed since" in end.message
    assert hashes(invalid.folder) == before


def test_a_job_that_was_not_ended_comes_first(invalid: Patient) -> None:
    plan = invalid.plan()
    with power_cut(20), pytest.raises(CutError):
        invalid.carry(plan)
    (invalid.folder / "liveos-tui-jobs" / JOB).rename(
        invalid.folder / "liveos-tui-jobs" / "earlier"
    )
    journal = invalid.folder / "liveos-tui-jobs/earlier/journal.jsonl"
    journal.write_bytes(journal.read_bytes().replace(JOB.encode(), b"earlier"))
    end = invalid.carry(invalid.plan())

    assert "was not ended" in end.message
    assert "(earlier)" in end.message


def test_too_little_growth_is_told_before_anything_is_written(invalid: Patient) -> None:
    before = invalid.store.read_bytes()
    plan = invalid.plan()
    grow = step_of(plan, GrowFile)
    steps = list(plan.steps)
    action = steps[grow].action
    assert isinstance(action, GrowFile)
    steps[grow] = replace(steps[grow], action=GrowFile(action.from_bytes, action.from_bytes))
    end = invalid.carry(replace(plan, steps=tuple(steps)))

    assert end.state is JobState.FAILED
    assert "needs" in end.message
    assert invalid.store.read_bytes() == before


def test_an_overlay_that_was_used_since_is_not_rolled_back(invalid: Patient) -> None:
    plan = invalid.plan()
    invalid.carry(plan)
    use(invalid)
    used = invalid.store.read_bytes()
    end = invalid.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.FAILED
    assert "was used since" in end.message
    assert invalid.store.read_bytes() == used


def test_an_overlay_that_was_exchanged_is_not_rolled_back(invalid: Patient, models: Models) -> None:
    plan = invalid.plan()
    invalid.carry(plan)
    other = models(PracticeState.OVERFLOW) / "LiveOS" / invalid.store.name
    shutil.copy(other, invalid.store)
    end = invalid.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.FAILED
    assert "not as this job has left it" in end.message
    assert invalid.store.read_bytes() == other.read_bytes()


def test_an_overlay_that_is_exchanged_while_the_job_waits_is_not_written(
    invalid: Patient, models: Models
) -> None:
    other = (models(PracticeState.OVERFLOW) / "LiveOS" / invalid.store.name).read_bytes()
    plan = invalid.plan()
    invalid.control.steps = step_of(plan, GrowFile)

    def exchange(control: FakeControl) -> None:
        invalid.store.rename(invalid.folder / "kept")
        invalid.store.write_bytes(other)
        control.steps = None

    invalid.control.on_wait = exchange
    end = invalid.carry(plan)

    assert end.state is JobState.FAILED
    assert "exchanged while the job ran" in end.message
    assert invalid.store.read_bytes() == other


def use(patient: Patient) -> None:
    """Set the time of the last mount in the superblock, as every mount for writing does."""
    found = summary(patient)
    data = bytearray(patient.store.read_bytes())
    place = dict(iterate_exceptions(lambda at, size: bytes(data[at : at + size]), len(data)))[0]
    start = place * found.chunk_sectors * 512 + 1024
    data[start + 0x2C : start + 0x30] = (1_800_000_000).to_bytes(4, "little")
    patient.store.write_bytes(bytes(data))


def test_the_valid_byte_is_set_only_by_the_plan_that_has_it(models: Models, tmp_path: Path) -> None:
    plan = copy(models(PracticeState.OVERFLOW), tmp_path).plan()

    assert not any(isinstance(step.action, SetValid) for step in plan.steps)


@contextmanager
def fake_e2fsck(patient: Patient, words: str, code: int) -> Iterator[None]:
    """An e2fsck that says this and ends with that, before the real one in the path."""
    tools = patient.scratch.parent / "tools"
    tools.mkdir()
    (tools / "e2fsck").write_text(f"#!/bin/sh\necho '{words}'\nexit {code}\n")
    (tools / "e2fsck").chmod(0o755)
    with patch.object(runner, "SEARCH_PATH", f"{tools}:{runner.SEARCH_PATH}"):
        yield


@pytest.mark.parametrize(
    ("code", "told"), [(4, "cannot repair"), (8, "while reading block 7"), (12, "block 7")]
)
def test_a_repair_that_fails_leaves_the_overlay_as_it_was(
    invalid: Patient, code: int, told: str
) -> None:
    before = invalid.store.read_bytes()
    words = "e2fsck: Input/output error while reading block 7"
    with fake_e2fsck(invalid, words, code):
        end = invalid.carry(invalid.plan())

    assert end.state is JobState.FAILED
    assert told in end.message
    assert "Nothing was written" in end.hint
    assert invalid.store.read_bytes() == before
