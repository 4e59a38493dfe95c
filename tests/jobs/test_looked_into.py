"""A plan's look into base and overlay: what it leaves, and what it finds of one that was killed."""

from pathlib import Path

import pytest
from recovering import Models, Patient, copy, hashes

from liveos_tui.jobs import joining
from liveos_tui.jobs.joining import looked_into
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.place import Place
from liveos_tui.live.recognise import recognise
from liveos_tui.practice.builder import PracticeState
from liveos_tui.system.e2fsprogs import folder_names

pytestmark = pytest.mark.real_tools

# Larger than any process number (PID_MAX_LIMIT is 4,194,304).
_GONE = "look-4194305"


@pytest.fixture
def stick(models: Models, tmp_path: Path) -> Patient:
    return copy(models(PracticeState.HEALTHY), tmp_path)


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    monkeypatch.setattr(joining, "state_folder", lambda: folder)
    return folder


def place(stick: Patient) -> Place:
    found = recognise(stick.probes, str(stick.folder))
    with found.hold:
        return diagnose(stick.probes, found.site).place


def test_the_merged_file_system_is_seen_and_nothing_stays(stick: Patient, state: Path) -> None:
    before = hashes(stick.folder)
    with looked_into(stick.probes, place(stick), stick.folder) as root:
        names = [entry.name for entry in folder_names(stick.probes.runner, root, "/etc")]

    # It is in the overlay alone.
    assert "settings.d" in names
    assert hashes(stick.folder) == before
    assert list(state.iterdir()) == []


def test_what_a_killed_one_has_left_is_taken_down(stick: Patient, state: Path) -> None:
    (state / _GONE).mkdir()
    (state / _GONE / f"liveos-tui-{_GONE}-view").write_bytes(b"a copy")
    with looked_into(stick.probes, place(stick), stick.folder):
        assert not (state / _GONE).exists()


def test_one_that_still_looks_is_left_alone(stick: Patient, state: Path) -> None:
    (state / "look-1").mkdir()
    with looked_into(stick.probes, place(stick), stick.folder):
        assert (state / "look-1").exists()
