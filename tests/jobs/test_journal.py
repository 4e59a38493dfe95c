"""What a journal tells of a job, also one that a power cut has torn or that was made to harm."""

import errno
import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import FormatError, UnreadableError
from liveos_tui.jobs.events import JobState, StepState
from liveos_tui.jobs.journal import Journal, folder_of, glance, journals, leave, parse, read
from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import BackUp, GrowFile, OpenStick, RefreshLoop
from liveos_tui.plans.model import Confirmation, Plan, Step
from liveos_tui.system import files
from liveos_tui.system.files import Folder
from liveos_tui.system.stick_writing import StickFolder

PLAN = Plan(
    Operation.GROW,
    Place("/media/stick", "LIVE", "LiveOS/overlay", mount_point="/media/stick"),
    "Grow the overlay",
    (
        Step(OpenStick(), "Lock", "Nobody else may work on it."),
        Step(BackUp(), "Back up", "To go back.", writes=("a backup",)),
        Step(GrowFile(4096, 8192), "Grow", "It is full.", writes=("the overlay",)),
    ),
    Confirmation.ENTER,
)
JOB = "20261124-064500-grow"
BEGAN = 1_795_502_700.0


def begun(folder: Path, plan: Plan = PLAN) -> Path:
    """A journal with its first step done and its second begun."""
    folder.mkdir(exist_ok=True)
    with StickFolder(folder) as stick, Journal.begin(stick, JOB, plan, BEGAN) as journal:
        journal.order("start")
        journal.step(0, StepState.DONE, "It is locked.")
        journal.step(1, StepState.RUNNING)
    return folder / folder_of(JOB) / "journal.jsonl"


def test_a_job_without_an_end_was_interrupted(tmp_path: Path) -> None:
    begun(tmp_path)
    state = read(Folder(tmp_path), JOB)

    assert (state.state, state.done, state.begun) == (JobState.INTERRUPTED, 1, 1)
    assert state.plan == PLAN
    assert state.can_resume
    assert not state.why_not_back


def test_a_job_whose_last_step_is_done_lacks_only_the_line_that_says_so(tmp_path: Path) -> None:
    begun(tmp_path)
    with StickFolder(tmp_path) as stick, Journal.go_on(stick, JOB) as journal:
        journal.step(2, StepState.DONE)
        state = read(stick, JOB)

    assert state.state is JobState.DONE
    assert not state.half_done
    assert not state.why_not_back


def test_a_growth_that_was_cut_off_is_in_nobody_s_way(tmp_path: Path) -> None:
    begun(tmp_path)
    begun(tmp_path / "other", replace(PLAN, operation=Operation.RESET))

    assert not read(Folder(tmp_path), JOB).half_done
    assert read(Folder(tmp_path / "other"), JOB).half_done


def test_a_job_that_has_written_nothing_has_nothing_to_undo(tmp_path: Path) -> None:
    with StickFolder(tmp_path) as stick, Journal.begin(stick, JOB, PLAN, BEGAN) as journal:
        journal.step(0, StepState.DONE)
        state = read(stick, JOB)

    assert state.can_resume
    assert state.why_not_back


def test_notes_of_a_step_are_kept_until_it_is_undone(tmp_path: Path) -> None:
    begun(tmp_path)
    with StickFolder(tmp_path) as stick:
        with Journal.go_on(stick, JOB) as journal:
            journal.note(1, {"saved": "metadata.cow"})
            journal.note(1, {"bytes": 5})
        assert read(stick, JOB).notes == {1: {"saved": "metadata.cow", "bytes": 5}}
        with Journal.go_on(stick, JOB) as journal:
            journal.step(1, StepState.UNDONE)
        assert read(stick, JOB).notes == {}
        assert read(stick, JOB).done == 1


def test_the_end_is_the_job_s_state_until_it_is_ordered_again(tmp_path: Path) -> None:
    begun(tmp_path)
    with StickFolder(tmp_path) as stick:
        with Journal.go_on(stick, JOB) as journal:
            journal.end(JobState.FAILED, "The stick is full.")
        failed = read(stick, JOB)
        assert (failed.state, failed.message) == (JobState.FAILED, "The stick is full.")
        with Journal.go_on(stick, JOB) as journal:
            journal.order("resume")
        assert read(stick, JOB).state is JobState.INTERRUPTED


def test_a_job_that_is_left_is_not_offered_again(tmp_path: Path) -> None:
    begun(tmp_path)
    with StickFolder(tmp_path) as stick:
        leave(stick, JOB)
        state = read(stick, JOB)

    assert state.state is JobState.LEFT
    assert not state.can_resume
    assert not state.why_not_back


