"""What a job tells, as a terminal shows it and as a log keeps it."""

import json
from dataclasses import replace

import pytest

from liveos_tui.commands.narration import JsonLines, Narrator, progress_words
from liveos_tui.commands.ways import offers
from liveos_tui.jobs.events import (
    GOING_BACK,
    CommandEvent,
    EndEvent,
    Event,
    FoundEvent,
    JobState,
    OutputEvent,
    ProgressEvent,
    StepEvent,
    StepState,
    WaitingEvent,
)
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import GrowFile, OpenStick
from liveos_tui.plans.model import Confirmation, Plan, Step

PLAN = Plan(
    Operation.GROW,
    Place("/sticks/one", "ONE", "LiveOS/overlay"),
    "Grow the overlay of ONE",
    (Step(OpenStick(), "Lock it", ""), Step(GrowFile(1, 2), "Grow the file", "", writes=("it",))),
    Confirmation.ENTER,
)
JOB = Job("grow-1", PLAN, JobState.RUNNING, 0.0)


def told(*events: Event, columns: int | None = None) -> str:
    said: list[str] = []
    narrator = Narrator(said.append, columns)
    narrator.job("grow-1", PLAN)
    for event in events:
        narrator.event(event)
    return "".join(said)


def test_a_job_reads_like_a_report() -> None:
    text = told(
        StepEvent(1, StepState.RUNNING),
        CommandEvent(1, ("losetup", "-c", "a name")),
        OutputEvent(1, "a line"),
        FoundEvent(1, "It is large."),
        StepEvent(1, StepState.DONE, "It has grown."),
        EndEvent(JobState.DONE, "Done.", "Boot it.", ("92 files came back.",)),
    )

    assert text == (
        "Job grow-1: Grow the overlay of ONE\n"
        "Step 2 of 2: Grow the file\n"
        "  $ losetup -c 'a name'\n"
        "    a line\n"
        "  * It is large.\n"
        "  It has grown.\n"
        "Done.\n"
        "  - 92 files came back.\n"
        "Boot it.\n"
    )


def test_of_a_program_with_much_to_say_beginning_and_end_are_told() -> None:
    lines = told(
        StepEvent(1, StepState.RUNNING),
        CommandEvent(1, ("e2fsck", "-y")),
        *(OutputEvent(1, f"line {number}") for number in range(100)),
        CommandEvent(1, ("e2fsck", "-n")),
        OutputEvent(1, "clean"),
        StepEvent(1, StepState.DONE, "Repaired."),
    ).splitlines()[3:]

    assert lines == [
        *(f"    line {number}" for number in range(8)),
        "    ... 88 lines are left out; `liveos-tui jobs attach grow-1 --json` has all",
        *(f"    line {number}" for number in range(96, 100)),
        "  $ e2fsck -n",
        "    clean",
        "  Repaired.",
    ]


def test_sentences_are_broken_between_words() -> None:
    text = told(FoundEvent(1, "word " * 40), EndEvent(JobState.DONE, "Done. " * 20, "now " * 30))

    assert all(len(line) <= 80 for line in text.splitlines())


@pytest.mark.parametrize(
    ("done", "words"),
    [
        (1, "Step 1 was done by an earlier run."),
        (2, "Steps 1 to 2 were done by an earlier run."),
    ],
)
def test_the_steps_of_an_earlier_run_are_one_line(done: int, words: str) -> None:
    text = told(
        *(StepEvent(step, StepState.DONE, "Done by an earlier run.") for step in range(done)),
        StepEvent(done, StepState.RUNNING),
    )

    assert text.splitlines()[1] == words


