"""What the journals of a stick say of how it is: half a rescue is not well, whatever it is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from liveos_tui.formats.text import shell_word
from liveos_tui.jobs.events import IS, JobState
from liveos_tui.jobs.folder import STANDING, JobFolders
from liveos_tui.jobs.journal import JournalState
from liveos_tui.jobs.listing import job_of_journal
from liveos_tui.jobs.second_image import second_image
from liveos_tui.jobs.unfinished import living
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.model import Finding, LiveSystem, Operation, Severity, Target
from liveos_tui.live.remedies import named
from liveos_tui.live.words import size

# What has the file system in the overlay as it should be, or nothing in the overlay at all.
_MENDS = frozenset({Operation.RECOVER, Operation.MERGE, Operation.RESET})


def of_jobs(
    journals: Sequence[JournalState], target: Target, folders: JobFolders
) -> Iterator[Finding]:
    """Findings of a stick's journals, which come newest first."""
    where = _where(target)
    for finding in recovery_left(map(job_of_journal, journals), target):
        # The command of that operation would find nothing to do: its text names the option.
        yield replace(finding, operation=None)
    for job in journals:
        how = f"{job.plan.title}, {job.done} of {len(job.plan.steps)} steps"
        run = living(folders, job.job_id)
        if run is not None:
            stands = f" (it {IS[run.state]})" if run.state in STANDING else ""
            yield Finding(
                Severity.WARNING if run.state in STANDING else Severity.NOTICE,
                "job-at-work",
                f"A job works on this stick: {how}{stands}. The figures are of this moment.",
                f"Listen to it (`liveos-tui jobs attach {job.job_id}`), have it go on (`liveos-tui "
                f"jobs resume {job.job_id}`) or end it (`liveos-tui jobs cancel {job.job_id}`).",
            )
        elif job.half_done:
            yield Finding(
                Severity.WARNING,
                "job-unfinished",
                f"A job was not ended: {how}.",
                f"Go on (`liveos-tui jobs resume {job.job_id}{where}`) or back (`liveos-tui jobs "
                f"rollback {job.job_id}{where}`).",
            )


def recovery_left(known: Iterable[Job], target: Target) -> Iterator[Finding]:
    """The finding of a recovery that was left half done; none where it was mended since.

    The jobs of one stick come newest first.
    """
    for job in known:
        operation, steps = job.plan.operation, len(job.plan.steps)
        if job.state is JobState.DONE and operation in _MENDS:
            return
        unfinished = job.done < steps and job.plan.has_written(job.done + 1)
        if job.state is JobState.LEFT and operation is Operation.RECOVER and unfinished:
            yield Finding(
                Severity.WARNING,
                "recovery-left",
                f"A recovery was left half done: {job.plan.title}, {job.done} of {steps} steps. "
                "What is in the overlay may be damaged.",
                "Have it repaired before the stick is used (r, or `liveos-tui recover --repair "
                f"{shell_word(target.path)}`). If it is well since: f in Jobs, or `liveos-tui "
                f"jobs forget {job.id}{_where(target)}`.",
                Operation.RECOVER,
            )
            return


def second_image_named(
    findings: Iterable[Finding], known: Iterable[Job], system: LiveSystem
) -> Iterator[Finding]:
    """The findings; of a second image they tell what it is, where a merge of `known` left it.

    The jobs of one stick come newest first.
    """
    beside, where = system.layout.second or "", _where(system.target)
    words = second_image(beside, ((j.id, j.plan, j.state, j.done) for j in known), where)
    for finding in findings:
        if finding.code != "second-image" or words is None:
            yield finding
            continue
        what, action = words
        text = f"{beside}, {size(system.layout.second_bytes)}, is {what}."
        yield replace(finding, text=text, action=action)


def _where(target: Target) -> str:
    """The option that names a stick: after a boot only the stick knows its jobs."""
    return named(target, "--target ")