def test_an_overlay_that_grew_while_it_was_in_use_is_never_cut(tmp_path: Path) -> None:
    in_use = Step(RefreshLoop("7:1", "live-rw", 8192), "Tell the kernel", "It has to know.")
    plan = Plan(PLAN.operation, PLAN.place, PLAN.title, (*PLAN.steps, in_use), PLAN.confirmation)
    begun(tmp_path, plan)

    assert read(Folder(tmp_path), JOB).why_not_back


@pytest.mark.parametrize("cut", range(1, 40))
def test_a_torn_last_line_is_not_there(tmp_path: Path, cut: int) -> None:
    path = begun(tmp_path)
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    state = read(Folder(tmp_path), JOB)

    assert (state.done, state.begun) == (1, None)


def test_a_job_is_found_whose_journal_cannot_be_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So a power cut may leave a FAT. What to do next is read from a whole journal only."""
    begun(tmp_path)

    def fail(*_: int) -> bytes:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "read_whole", fail)

    assert [state.job_id for state in journals(Folder(tmp_path))] == [JOB]
    assert glance(Folder(tmp_path), JOB).can_resume
    with pytest.raises(UnreadableError):
        read(Folder(tmp_path), JOB)


def test_what_comes_after_a_torn_line_can_be_read(tmp_path: Path) -> None:
    path = begun(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    with StickFolder(tmp_path) as stick:
        with Journal.go_on(stick, JOB) as journal:
            journal.step(1, StepState.DONE)
        assert read(stick, JOB).done == 2


def test_all_journals_of_a_stick_newest_first(tmp_path: Path) -> None:
    with StickFolder(tmp_path) as stick:
        for number in range(3):
            Journal.begin(stick, f"job-{number}", PLAN, BEGAN).__exit__(None, None, None)
        (tmp_path / "liveos-tui-jobs/nonsense").mkdir()
        (tmp_path / "liveos-tui-jobs/nonsense/journal.jsonl").write_bytes(b"\xff\n{}\n")

        assert [state.job_id for state in journals(stick)] == ["job-2", "job-1", "job-0"]


def test_the_order_of_jobs_does_not_hang_on_the_clock(tmp_path: Path) -> None:
    begun(tmp_path)
    with StickFolder(tmp_path) as stick, Journal.begin(stick, "job-2", PLAN, 0.0) as journal:
        journal.step(1, StepState.RUNNING)
    second, first = journals(Folder(tmp_path))

    assert (second.job_id, second.undo_first) == ("job-2", "")
    assert (first.job_id, first.undo_first) == (JOB, "job-2")


def test_a_later_job_that_has_nothing_to_undo_is_in_nobody_s_way(tmp_path: Path) -> None:
    begun(tmp_path)
    with StickFolder(tmp_path) as stick, Journal.begin(stick, "job-2", PLAN, BEGAN) as journal:
        journal.step(0, StepState.DONE)

    assert not journals(Folder(tmp_path))[1].why_not_back


def test_a_stick_without_jobs_has_no_journals(tmp_path: Path) -> None:
    assert journals(Folder(tmp_path)) == ()


@pytest.mark.parametrize("name", ["../../etc", "", "a/b", "A", "a" * 65, ".", "x\n"])
def test_what_is_no_name_of_a_job_is_no_folder(name: str) -> None:
    with pytest.raises(FormatError):
        folder_of(name)


def test_a_journal_under_another_job_s_name_is_refused(tmp_path: Path) -> None:
    begun(tmp_path)
    (tmp_path / "liveos-tui-jobs" / JOB).rename(tmp_path / "liveos-tui-jobs" / "another")

    with pytest.raises(FormatError, match="another job"):
        read(Folder(tmp_path), "another")


def test_text_of_a_journal_is_made_harmless(tmp_path: Path) -> None:
    path = begun(tmp_path)
    with path.open("ab") as file:
        file.write(json.dumps({"end": "failed", "message": "\x1b[2J"}).encode() + b"\n")

    assert read(Folder(tmp_path), JOB).message == "\\x1b[2J"


HOSTILE = (
    {"step": -1, "state": "done"},
    {"step": 99, "state": "done"},
    {"step": True, "state": "done"},
    {"step": 1, "state": ["done"]},
    {"step": 1, "note": "text"},
    {"end": "no state"},
    {"end": {"a": 1}},
    {"message": 5},
)


@pytest.mark.parametrize("line", HOSTILE)
def test_lines_that_make_no_sense_change_nothing_or_little(
    tmp_path: Path, line: dict[str, object]
) -> None:
    path = begun(tmp_path)
    with path.open("ab") as file:
        file.write(json.dumps(line).encode() + b"\n")
    state = read(Folder(tmp_path), JOB)

    assert state.done <= 2
    assert state.state is JobState.INTERRUPTED


@given(st.binary(max_size=400))
def test_any_bytes_are_a_journal_or_a_format_error(data: bytes) -> None:
    with suppress(FormatError):
        parse(data)
