"""What the journals of a stick say of how it is: half a rescue is not well, whatever it is."""

from collections.abc import Iterator, Sequence
from contextlib import suppress

from liveos_tui.errors import LiveosError
from liveos_tui.formats.text import shell_word
from liveos_tui.jobs.events import IS, JobState
from liveos_tui.jobs.folder import ALIVE, STANDING, JobFolders
from liveos_tui.jobs.journal import JournalState
from liveos_tui.live.model import Finding, Operation, Severity, Target

# What has the file system in the overlay as it should be, or nothing in the overlay at all.
_MENDS = frozenset({Operation.RECOVER, Operation.MERGE, Operation.RESET})


def of_jobs(
    journals: Sequence[JournalState], target: Target, folders: JobFolders
) -> Iterator[Finding]:
    """Findings of a stick's journals, which come newest first."""
    # The machine may have been started anew since: then only the stick knows the job.
    path = shell_word(target.path)
    where = "" if target.this_system else f" --target {path}"
    mended = False
    for job in journals:
        how = f"{job.plan.title}, {job.done} of {len(job.plan.steps)} steps"
        alive = _alive(job, folders)
        if alive is not None:
            stands = f" (it {IS[alive]})" if alive in STANDING else ""
            yield Finding(
                Severity.WARNING if alive in STANDING else Severity.NOTICE,
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
        elif not mended and _left_unrepaired(job):
            yield Finding(
                Severity.WARNING,
                "recovery-left",
                f"A recovery was left half done: {how}. What is in the overlay may be damaged.",
                f"Have it repaired before the stick is used: `liveos-tui recover --repair {path}`. "
                f"If it is well since: `liveos-tui jobs forget {job.job_id}{where}`.",
            )
        mended = mended or (job.state is JobState.DONE and job.plan.operation in _MENDS)


def _alive(job: JournalState, folders: JobFolders) -> JobState | None:
    """How a job is that a worker of this machine is at; None where there is no such worker."""
    with suppress(LiveosError):
        state = folders.find(job.job_id).run().state
        return state if state in ALIVE else None
    return None


def _left_unrepaired(job: JournalState) -> bool:
    unfinished = job.touched and job.done < len(job.plan.steps)
    return job.state is JobState.LEFT and job.plan.operation is Operation.RECOVER and unfinished