def test_on_the_way_back_each_step_says_what_is_undone_and_nothing_of_earlier_runs() -> None:
    text = told(
        StepEvent(1, StepState.DONE, "Done by an earlier run."),
        StepEvent(1, StepState.RUNNING, GOING_BACK),
        StepEvent(1, StepState.UNDONE, "The file has its old size again."),
    )

    assert text.splitlines()[1:] == [
        "Going back, step 2 of 2: Grow the file",
        "  The file has its old size again.",
    ]


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (StepState.FAILED, "FAILED: No room."),
        (StepState.CANCELLED, "Cancelled. No room."),
    ],
)
def test_how_a_step_ended_is_a_word(state: StepState, word: str) -> None:
    text = told(StepEvent(1, StepState.RUNNING), StepEvent(1, state, "No room."))

    assert text.splitlines()[-1] == f"  {word}"


def test_what_a_failed_step_has_said_is_not_said_again_at_the_end() -> None:
    text = told(
        StepEvent(1, StepState.RUNNING),
        StepEvent(1, StepState.FAILED, "No room."),
        EndEvent(JobState.FAILED, "No room.", "Free some."),
    )

    assert text.splitlines()[-2:] == ["  FAILED: No room.", "Free some."]


def test_a_job_that_waits_says_for_what() -> None:
    assert told(WaitingEvent(1)).endswith("It waits for an answer before step 2.\n")


def test_progress_says_what_is_known() -> None:
    assert progress_words(ProgressEvent(0, "writing")) == "  writing"
    assert (
        progress_words(ProgressEvent(0, "writing", 0.429, 64 * 1024**2, 150.0))
        == "  writing  42 %  64 MiB/s  about 2 minutes left"
    )


def test_on_a_terminal_progress_is_one_line_drawn_again() -> None:
    text = told(
        ProgressEvent(1, "writing", 0.5, seconds_left=100.0),
        ProgressEvent(1, "writing", 0.9),
        OutputEvent(1, "a line"),
        columns=80,
    )
    drawn = text.split("\n")[1]

    # Shorter than what it is drawn over, the line is filled up; it is cleared for what follows.
    long, short = "  writing  50 %  about 1 minute left", "  writing  90 %"
    assert drawn == f"\r{long}\r{short.ljust(len(long))}\r{' ' * len(short)}\r    a line"


def test_progress_is_never_wider_than_the_terminal() -> None:
    text = told(ProgressEvent(1, "x" * 100), columns=40)

    assert len(text.split("\r")[-1]) == 39


def test_a_log_is_told_each_phase_once() -> None:
    text = told(
        *(ProgressEvent(1, "writing", part / 10) for part in range(10)),
        ProgressEvent(1, "reading back", 0.0),
    )

    assert text.splitlines()[1:] == ["  writing", "  reading back"]


def test_a_step_that_the_plan_does_not_have_harms_nobody() -> None:
    assert "Step 9 of 2: ?" in told(StepEvent(8, StepState.RUNNING))


def test_json_is_one_object_a_line_the_job_first() -> None:
    said: list[str] = []
    lines = JsonLines(said.append)
    lines.job("grow-1", PLAN)
    lines.event(StepEvent(0, StepState.DONE, "ok", 12.5))

    assert [json.loads(line) for line in said] == [
        {
            "event": "job",
            "id": "grow-1",
            "title": "Grow the overlay of ONE",
            "steps": ["Lock it", "Grow the file"],
        },
        {"event": "step", "step": 0, "state": "done", "text": "ok", "at": 12.5},
    ]
    assert all(line.endswith("\n") for line in said)


@pytest.mark.parametrize(
    ("job", "verbs"),
    [
        (JOB, ["attach", "cancel"]),
        (replace(JOB, state=JobState.WAITING), ["attach", "resume", "cancel"]),
        (replace(JOB, state=JobState.DONE), []),
        (replace(JOB, state=JobState.DONE, why_not_back=""), ["rollback"]),
        (
            replace(JOB, state=JobState.INTERRUPTED, can_resume=True, why_not_back=""),
            ["resume", "rollback", "leave"],
        ),
    ],
)
def test_what_can_be_done_with_a_job(job: Job, verbs: list[str]) -> None:
    assert offers(job) == verbs
