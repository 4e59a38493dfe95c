"""One job at a time: nothing is begun on a stick that another one works on, or has left half done.

The worker's lock is what keeps two apart; but it cannot name the other one.
"""

from collections.abc import Iterable
from contextlib import suppress

from liveos_tui.errors import FormatError, LiveosError
from liveos_tui.jobs.events import IS
from liveos_tui.jobs.folder import ALIVE, STANDING, JobFolders, Run
from liveos_tui.jobs.journal import JournalState
from liveos_tui.live.place import Place
from liveos_tui.system.stick_writing import StickBusyError


class UnfinishedJobError(LiveosError):
    """A job on this stick was not ended."""


def check_free(folders: JobFolders, place: Place) -> None:
    """Raise StickBusyError where a job of this machine is at work on that stick."""
    for folder in folders.all():
        with suppress(FormatError):
            run = folders.run_of(folder)
            if run.state in ALIVE and run.order.plan.place.is_same_stick(place):
                raise _busy(folder.id, run)


def check_unfinished(known: Iterable[JournalState], folders: JobFolders | None = None) -> None:
    """Raise UnfinishedJobError where a job has written to this stick, and was not ended.

    Raise StickBusyError where that one is alive, as far as it is one of `folders`.
    """
    for job in known:
        if job.half_done:
            if folders is not None and (run := living(folders, job.job_id)):
                raise _busy(job.job_id, run)
            raise UnfinishedJobError(
                f"A job on this stick was not ended: {job.plan.title}, {job.done} of "
                f"{len(job.plan.steps)} steps done ({job.job_id}).",
                "Go on with it, go back, or leave it as it is: `liveos-tui jobs`, or j in the "
                "console. Nothing was changed.",
            )


def living(folders: JobFolders, job_id: str) -> Run | None:
    """The run of a job that a worker of this machine is at; None where there is no such worker."""
    with suppress(LiveosError):
        run = folders.find(job_id).run()
        return run if run.state in ALIVE else None
    return None


def _busy(job_id: str, run: Run) -> StickBusyError:
    stands = run.state in STANDING
    how = f", and {IS[run.state]}" if stands else ""
    ways = (
        f"First have it go on (`liveos-tui jobs resume {job_id}`) or end it (`liveos-tui jobs "
        f"cancel {job_id}`), or do so in the console (j)."
        if stands
        else f"`liveos-tui jobs attach {job_id}`, or j in the console, shows it: wait for it, or "
        "cancel it."
    )
    return StickBusyError(
        f"Another job works on this stick{how}: {run.order.plan.title}, {run.done} of "
        f"{len(run.order.plan.steps)} steps done ({job_id}).",
        f"Nothing was changed. {ways}",
    )
