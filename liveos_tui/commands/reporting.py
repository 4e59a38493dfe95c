"""`report`: one text for a report of an error, shown before it is saved."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

from liveos_tui.commands.bug_report import Findings, bug_report
from liveos_tui.commands.looking import with_jobs
from liveos_tui.commands.output import ask, can_ask, say
from liveos_tui.commands.paging import say_in_pages
from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.formats.text import clean
from liveos_tui.jobs.events import Event, JobState
from liveos_tui.jobs.journal import journals
from liveos_tui.jobs.local import LocalWorkshop
from liveos_tui.jobs.marks import emptied_stores
from liveos_tui.jobs.workshop import Job
from liveos_tui.live.booted import is_live
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.evidence import gather
from liveos_tui.live.local import LocalWatch
from liveos_tui.live.recognise import LIVE, MissingTargetError, absolute, recognise
from liveos_tui.system.personal import personal_words
from liveos_tui.system.probes import Probes
from liveos_tui.system.saving import save_new
from liveos_tui.system.terminal import current
from liveos_tui.system.work_folder import device_number

_ASKERS = ("USER", "LOGNAME", "SUDO_USER")
_MOST_TOLD = 3
_NOT_SAVED = "liveos-tui: Shown, not saved. To save the report: --yes [--output FILE]."


class OwnRootError(LiveosError):
    """A file was named that would be written into the overlay of the running system."""

    exit_code = ExitCode.USAGE


def report(target: str, output: str | None, *, yes: bool, probes: Probes | None = None) -> int:
    """Show the report of a target, and save it where the person wants it. Raises LiveosError."""
    probes = probes or Probes()
    place = _place(probes, output)
    if yes and place is None:
        raise _nowhere()
    # A folder is hidden by its whole path: a part of it may be any word.
    found = _look(probes, target if target == LIVE else absolute(target))
    mount_point = found.system.target.mount_point if found.system else None
    askers = tuple(os.environ.get(name, "") for name in _ASKERS)
    words = bug_report(gather(probes, mount_point), found, personal_words(probes, askers))
    if not yes:
        if not can_ask():
            say(words)
            print(_NOT_SAVED, file=sys.stderr)
            return ExitCode.WELL
        say_in_pages(words)
        if place is None:
            raise _nowhere()
        question = f"\nRead it first. Type yes to save it as {clean(str(place))}: "
        if (ask(question) or "").lower() != "yes":
            say("It was not saved.\n")
            return ExitCode.CANCELLED
    assert place is not None  # noqa: S101 - asked above
    save_new(place, words)
    say(f"The report is in {clean(str(place))}. Read it before you give it away.\n")
    return ExitCode.WELL


def _look(probes: Probes, target: str) -> Findings:
    """All that can be found out; what cannot is told, since that may be the very error."""
    found = Findings(target, terminal=_terminal())
    try:
        watch = LocalWatch(probes, target)
        try:
            found = replace(found, system=with_jobs(watch.sample()))
        finally:
            watch.close()
        recognised = recognise(probes, target)
        with recognised.hold:
            site = recognised.site
            stick = probes.folder(site.mount_point) if site.mount_point is not None else None
            emptied = emptied_stores(journals(stick) if stick is not None else ())
            found = replace(found, facts=diagnose(probes, site, emptied=emptied).facts)
    except MissingTargetError:
        raise
    except LiveosError as error:
        found = replace(found, problems=(f"{error.message} {error.hint}".strip(),))
    try:
        workshop = LocalWorkshop(probes)
        known = workshop.jobs(target if found.system is not None else None)
    except LiveosError as error:
        return replace(found, problems=(*found.problems, f"Jobs: {error.message}"))
    # A stick that cannot be looked at is known by its name alone.
    jobs = tuple(
        job
        for job in known
        if job.on_target or (found.system is None and job.plan.place.target == target)
    )
    return replace(found, jobs=jobs, other_jobs=len(known) - len(jobs), told=_told(workshop, jobs))


def _told(workshop: LocalWorkshop, jobs: tuple[Job, ...]) -> dict[str, list[Event]]:
    """What the latest jobs that did not end well have told, where that is still there."""
    told = {}
    for job in [job for job in jobs if job.state is not JobState.DONE][:_MOST_TOLD]:
        with suppress(LiveosError), closing(workshop.feed(job.id)) as feed:
            told[job.id] = feed.poll()
    return told


def _terminal() -> str:
    """What is shown to the person, and how; empty where there is no terminal."""
    if not os.isatty(1):
        return ""
    seen, size = current(), os.get_terminal_size(1)
    kinds = {"colour": seen.colour, "UTF-8": seen.unicode, "serial": seen.serial}
    words = [seen.look.value, *(word for word, there in kinds.items() if there)]
    kind = os.environ.get("TERM", "of no type")
    return f"terminal: {kind}, {size.columns}x{size.lines}, {', '.join(words)}"


def _place(probes: Probes, output: str | None) -> Path | None:
    """Where the report is saved: as named, else the first folder that is not the own overlay.

    None where there is no such folder. Raises OwnRootError for a file that was named there, and
    MissingTargetError for one that cannot be.
    """
    if output is not None:
        path = Path(absolute(output))
        if _is_own_root(probes, path.parent):
            raise OwnRootError(
                f"{clean(output)} lies on the running system's overlay, which fills by every file.",
                "Nothing was written. Name a file on another disk, on the stick itself or in /run.",
            )
        return path
    name = f"liveos-tui-report-{time.strftime('%Y%m%d-%H%M%S')}.txt"
    for folder in _folders(probes):
        writable = os.access(folder, os.W_OK | os.X_OK)
        if writable and not _is_own_root(probes, folder):
            return folder / name
    return None


def _folders(probes: Probes) -> Iterator[Path]:
    with suppress(FileNotFoundError):
        yield Path.cwd()
    if is_live(probes):
        with suppress(LiveosError):
            recognised = recognise(probes)
            with recognised.hold:
                yield from map(Path, filter(None, [recognised.site.mount_point]))
    yield from map(Path, filter(None, [os.environ.get("XDG_RUNTIME_DIR")]))
    yield Path("/run")


def _is_own_root(probes: Probes, folder: Path) -> bool:
    """Whether what is written to a folder fills the overlay of the running system."""
    if not is_live(probes):
        return False
    try:
        return device_number(folder) == device_number(probes.path("/"))
    except LiveosError:
        # It will say for itself that it is not there.
        return False


def _nowhere() -> LiveosError:
    return LiveosError(
        "This user may save the report neither in this folder nor in /run; the running system's "
        "overlay is never written.",
        "It was not saved. Name a file elsewhere with --output, or run it as root.",
    )
