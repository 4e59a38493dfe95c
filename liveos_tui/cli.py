"""The command line. Commands do what the screens do, and import the console only to open it."""

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from liveos_tui import __version__
from liveos_tui.errors import ExitCode, LiveosError
from liveos_tui.live.local import LocalMachine
from liveos_tui.live.recognise import LIVE
from liveos_tui.live.report import document, exit_code, text
from liveos_tui.system.supervisor import supervised

_EXIT_CODES = """\
exit codes: 0 well; 10 needs attention; 20 broken (Invalid, overflowed, full, unreadable);
1 the operation failed; 2 usage; 3 not a LiveOS; 4 more privilege needed; 130 cancelled

TARGET is "live" (the running system, the default), a block device, a mount point, or a folder
that holds a live directory."""

_EXAMPLES = """\
examples:
  liveos-tui                      open the console on the running live system
  liveos-tui /dev/sdb1            open it on an attached stick
  liveos-tui status --json        the same figures for scripts
  liveos-tui practice             build a practice stick and open the console on it

"""

COMMANDS = ("status", "practice")


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    top = argparse.ArgumentParser(
        prog="liveos-tui",
        description="The maintenance console for LiveOS sticks. This version looks; it changes "
        "nothing on a stick.",
        epilog=_EXAMPLES + _EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="liveos-tui [TARGET] [--look plain|rich]\n       liveos-tui COMMAND [-h] ...",
    )
    top.add_argument("--version", action="version", version=f"liveos-tui {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND")
    console = commands.add_parser(
        "console",
        help="open the console (the default)",
        description="Open the console. `liveos-tui TARGET` does the same.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    console.add_argument("target", nargs="?", metavar="TARGET")
    console.add_argument(
        "--look",
        choices=("plain", "rich"),
        help="how to draw: plain is 16 colours and simple glyphs, rich is true colour "
        "(default: what the terminal can show)",
    )
    status = commands.add_parser(
        "status",
        help="one screen of text, or JSON",
        description="Tell how a LiveOS is, once, and end.",
        epilog=_EXIT_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    status.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    status.add_argument("--json", action="store_true", help="print one JSON document (schema 1)")
    practice = commands.add_parser(
        "practice",
        help="build a practice stick and open the console on it",
        description="Build a folder that is a LiveOS stick: real files, no root, no device-mapper.",
    )
    practice.add_argument(
        "folder",
        nargs="?",
        default="practice-stick",
        metavar="DIR",
        help="where to build it (default: practice-stick); an earlier practice stick is replaced",
    )
    practice.add_argument(
        "--state",
        choices=("fresh", "healthy", "nearly-full", "overflow", "invalid"),
        default="nearly-full",
        help="how its overlay is (default: nearly-full)",
    )
    practice.add_argument(
        "--no-console", action="store_true", help="build it, do not open the console"
    )
    return top


def main(arguments: Sequence[str]) -> int:
    """Run a command line and return its exit code."""
    words = list(arguments)
    if not words or (words[0] not in {"console", *COMMANDS} and words[0] not in _TOP_OPTIONS):
        words = ["console", *words]
    options = parser().parse_args(words)
    try:
        match options.command:
            case "status":
                return _status(options.target, as_json=options.json)
            case "practice":
                return _practice(Path(options.folder), options.state, stay=options.no_console)
        return _console(options.target, options.look)
    except LiveosError as error:
        return _told(error)
    except KeyboardInterrupt:
        return ExitCode.CANCELLED


_TOP_OPTIONS = frozenset({"-h", "--help", "--version"})


def _told(error: LiveosError) -> int:
    print(f"liveos-tui: {error.message}", file=sys.stderr)
    if error.hint:
        print(error.hint, file=sys.stderr)
    return error.exit_code


def _status(target: str, *, as_json: bool) -> int:
    watch = LocalMachine().open(target)
    try:
        system = watch.sample()
    finally:
        watch.close()
    _say(json.dumps(document(system), indent=2) + "\n" if as_json else text(system))
    return exit_code(system)


def _say(words: str) -> None:
    """Print to standard output. Raises LiveosError where it cannot be written (a full disk)."""
    try:
        print(words, end="", flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        # What is still in the buffer would fail again at the end.
        sys.stdout = sys.stderr
        raise LiveosError(f"The output could not be written: {error.strerror}.") from error


def _practice(folder: Path, state: str, *, stay: bool) -> int:
    from liveos_tui.practice.builder import PracticeState, build  # noqa: PLC0415

    build(folder, PracticeState(state))
    _say(f"A practice stick ({state}) is in {folder}.\n")
    return ExitCode.WELL if stay else _console(str(folder), None)


def _console(target: str | None, look: str | None) -> int:
    # Imported here: Textual takes most of the time that everything else needs to start.
    from liveos_tui.console.app import run as run_console  # noqa: PLC0415
    from liveos_tui.system.terminal import Look, current  # noqa: PLC0415

    if os.environ.get("TERM", "") in {"", "dumb", "unknown"}:
        raise LiveosError(
            "This terminal cannot show the console: TERM is not set, or says so.",
            "Use `liveos-tui status`, or set TERM to what the terminal is.",
        )
    machine = LocalMachine()
    if target is None and machine.is_live():
        target = LIVE
    return run_console(machine, target, current(Look(look) if look else None))


def run() -> None:
    """The program `liveos-tui`."""
    sys.exit(supervised(lambda: main(sys.argv[1:])))
