"""What is said of a job that has ended, or waits; and what is asked before one is undone."""

from dataclasses import replace

import pytest
from console_fakes import NOW
from merge_fakes import MERGE, merged
from workshop_fakes import GROWTH, RECOVERY, FakeJob, running

from liveos_tui.console import joblog
from liveos_tui.console.glyphs import SAFE
from liveos_tui.console.lines import Line
from liveos_tui.console.views import jobs, questions, results
from liveos_tui.jobs.events import EndEvent, JobState, PausedEvent, StepEvent, StepState
from liveos_tui.jobs.workshop import Job
from liveos_tui.plans.model import Plan

WIDTH = 78


def words(lines: list[Line]) -> str:
    """Lines as running text."""
    return " ".join(" ".join("".join(span.text for span in line).split()) for line in lines)


def ended(plan: Plan, end: EndEvent, *told: str) -> joblog.JobLog:
    """A job that has ended; its steps have `told` this."""
    steps = [StepEvent(index, StepState.DONE, text) for index, text in enumerate(told)]
    return joblog.add(joblog.empty(plan), [*steps, end])


def told_of(job: FakeJob, *, forget: bool = False) -> str:
    log = joblog.add(joblog.empty(job.plan), job.events)
    return words(results.result(log, WIDTH, resume=False, roll_back=True, forget=forget))


UNDONE = EndEvent(
    JobState.ROLLED_BACK,
    "Everything that this job wrote to the stick is undone.",
    "What it had before it has again, byte for byte.",
)


def test_an_undone_job_has_its_result_and_nothing_to_do() -> None:
    lines = results.result(ended(MERGE, UNDONE), WIDTH, resume=False, roll_back=False)
    assert words(lines) == f"{UNDONE.message} {UNDONE.hint}"


def test_of_an_undone_merge_no_image_is_offered_for_removal() -> None:
    log = ended(MERGE, UNDONE)
    said = words(results.result(log, WIDTH, resume=False, roll_back=False, forget=True))
    assert "What can be done j Jobs: f there removes what this job has kept" in said
    assert "old image" not in said


def test_to_go_back_from_a_merge_that_is_done_is_no_advice() -> None:
    said = told_of(merged(), forget=True)
    assert "What to do now Boot the stick." in said
    assert "u or go back: undo everything that it did" in said
    assert "f there removes the old image, once the new one has started" in said


def test_a_key_that_the_advice_names_is_not_named_again() -> None:
    end = EndEvent(JobState.DONE, "It is merged.", "Let it go (f in Jobs, or `jobs forget 1`).")
    said = words(
        results.result(ended(MERGE, end), WIDTH, resume=False, roll_back=True, forget=True)
    )
    assert "u or go back" in said
    assert "Jobs: f there" not in said


def test_what_an_undone_job_has_kept_is_no_way_back() -> None:
    job = replace(merged().listed(), state=JobState.ROLLED_BACK, why_not_back="It was undone.")
    assert jobs.why_not("Enter", job).endswith(
        "What can be done: f in Jobs removes what it has kept."
    )


def test_a_growth_that_is_done_tells_the_new_size_and_advises_nothing() -> None:
    end = EndEvent(JobState.DONE, "The overlay of LIVE is larger.")
    grown = "The file has grown from 512 MiB to 640 MiB."
    log = ended(GROWTH, end, "The stick is locked for this job.", grown)
    assert words(results.result(log, WIDTH, resume=False, roll_back=True)) == (
        "The overlay of LIVE is larger.  "
        "What can be done u go back: undo everything that it did  "
        f"What came of it - {grown}"
    )


def test_what_a_cancelled_job_has_left_is_said_before_what_to_do() -> None:
    end = EndEvent(JobState.CANCELLED, "Cancelled.", "Done up to: Lock, check again.")
    said = words(results.result(ended(GROWTH, end), WIDTH, resume=True, roll_back=True))
    assert said.startswith("Cancelled. Done up to: Lock, check again.  What to do now r go on")


def test_a_paused_job_that_is_left_stays_paused() -> None:
    log = joblog.add(joblog.empty(MERGE), [StepEvent(0, StepState.RUNNING), PausedEvent(0, True)])
    assert results.leave_words(log).startswith("Leave: it stays paused, and keeps the stick")


def cancelled(message: str) -> Job:
    job = running()
    job.end(JobState.CANCELLED, message)
    return job.listed()


@pytest.mark.parametrize("view", ["row", "details", "block"])
def test_that_it_was_cancelled_is_said_once(view: str) -> None:
    def shown(message: str) -> str:
        job = cancelled(message)
        lines: dict[str, list[Line]] = {
            "row": [jobs.row(job, NOW, 160, SAFE)],
            "details": jobs.details(job, WIDTH, SAFE),
            "block": jobs.block((job,), NOW, 160),
        }
        return words(lines[view])

    assert "Cancelled." not in shown("Cancelled.")
    assert "The stick was pulled out." in shown("The stick was pulled out.")


@pytest.mark.parametrize(
    ("state", "in_jobs", "on_its_screen"),
    [
        (JobState.RUNNING, "it is at work. Enter opens it.", "it is at work."),
        (
            JobState.WAITING,
            "it waits for you. Enter opens it.",
            "it waits for you. Enter goes on with the next step.",
        ),
        (JobState.PAUSED, "it is paused. Enter opens it.", "it is paused. p goes on."),
    ],
)
def test_a_job_that_is_there_is_not_taken_up_again_but_led_on(
    state: JobState, in_jobs: str, on_its_screen: str
) -> None:
    job = replace(running().listed(), state=state)
    assert jobs.why_not("r", job, in_list=True).endswith(f": {in_jobs}")
    assert jobs.why_not("r", job).endswith(f": {on_its_screen}")


def test_undoing_a_step_is_asked_before_it_happens() -> None:
    said = words(questions.step_back(RECOVERY.steps[3], 4, WIDTH))
    assert said == "Step 4, Grow the file, will be undone:  The file is cut to its old size."


def test_a_step_that_wrote_nothing_is_not_undone_but_gone_back_behind() -> None:
    assert words(questions.step_back(RECOVERY.steps[1], 2, WIDTH)) == (
        "The job will go back to before step 2, Rehearse the repair.  "
        "It has written nothing to the stick."
    )


def test_going_back_from_a_rescue_says_that_the_overlay_will_be_invalid_again() -> None:
    said = words(questions.roll_back(RECOVERY, WIDTH))
    assert said.startswith("Everything that this job has written to the stick will be undone.")
    assert "The overlay will be as before: Invalid, 512 MiB large." in said


def test_a_question_names_the_folder_of_a_job_that_has_begun() -> None:
    begun = questions.before_writing(RECOVERY, (), "20261128-0912-ab")
    assert "liveos-tui-jobs/20261128-0912-ab/metadata.cow" in words(begun.text(WIDTH))
    assert "JOB" not in words(begun.text(WIDTH))
    not_begun = questions.before_writing(RECOVERY, ())
    assert "liveos-tui-jobs/JOB/metadata.cow" in words(not_begun.text(WIDTH))


def test_whoever_goes_on_or_back_reads_the_name_of_the_folder() -> None:
    back = "It is written back from /mnt/liveos-tui-jobs/JOB."
    job = replace(running().listed(), plan=replace(RECOVERY, go_back=back))
    assert "/mnt/liveos-tui-jobs/recover-1." in words(questions.going_on(job).text(WIDTH))
    assert "/mnt/liveos-tui-jobs/recover-1." in words(questions.roll_back(job.plan, WIDTH, job.id))
