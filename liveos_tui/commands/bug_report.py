"""The text of a report of an error: all that helps, and nothing that is personal."""

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from liveos_tui.formats.disguise import Disguise, Known, Personal
from liveos_tui.formats.kernel_log import without_names
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import (
    CommandEvent,
    EndEvent,
    Event,
    FoundEvent,
    JobState,
    OutputEvent,
    StepEvent,
    StepState,
)
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.booted import STICK_MOUNT_POINTS
from liveos_tui.live.contents import overlay_name_parts
from liveos_tui.live.diagnosis import Fact
from liveos_tui.live.evidence import Evidence, Untold
from liveos_tui.live.model import LiveSystem
from liveos_tui.live.report import document, text

_LINE_LIMIT = 400
_MOST_KERNEL_LINES = 200
_MOST_JOBS = 20
_MOST_EVENTS = 40
_INTRODUCTION = (
    "A report for the people who mend liveos-tui. Names, labels, serial numbers, UUIDs, addresses",
    "and folders of persons are left out: <label-1> is the same label wherever it stands.",
)


# What a repair prints of files has their names, in quotes or as a path. Only devices and what lies
# in the live directory are called the same everywhere.
_NAMES = re.compile(r"['\"`\u2018-\u201d]|/(?!\d)")
_NAMELESS = re.compile(r"/dev/(?:mapper/)?[\w.-]+|LiveOS/[\w.-]+")


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found on a target: `problems` say why something is missing, in sentences.

    `jobs` are those of the target; of `other_jobs` only their number is told. `told`: what jobs
    that did not end well have told, by their ids. `terminal`: what it shows.
    """

    target: str
    system: LiveSystem | None = None
    facts: Sequence[Fact] = ()
    jobs: Sequence[Job] = ()
    problems: Sequence[str] = ()
    told: Mapping[str, Sequence[Event]] = field(default_factory=dict)
    terminal: str = ""
    other_jobs: int = 0


def bug_report(evidence: Evidence, found: Findings, known: Known) -> str:
    """The report. `known` are words of this machine that are personal."""
    disguise = Disguise(_all_known(found, known))
    # A diagnosis may quote the kernel's log.
    told = (without_names(line) if "-fs " in line else line for line in _lines(evidence, found))
    lines = (clean(disguise(line), _LINE_LIMIT) for line in told)
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _all_known(found: Findings, known: Known) -> Mapping[Personal, tuple[str, ...]]:
    """What the machine calls its own, and what the target and its jobs tell of themselves."""
    target = found.system.target if found.system else None
    overlays = [found.system.overlay, found.system.unused_overlay] if found.system else []
    parts = [overlay_name_parts(each.path) for each in overlays if each and each.path]
    places = [job.plan.place for job in found.jobs]
    parts += [overlay_name_parts(place.overlay) for place in places]
    folders = [found.target, *(place.target for place in places)]
    folders += [place.mount_point or "" for place in places]
    labels = [label or "" for label, _ in parts] + [place.label or "" for place in places]
    uuids = [uuid or "" for _, uuid in parts] + [place.uuid or "" for place in places]
    if target is not None:
        folders += [target.path, target.mount_point or ""]
        labels.append(target.label or "")
        uuids.append(target.uuid or "")
    more = {
        Personal.FOLDER: [each for each in folders if _is_own_folder(each)],
        Personal.LABEL: [*labels, *(place.name for place in places if "/" not in place.name)],
        Personal.UUID: uuids,
        Personal.SERIAL: [place.serial or "" for place in places],
    }
    return {
        kind: (*known.get(kind, ()), *(clean(word) for word in more.get(kind, ())))
        for kind in Personal
    }


def _is_own_folder(path: str) -> bool:
    """Whether a path says more than how every Linux calls a device."""
    plain = path.startswith(("/dev/", *STICK_MOUNT_POINTS))
    return path.startswith("/") and len(path) > 1 and not plain


def _lines(evidence: Evidence, found: Findings) -> Iterator[str]:
    yield from _INTRODUCTION
    yield from _section("Versions", [f"{name}: {told}" for name, told in evidence.versions])
    who = "root" if evidence.privileged else "a user without root's rights"
    yield from _section(
        "System",
        [evidence.release or "without a name", f"asked by {who}", *filter(None, [found.terminal])],
    )
    yield from _section("Target", [found.target, *found.problems])
    if found.system is not None:
        yield from ("", *text(found.system).rstrip().split("\n"))
        yield from _section("Figures", _figures(found.system))
    facts = [f"{fact.name}: {fact.text}" for fact in found.facts]
    yield from _section("Diagnosis of the overlay", facts)
    yield from _section("Device-mapper tables", evidence.tables)
    yield from _section("Device-mapper statuses", evidence.statuses)
    yield from _section("Loop devices", evidence.loops)
    yield from _section("Mounts", evidence.mounts)
    yield from _section(
        "Kernel command line", [*evidence.options, f"{evidence.left_out} words are left out."]
    )
    jobs = [
        line
        for job in found.jobs[:_MOST_JOBS]
        for line in (*_of_job(job), *_end_of(found.told.get(job.id, ())))
    ]
    if not jobs:
        jobs.append("None of this stick." if found.system else "None: no stick was found.")
    if found.other_jobs:
        jobs.append(
            f"{found.other_jobs} of other sticks are left out: `liveos-tui report STICK` is about "
            "one of those."
        )
    yield from _section("Jobs", jobs)
    kernel = evidence.kernel
    yield from _section(
        "Kernel log", kernel if isinstance(kernel, Untold) else kernel[-_MOST_KERNEL_LINES:]
    )


def _section(name: str, lines: Sequence[str] | Untold) -> Iterator[str]:
    yield from ("", name, "-" * len(name))
    if isinstance(lines, Untold):
        yield f"It could not be found out: {lines.reason}"
    else:
        yield from lines or ["None."]


def _figures(system: LiveSystem) -> list[str]:
    """What `status --json` says of layout, overlays and operations, one field a line."""
    whole = document(system)
    lines = []
    for part in ("target", "layout", "overlay", "unused_overlay", "root", "home", "host"):
        fields = whole[part] or {}
        told = [f"{name}={value}" for name, value in fields.items() if value is not None]
        lines.append(f"{part}: {' '.join(told) or 'none'}")
    for name, operation in whole["operations"].items():
        lines.append(f"{name}: {operation['why_not'] or 'possible'}")
    return lines


def _of_job(job: Job) -> Iterator[str]:
    began = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(job.started))
    steps = job.plan.steps
    undone = job.state is JobState.ROLLED_BACK
    how_far = "" if undone else f", {job.done} of {len(steps)} steps done"
    yield f"{job.id}: {job.state}, begun {began} UTC{how_far}"
    yield f"  {job.plan.title}"
    if job.state is not JobState.DONE and not undone:
        for number, step in enumerate(steps):
            yield f"  {'done' if number < job.done else '-':5}{number + 1} {step.title}"
    if job.message:
        yield f"  {job.message}"


def _end_of(told: Sequence[Event]) -> Iterator[str]:
    """The last lines that a job has told, but for those that may name files."""
    lines = [line for event in told for line in _of_event(event)]
    kept = [line for line in lines if not _NAMES.search(_NAMELESS.sub("", line))]
    if told:
        yield f"  The end of what it told, without {len(lines) - len(kept)} lines that name files:"
        yield from (f"  | {line}" for line in kept[-_MOST_EVENTS:])


def _of_event(event: Event) -> Sequence[str]:
    match event:
        case CommandEvent():
            return (f"$ {' '.join(event.argv)}",)
        case OutputEvent() | FoundEvent():
            return (event.text,)
        case StepEvent() if event.state is not StepState.RUNNING:
            return (f"step {event.step + 1}: {event.state} {event.text}".rstrip(),)
        case EndEvent():
            return tuple(filter(None, (event.message, event.hint, *event.report)))
        case _:
            return ()
