"""A job that was not ended comes first: nothing new is begun on its stick."""

from collections.abc import Iterable

from liveos_tui.errors import LiveosError
from liveos_tui.jobs.journal import JournalState


class UnfinishedJobError(LiveosError):
    """A job on this stick was not ended."""


def check_unfinished(known: Iterable[JournalState]) -> None:
    """Raise UnfinishedJobError where a job has written to this stick, and was not ended."""
    for job in known:
        if job.half_done:
            raise UnfinishedJobError(
                f"A job on this stick was not ended: {job.plan.title}, {job.done} of "
                f"{len(job.plan.steps)} steps done ({job.job_id}).",
                "Go on with it, go back, or leave it as it is: `liveos-tui jobs`, or j in the "
                "console. Nothing was changed.",
            )
