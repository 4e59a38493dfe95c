"""The texts of the questions that are asked before something is done."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from liveos_tui.console.lines import EMPTY, Line, Span, wrap
from liveos_tui.console.theme import Role
from liveos_tui.console.views.proposal import place_words
from liveos_tui.console.wording import size
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import JobState
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.model import Operation
from liveos_tui.live.place import Place
from liveos_tui.plans.actions import Engine, GrowFile, MakeImage, SetValid
from liveos_tui.plans.agreement import agreement
from liveos_tui.plans.model import Confirmation, Plan, Step
from liveos_tui.plans.steps import of_job
from liveos_tui.plans.ways import by_itself, by_key


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked before something is done: `verb` is on the button that does it.

    `text` gives the lines for a width. `name` has to be typed, where it is one.
    """

    title: str
    heading: str
    verb: str
    text: Callable[[int], list[Line]]
    name: str | None = None


VERBS = {
    Operation.RECOVER: "Recover it",
    Operation.GROW: "Grow it",
    Operation.MERGE: "Merge it",
    Operation.RESET: "Reset it",
}
"""What the button says that is not the harmless one."""

NAMES = {
    Operation.RECOVER: "Recover",
    Operation.GROW: "Grow",
    Operation.MERGE: "Merge",
    Operation.RESET: "Reset",
}
"""An operation's name, as keys and lists show it."""

_SAVED = "What this job has saved so that it can be undone is"
_UNDONE = (
    "This job was undone: the stick is as it was before it. Its journal and what it had saved are "
    "removed from the stick."
)
_MOST_WRITES = 5
# What came of the last step in a sentence, and three of the things that it has found.
_MOST_SAID = 4
_NAME = 12


def before_writing(plan: Plan, said: Sequence[str], job_id: str | None = None) -> Question:
    """The last question before a stick is written to; the last step has `said` this.

    `job_id`: the job that waits for the answer, where it was begun already.
    """
    return Question(
        plan.title,
        "If you go on, the stick is written to",
        VERBS[plan.operation],
        lambda width: confirmation(plan, said, width, job_id),
        plan.place.name if plan.confirmation is Confirmation.LABEL else None,
    )


def going_on(job: Job) -> Question:
    """The question before what is left of a job is done, as before its beginning."""
    plan = job.plan
    how_far = f"{job.done} of {len(plan.steps)} steps are done."
    back = _own(plan.go_back, job.id)
    return Question(
        plan.title,
        "Go on with this job",
        "Go on",
        lambda width: [
            *_paragraph(how_far, width, Role.STRONG),
            *_paragraph(_own(agreement(plan, job.done), job.id), width),
            EMPTY,
            *place(plan.place, width),
            *([EMPTY, *_named("Way back", back, width)] if plan.go_back else []),
        ],
        plan.place.name if plan.confirmation is Confirmation.LABEL else None,
    )


def forgetting(job: Job) -> Question:
    """The question before the way back of a job is given up, which cannot be undone.

    A job that was undone has none: what it has left on the stick is not needed any more.
    """
    if job.state is JobState.ROLLED_BACK:
        return Question(
            job.plan.title,
            "Remove what it kept",
            "Remove it",
            lambda width: [
                *_paragraph(_UNDONE, width, Role.STRONG),
                EMPTY,
                *place(job.plan.place, width),
            ],
        )
    return Question(
        job.plan.title,
        "No way back after this",
        "Forget it",
        lambda width: _forgetting(job, width),
        job.plan.place.name,
    )


def _forgetting(job: Job, width: int) -> list[Line]:
    merge = job.plan.operation is Operation.MERGE
    kept = "The old image and all that this job has saved are" if merge else _SAVED
    made = "the new image" if merge else "it"
    return [
        *_paragraph(f"{kept} removed from the stick.", width, Role.STRONG),
        *_paragraph("What it made stays as it is. It frees the room that this takes.", width),
        EMPTY,
        *_paragraph(
            f"Start the stick once before: then you know that {made} is well. After this the job "
            "cannot be undone.",
            width,
            Role.WARNING,
        ),
        EMPTY,
        *place(job.plan.place, width),
    ]


def confirmation(
    plan: Plan, said: Sequence[str], width: int, job_id: str | None = None
) -> list[Line]:
    """What was `said` last, which stick, what is written, what to know before, the way back."""
    lines: list[Line] = []
    for number, text in enumerate(said[:_MOST_SAID]):
        lines += _paragraph(text, width, Role.STRONG if number == 0 else Role.TEXT)
    if lines:
        lines.append(EMPTY)
    lines += place(plan.place, width)
    writes = [text for step in plan.steps for text in step.writes]
    if writes:
        lines.append(EMPTY)
        shown = writes[:_MOST_WRITES]
        for number, text in enumerate(shown):
            lines += _named("Written" if number == 0 else "", _own(text, job_id), width)
        if len(writes) > len(shown):
            lines += _named("", f"and {len(writes) - len(shown)} more", width)
    for text in plan.warnings:
        lines += [EMPTY, *_paragraph(_own(text, job_id), width, Role.WARNING)]
    if plan.go_back:
        lines += [EMPTY, *_named("Way back", _own(plan.go_back, job_id), width)]
    return lines


