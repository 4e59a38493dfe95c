"""Commands that look: `status`, `practice`, and the console itself."""

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from liveos_tui.commands.arguments import LIVE
from liveos_tui.commands.output import say
from liveos_tui.errors import ExitCode
from liveos_tui.jobs.events import IS
from liveos_tui.jobs.findings import of_jobs, second_image_named
from liveos_tui.jobs.folder import ALIVE, JobFolders
from liveos_tui.jobs.journal import journals
from liveos_tui.jobs.listing import job_of_journal
from liveos_tui.jobs.unfinished import check_free
from liveos_tui.live.local import LocalMachine
from liveos_tui.live.model import Finding, LiveSystem
from liveos_tui.live.place import Place
from liveos_tui.live.recognise import absolute, mode_of
from liveos_tui.live.report import document, exit_code, text
from liveos_tui.system.files import Folder
from liveos_tui.system.probes import Probes


def status(target: str, *, as_json: bool) -> int:
    """Tell how a LiveOS is."""
    watch = LocalMachine().open(target)
    try:
        system = with_jobs(watch.sample())
    finally:
        watch.close()
    say(json.dumps(document(system), indent=2) + "\n" if as_json else text(system))
    return exit_code(system)


def with_jobs(system: LiveSystem) -> LiveSystem:
    """Add what the journals on the stick tell: a half-done rescue is not well, whatever it is."""
    folder = system.target.mount_point
    found = journals(Folder(Path(folder))) if folder is not None else ()
    told = tuple(of_jobs(found, system.target, JobFolders(Probes())))
    named = second_image_named(system.findings, map(job_of_journal, found), system)
    if any(each.code in {"job-at-work", "job-unfinished"} for each in told):
        named = _after_the_job(named)
    return replace(system, findings=(*told, *named))


def _after_the_job(findings: Iterable[Finding]) -> Iterator[Finding]:
    """The findings of a stick with a job that has not ended: nothing else is begun on it."""
    for finding in findings:
        if finding.operation is not None:
            action = f"The job comes first. {finding.action}"
            yield replace(finding, operation=None, action=action)
        elif finding.code != "second-image":
            # What that one is, the job says better.
            yield finding


def practice(folder: Path, state: str, *, stay: bool) -> int:
    """Build a practice stick, and open the console on it unless `stay`."""
    from liveos_tui.practice.builder import PracticeState, build  # noqa: PLC0415

    path = absolute(str(folder))
    check_free(JobFolders(Probes()), Place(path, path, "", mount_point=path))
    build(folder, PracticeState(state))
    say(f"A practice stick ({state}) is in {folder}.\n")
    return ExitCode.WELL if stay else console(str(folder))


def console(target: str | None, look: str | None = None, contrast: str | None = None) -> int:
    """Open the console. Raises LiveosError."""
    from liveos_tui.system.terminal import NoTerminalError  # noqa: PLC0415

    try:
        return _console(target, look, contrast)
    except NoTerminalError:
        # A name that is mistyped is the first thing to be told; at a terminal its stick may come.
        if target not in {None, LIVE}:
            mode_of(Probes(), absolute(target))
        raise


def _console(target: str | None, look: str | None, contrast: str | None) -> int:
    # Imported here: Textual takes most of the time that everything else needs to start.
    from liveos_tui.console.app import run as run_console  # noqa: PLC0415
    from liveos_tui.jobs.local import LocalWorkshop  # noqa: PLC0415
    from liveos_tui.system.terminal import (  # noqa: PLC0415
        Contrast,
        Look,
        NoTerminalError,
        current,
    )

    if os.environ.get("TERM", "") in {"", "dumb", "unknown"}:
        raise NoTerminalError(
            "This terminal cannot show the console: TERM is not set, or says so.",
            "Use `liveos-tui status`, or set TERM to what the terminal is.",
        )
    machine = LocalMachine()
    if target is None and machine.is_live():
        target = LIVE
    terminal = current(Look(look) if look else None, Contrast(contrast) if contrast else None)
    workshop = LocalWorkshop()
    code = run_console(machine, target, terminal, workshop)
    for job in workshop.jobs():
        # Whoever closes the console on a job is told where it is.
        if job.state in ALIVE:
            shows = f"`liveos-tui jobs attach {job.id}` shows it."
            say(f"{job.plan.title}: the job {IS[job.state]}. {shows}\n")
    return code
