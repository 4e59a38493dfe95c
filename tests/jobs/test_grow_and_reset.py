"""Growing and resetting an overlay that is not in use, on real files."""

from dataclasses import replace
from pathlib import Path

import pytest
from recovering import JOB, MIB, Models, Patient, copy

from liveos_tui.formats.cow import CowHeader, summarise
from liveos_tui.formats.cow_writer import header_chunk
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.journal import read
from liveos_tui.jobs.order import OrderKind
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.reset import plan_reset
from liveos_tui.practice.builder import PracticeState
from liveos_tui.system.files import Folder

pytestmark = pytest.mark.real_tools


@pytest.fixture
def stick(models: Models, tmp_path: Path) -> Patient:
    return copy(models(PracticeState.NEARLY_FULL), tmp_path)


def diagnosis(stick: Patient) -> Diagnosis:
    found = recognise(stick.probes, str(stick.folder))
    with found.hold:
        return diagnose(stick.probes, found.site)


def test_the_file_has_the_size_that_was_asked_for(stick: Patient) -> None:
    before = stick.store.read_bytes()
    end = stick.carry(plan_grow(diagnosis(stick), grow_bytes=5 * MIB))
    after = stick.store.read_bytes()

    assert end.state is JobState.DONE
    assert len(after) == len(before) + 5 * MIB
    assert after.startswith(before)


def test_growing_is_undone(stick: Patient) -> None:
    before = stick.store.read_bytes()
    plan = plan_grow(diagnosis(stick), grow_bytes=5 * MIB)
    stick.carry(plan)
    end = stick.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.ROLLED_BACK
    assert stick.store.read_bytes() == before


def test_growing_is_not_undone_when_the_new_room_is_used(stick: Patient) -> None:
    plan = plan_grow(diagnosis(stick), grow_bytes=5 * MIB)
    stick.carry(plan)
    data = bytearray(stick.store.read_bytes())
    found = summarise(lambda at, size: bytes(data[at : at + size]), len(data))
    # The first exception now says that its chunk is the last one of the store.
    data[4096 + 8 : 4096 + 16] = (len(data) // 4096 - 1).to_bytes(8, "little")
    stick.store.write_bytes(bytes(data))
    end = stick.carry(plan, OrderKind.ROLL_BACK)

    assert found.exceptions > 0
    assert end.state is JobState.FAILED
    assert "cannot be cut" in end.message
    assert stick.store.read_bytes() == bytes(data)


def test_a_growth_that_was_cut_off_never_writes_over_what_is_there(stick: Patient) -> None:
    plan = plan_grow(diagnosis(stick), grow_bytes=5 * MIB)
    stick.carry(plan)
    # As after a power cut: the journal does not know that the step was done; a boot has used it.
    journal = stick.folder / "liveos-tui-jobs" / JOB / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:-2]))
    with stick.store.open("r+b") as file:
        file.seek(-MIB, 2)
        file.write(b"written by the kernel")
    used = stick.store.read_bytes()
    assert read(Folder(stick.folder), JOB).begun == 1
    end = stick.carry(plan, OrderKind.RESUME)

    assert end.state is JobState.DONE
    assert stick.store.read_bytes() == used


def test_a_reset_overlay_is_fresh_and_keeps_all_but_its_first_sector(stick: Patient) -> None:
    before = stick.store.read_bytes()
    end = stick.carry(plan_reset(diagnosis(stick)))
    after = stick.store.read_bytes()

    assert end.state is JobState.DONE
    assert after == bytes(512) + before[512:]


def test_a_reset_is_undone(stick: Patient) -> None:
    before = stick.store.read_bytes()
    plan = plan_reset(diagnosis(stick))
    stick.carry(plan)
    end = stick.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.ROLLED_BACK
    assert stick.store.read_bytes() == before


def test_a_reset_is_not_undone_when_the_fresh_overlay_is_used(stick: Patient) -> None:
    plan = plan_reset(diagnosis(stick))
    stick.carry(plan)
    with stick.store.open("r+b") as file:
        file.write(header_chunk(CowHeader()) + bytes(4096))
    used = stick.store.read_bytes()
    end = stick.carry(plan, OrderKind.ROLL_BACK)

    assert end.state is JobState.FAILED
    assert "used since it was reset" in end.message
    assert stick.store.read_bytes() == used


def test_a_journal_of_other_steps_is_not_gone_on_with(stick: Patient) -> None:
    plan = plan_grow(diagnosis(stick), grow_bytes=5 * MIB)
    stick.carry(plan)
    grown = stick.store.read_bytes()
    other = replace(plan, steps=(*plan.steps[:1], replace(plan.steps[1], title="Another")))
    end = stick.carry(other, OrderKind.ROLL_BACK)

    assert "another plan" in end.message
    assert stick.store.read_bytes() == grown
