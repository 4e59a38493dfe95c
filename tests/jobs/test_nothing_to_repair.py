"""A repair that is asked for where all is well: the rehearsal shows it, and the job ends there."""

from pathlib import Path

import pytest
from recovering import MIB, Models, Patient, copy, hashes

from liveos_tui.jobs.events import EndEvent, JobState
from liveos_tui.practice.builder import PracticeState

pytestmark = pytest.mark.real_tools


@pytest.fixture
def stick(models: Models, tmp_path: Path) -> Patient:
    return copy(models(PracticeState.HEALTHY), tmp_path)


def repaired(stick: Patient, grow_bytes: int | None = None) -> EndEvent:
    return stick.carry(stick.plan(repair=True, grow_bytes=grow_bytes))


def test_nothing_is_written_to_a_sound_file_system(stick: Patient) -> None:
    before = hashes(stick.folder)
    end = repaired(stick)

    assert end.state is JobState.DONE
    assert end.message.startswith("There is nothing to repair.")
    assert hashes(stick.folder) == before


def test_room_that_was_asked_for_is_given_all_the_same(stick: Patient) -> None:
    before = stick.store.stat().st_size
    end = repaired(stick, grow_bytes=MIB)

    assert end.message == "The overlay of PRACTICE is recovered."
    assert stick.store.stat().st_size == before + MIB
