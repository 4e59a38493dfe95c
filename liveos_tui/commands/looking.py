"""Commands that look: `status`, `practice`, and the console itself."""

import json
import os
from pathlib import Path

from liveos_tui.commands.arguments import LIVE
from liveos_tui.commands.output import say
from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.live.local import LocalMachine
from liveos_tui.live.report import document, exit_code, text


def status(target: str, *, as_json: bool) -> int:
    """Tell how a LiveOS is."""
    watch = LocalMachine().open(target)
    try:
        system = watch.sample()
    finally:
        watch.close()
    say(json.dumps(document(system), indent=2) + "\n" if as_json else text(system))
    return exit_code(system)


def practice(folder: Path, state: str, *, stay: bool) -> int:
    """Build a practice stick, and open the console on it unless `stay`."""
    from liveos_tui.practice.builder import PracticeState, build  # noqa: PLC0415

    build(folder, PracticeState(state))
    say(f"A practice stick ({state}) is in {folder}.\n")
    return ExitCode.WELL if stay else console(str(folder), None)


def console(target: str | None, look: str | None) -> int:
    """Open the console."""
    # Imported here: Textual takes most of the time that everything else needs to start.
    from liveos_tui.console.app import run as run_console  # noqa: PLC0415
    from liveos_tui.jobs.local import LocalWorkshop  # noqa: PLC0415
    from liveos_tui.system.terminal import Look, current  # noqa: PLC0415

    if os.environ.get("TERM", "") in {"", "dumb", "unknown"}:
        raise LiveosError(
            "This terminal cannot show the console: TERM is not set, or says so.",
            "Use `liveos-tui status`, or set TERM to what the terminal is.",
        )
    machine = LocalMachine()
    if target is None and machine.is_live():
        target = LIVE
    terminal = current(Look(look) if look else None)
    return run_console(machine, target, terminal, LocalWorkshop())
