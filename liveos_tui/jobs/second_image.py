"""What the second image of a stick is: the job knows that has left it there."""

from collections.abc import Iterable

from liveos_tui.jobs.events import IS, JobState
from liveos_tui.plans.actions import ExchangeImages
from liveos_tui.plans.model import Plan
from liveos_tui.plans.ways import JOBS

Known = tuple[str, Plan, JobState, int]
"""A job: its ID, plan and state, and how many steps are behind it."""


def second_image(beside: str, known: Iterable[Known], where: str) -> tuple[str, str] | None:
    """What it is, as it stands after "is", and what to do about it; None where no job knows.

    `beside` is its path, `known` are the stick's jobs, newest first, `where` is the option that
    names the stick.
    """
    return next(filter(None, (_second_image(beside, *job, where) for job in known)), None)


def _second_image(
    beside: str, job_id: str, plan: Plan, state: JobState, done: int, where: str
) -> tuple[str, str] | None:
    exchanges = (
        number
        for number, step in enumerate(plan.steps, 1)
        if isinstance(step.action, ExchangeImages) and step.action.beside == beside
    )
    exchange = next(exchanges, None)
    if exchange is None or state is JobState.ROLLED_BACK or not plan.has_written(done + 1):
        return None
    back = f"u in Jobs, or `liveos-tui jobs rollback {job_id}{where}`"
    let_go = (
        "When the stick has booted and is well, let it go: f in Jobs, or `liveos-tui jobs forget "
        f"{job_id}{where}`."
    )
    exchanged = done >= exchange
    match state:
        case JobState.DONE:
            return "the old image of a merge that is done, kept for the way back", let_go
        case JobState.LEFT if exchanged:
            return f"the old image of a merge that {IS[state]}", f"Go back ({back}). Or: {let_go}"
        case JobState.LEFT:
            what_to_do = f"Go back with that merge, which removes it: {back}."
        case _:
            what_to_do = f"See what that merge can still do {JOBS}."
    which = "the old image" if exchanged else "the new image, as far as it was made,"
    return f"{which} of a merge that {IS[state]}", what_to_do
