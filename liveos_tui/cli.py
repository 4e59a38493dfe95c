"""The program `liveos-tui`: a command line to a command, an error to its words and exit code.

Commands do what the screens do. Each is imported when it is asked for: a script that asks `status`
every minute does not wait for the others.
"""

import sys
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from liveos_tui.commands.arguments import LIVE, parse
from liveos_tui.commands.output import complain
from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.system.supervisor import supervised

_WORK = ("recover", "grow", "merge", "reset")


def main(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    options = None
    try:
        options = parse(arguments)
        return _do(options)
    except LiveosError as error:
        if options is not None and _tells_events(options):
            from liveos_tui.commands.following import tell_failure  # noqa: PLC0415

            return tell_failure(error)
        return complain(error)
    except KeyboardInterrupt:
        return ExitCode.CANCELLED


def _tells_events(options: Namespace) -> bool:
    """Whether a script listens that is told everything as events, a failure as well."""
    whole = options.command == "jobs" and options.verb == "list"
    return options.command in {*_WORK, "jobs"} and options.json and not whole


def _do(options: Namespace) -> int:
    if options.command in _WORK:
        return _work(options)
    match options.command:
        case "jobs":
            return _jobs(options)
        case "report":
            from liveos_tui.commands.reporting import report  # noqa: PLC0415

            return report(options.target, options.output, yes=options.yes)
        case "completion":
            from liveos_tui.commands.completion import completion  # noqa: PLC0415

            return completion(options.shell)
        case "install-to-stick":
            from liveos_tui.commands.installing import install_to_stick  # noqa: PLC0415

            return install_to_stick(options.target, options.bundle)
    from liveos_tui.commands import looking  # noqa: PLC0415

    match options.command:
        case "status":
            return looking.status(options.target, as_json=options.json)
        case "practice":
            return looking.practice(Path(options.folder), options.state, stay=options.no_console)
    return looking.console(options.target, options.look, options.contrast)


def _work(options: Namespace) -> int:
    from liveos_tui.commands.working import Manner, wish_of, work  # noqa: PLC0415
    from liveos_tui.jobs.local import LocalWorkshop  # noqa: PLC0415

    manner = Manner(dry_run=options.dry_run, yes=options.yes, as_json=options.json)
    return work(LocalWorkshop(), options.target, wish_of(options), manner)


def _jobs(options: Namespace) -> int:
    from liveos_tui.commands.jobs import jobs  # noqa: PLC0415
    from liveos_tui.jobs.local import LocalWorkshop  # noqa: PLC0415
    from liveos_tui.live.local import LocalMachine  # noqa: PLC0415

    return jobs(
        LocalWorkshop(),
        options.verb,
        options.job,
        options.target,
        as_json=options.json,
        yes=options.yes,
        folder=options.work,
        own=LIVE if LocalMachine().is_live() else None,
    )


def run() -> None:
    """The program `liveos-tui`."""
    sys.exit(supervised(lambda: main(sys.argv[1:])))
