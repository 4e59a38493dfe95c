"""What the journals of a stick say of how it is: half a rescue is not well, whatever it is."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from liveos_tui.formats.text import shell_word
from liveos_tui.jobs.events import IS, JobState
from liveos_tui.jobs.folder import STANDING, JobFolders
from liveos_tui.jobs.journal import JournalState
from liveos_tui.jobs.listing import job_of_journal
from liveos_tui.jobs.unfinished import living
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.model import Finding, LiveSystem, Operation, Severity, Target
from liveos_tui.live.words import size
from liveos_tui.plans.actions import ExchangeImages

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


def old_image_named(
    findings: Iterable[Finding], known: Iterable[Job], system: LiveSystem
) -> Iterator[Finding]:
    """The findings; of a second image they tell whose it is, where a merge of `known` left it."""
    beside = system.layout.second
    merge = next((job for job in known if beside is not None and _keeps(job, beside)), None)
    for finding in findings:
        if finding.code != "second-image" or merge is None:
            yield finding
            continue
        yield replace(
            finding,
            text=f"{beside}, {size(system.layout.second_bytes)}, is the old image of a merge that "
            "is done, kept for the way back.",
            action="When the stick has booted and is well, let it go: f in Jobs, or `liveos-tui "
            f"jobs forget {merge.id}{_where(system.target)}`.",
        )


def _keeps(job: Job, beside: str) -> bool:
    """Whether a job is a merge that is done, and whose old image has this name."""
    actions = (step.action for step in job.plan.steps)
    exchanges = (each for each in actions if isinstance(each, ExchangeImages))
    return job.state is JobState.DONE and any(each.beside == beside for each in exchanges)


def _where(target: Target) -> str:
    """The option that names a stick: after a boot only the stick knows its jobs."""
    return "" if target.this_system else f" --target {shell_word(target.path)}"