def place(value: Place, width: int) -> list[Line]:
    """A stick, by everything that tells it from another."""
    facts = (
        ("Stick", value.name),
        ("Device", clean(value.device or "")),
        ("Model", value.model or ""),
        ("Size", size(value.size_bytes) if value.size_bytes is not None else ""),
        (
            "Folder" if value.device is None else "Mounted at",
            clean(value.mount_point or "not mounted"),
        ),
        ("", "It carries the system that runs now." if value.this_system else ""),
    )
    return [line for name, text in facts if text for line in _named(name, text, width)]


def step_back(step: Step, number: int, width: int) -> list[Line]:
    """What undoing the last step does; one that has changed nothing is only gone back behind."""
    name = f"step {number}, {step.title}"
    nothing = step.undo.startswith("Nothing")
    text = f"The job will go back to before {name}." if nothing else f"S{name[1:]}, will be undone:"
    what = step.undo if step.writes or not nothing else "It has written nothing to the stick."
    return [*_paragraph(text, width, Role.STRONG), EMPTY, *_paragraph(what, width)]


def roll_back(plan: Plan, width: int, job_id: str | None = None) -> list[Line]:
    """What going back does."""
    text = "Everything that this job has written to the stick will be undone."
    return [
        *_paragraph(text, width, Role.STRONG),
        *_paragraph(_will_be_again(plan), width, Role.WARNING),
        *_paragraph(_own(by_itself(plan.go_back), job_id), width),
        EMPTY,
        *place(plan.place, width),
    ]


def _own(text: str, job_id: str | None) -> str:
    """`text` of a plan in the console's words, with the job's own folder where it is known."""
    text = by_key(text)
    return of_job(text, job_id) if job_id else text


def _will_be_again(plan: Plan) -> str:
    """How the overlay will be when the job is undone: as broken as it was, as small as it was."""
    actions = [step.action for step in plan.steps]
    sizes = [size(each.from_bytes) for each in actions if isinstance(each, GrowFile)]
    will_be = ["Invalid"] if any(isinstance(each, SetValid) for each in actions) else []
    will_be += [f"{each} large" for each in sizes]
    return f"The overlay will be as before: {', '.join(will_be)}." if will_be else ""


def interrupted(job: Job, width: int) -> list[Line]:
    """A job that was found interrupted: what it was, how far it came, what can be done."""
    plan = job.plan
    where = f"{plan.title}: {job.done} of {len(plan.steps)} steps are done."
    lines = [
        *_paragraph("A job was interrupted before it had ended.", width, Role.STRONG),
        EMPTY,
        *_paragraph(where, width),
        *_paragraph(job.message, width),
        *_named("Stick", f"{plan.place.name}, {place_words(plan.place)}", width),
        EMPTY,
    ]
    if job.can_resume:
        lines += _named("Go on", "does the steps that are left.", width)
    if job.can_roll_back:
        what = _own(by_itself(plan.go_back), job.id) or "undoes everything that it did."
        lines += _named("Go back", what, width)
    return [
        *lines,
        *_named("Leave it", "keeps the stick as it is; it is not offered again.", width),
        *_named("Later", "changes nothing; j Jobs shows it.", width),
    ]


def engines(plan: Plan | None, width: int) -> list[Line]:
    """The two ways to make a new image, and the one that is planned now."""
    planned = next(
        (
            step.action.engine
            for step in (plan.steps if plan is not None else ())
            if isinstance(step.action, MakeImage)
        ),
        None,
    )
    lines: list[Line] = []
    for engine, text in _ENGINES.items():
        lines += _named(engine.capitalize(), text, width)
        if engine is planned:
            lines += [(Span(" " * _NAME), Span("Planned now.", Role.STRONG))]
        lines.append(EMPTY)
    return lines + _paragraph(
        "Both make the same image, compared in full. A stick without room for two images needs the "
        "folder with either.",
        width,
    )


_ENGINES = {
    Engine.STREAM: "base image and overlay are read and compressed in one go. No copy lies "
    "anywhere, and no other disk is needed.",
    Engine.MIRROR: "device-mapper copies the root file system into a folder on another disk, and "
    "the image is made of that copy. Needs its whole size there.",
}


def growth(plan: Plan, width: int) -> list[Line]:
    """What to know before an amount is chosen."""
    lines = place(plan.place, width)
    for room in plan.room:
        have = "unknown" if room.available_bytes is None else size(room.available_bytes)
        lines += _named("Room", f"{room.where}: {have}", width)
    lines.append(EMPTY)
    for number, text in enumerate(plan.summary):
        lines += _named("Proposed" if number == 0 else "", text, width)
    return lines


def _named(name: str, text: str, width: int) -> list[Line]:
    rows = wrap(text, width - _NAME)
    return [
        (Span((name if number == 0 else "").ljust(_NAME), Role.MUTED), Span(row))
        for number, row in enumerate(rows)
    ]


def _paragraph(text: str, width: int, role: Role = Role.TEXT) -> list[Line]:
    return [(Span(row, role),) for row in wrap(text, width)]
