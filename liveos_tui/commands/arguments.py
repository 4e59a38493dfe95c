"""The words of the command line. Nothing here does anything."""

import argparse
import os
from collections.abc import Sequence

from liveos_tui import __version__
from liveos_tui.commands.epilogs import epilog
from liveos_tui.commands.mistakes import Parser, UnknownWordError, meant
from liveos_tui.formats.text import clean

LIVE = "live"
"""The running system: what every command is about when nothing else is named."""

SHELLS = ("bash", "zsh", "fish")

# All that squashfs knows; a mksquashfs may be made without some of them.
_COMPRESSORS = ("gzip", "lz4", "lzma", "lzo", "xz", "zstd")
# zstd's; the others have fewer, or none.
_LEVELS = range(1, 23)

COMMANDS = (
    "console", "status", "recover", "grow", "merge", "reset", "jobs", "practice", "report",
    "completion", "install-to-stick",
)  # fmt: skip
_VERBS = ("list", "attach", "pause", "cancel", "resume", "rollback", "leave", "forget")
_TOP_OPTIONS = frozenset({"-h", "--help", "--version"})

_SIZES = "SIZE is 64M, 1.5G, 64MiB (powers of 1024), 64MB (of 1000) or a number of\nbytes."


def parse(words: Sequence[str]) -> argparse.Namespace:
    """Read a command line; one that names no command is the console's.

    Raises UnknownWordError for one that is none, and SystemExit after a help.
    """
    if words and (words[0] in COMMANDS or words[0] in _TOP_OPTIONS):
        return _parse(words)
    if words and not words[0].startswith("-"):
        _check_target(words[0])
    options = _parse(["console", *words])
    if options.target is not None:
        _check_target(options.target)
    return options


def _parse(words: Sequence[str]) -> argparse.Namespace:
    """Read the words of a command. Raises UnknownWordError, after its usage, for one too many."""
    top = parser()
    options, unknown = top.parse_known_args(words)
    commands = next(each for each in top._actions if isinstance(each, _Commands))
    command: Parser = commands.choices[options.command]
    if options.command == "jobs" and options.verb == "list" and options.job is not None:
        unknown = [*unknown, options.job]
    if unknown:
        word = next((each for each in unknown if each.startswith("-")), unknown[0])
        word = word.partition("=")[0]
        text = f"no option {clean(word)}" if word.startswith("-") else f"no place for {clean(word)}"
        command.error(f"There is {text} here.{meant(word, command._option_string_actions)}")
    command.check_not_empty(options)
    return options


def _check_target(word: str) -> None:
    """Raise UnknownWordError for what is more likely a mistyped command than a target.

    A path is a target, also one that is not there: its stick may come.
    """
    if not word or word == LIVE or "/" in word or os.path.lexists(word):
        return
    raise UnknownWordError(
        f"{clean(word)} is no command, and no file, folder or device here has that name."
        f"{meant(word, (*COMMANDS, *(f'jobs {verb}' for verb in _VERBS), '--help', '--version'))}",
        "Nothing was done. `liveos-tui --help` lists the commands.",
    )


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    top = Parser(
        prog="liveos-tui",
        description="The maintenance console for LiveOS sticks: see how full the persistent\n"
        "overlay is, enlarge it while the system runs, bring it back when it has died,\n"
        "make it part of a new image before it is used up.",
        epilog=epilog(""),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="liveos-tui [TARGET] [--look plain|rich] [--contrast normal|high]\n"
        "       liveos-tui COMMAND [-h] ...",
    )
    top.add_argument(
        "--version",
        action="version",
        version=f"liveos-tui {__version__}",
        help="show the version and exit",
    )
    commands = top.add_subparsers(dest="command", metavar="COMMAND", prog="liveos-tui")
    _add_console(commands)
    _add_status(commands)
    _add_recover(commands)
    _add_grow(commands)
    _add_merge(commands)
    _add_reset(commands)
    _add_jobs(commands)
    _add_practice(commands)
    _add_report(commands)
    _add_completion(commands)
    _add_install(commands)
    return top


_Commands = argparse._SubParsersAction


def _command(
    commands: "_Commands[Parser]", name: str, what: str, description: str
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=what,
        description=description,
        epilog=epilog(name),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # An option that is cut short may be another one in the next version.
        allow_abbrev=False,
    )


def _add_console(commands: "_Commands[Parser]") -> None:
    console = _command(
        commands,
        "console",
        "open the console (the default)",
        "Open the console. `liveos-tui TARGET` does the same.",
    )
    console.add_argument("target", nargs="?", metavar="TARGET")
    console.add_argument(
        "--look",
        choices=("plain", "rich"),
        help="how to draw: plain is 16 colours and simple glyphs, rich is true colour "
        "(default: what the terminal can show)",
    )
    console.add_argument(
        "--contrast",
        choices=("normal", "high"),
        help="high is black, white and few bright colours, with the terminal's cursor shown "
        "(default: normal, or what LIVEOS_TUI_CONTRAST says)",
    )


def _add_status(commands: "_Commands[Parser]") -> None:
    status = _command(
        commands,
        "status",
        "one screen of text, or JSON",
        "Tell how a LiveOS is, once, and end.",
    )
    status.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    status.add_argument("--json", action="store_true", help="print one JSON document (schema 1)")


def _add_recover(commands: "_Commands[Parser]") -> None:
    recover = _command(
        commands,
        "recover",
        "bring an overlay back that is Invalid or full",
        "Bring an overlay back that is Invalid or full, and repair the file system in\n"
        "it. The overlay must not be in use: attach the stick to another Linux, or boot\n"
        "it once without its overlay. `jobs rollback` undoes it until it is booted.\n\n"
        f"{_SIZES}",
    )
    recover.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    recover.add_argument(
        "--grow", metavar="SIZE", help="grow the overlay by that much (default: what it needs)"
    )
    recover.add_argument(
        "--rehearse",
        action="store_true",
        help="do it on a throw-away copy and tell what would come back; writes nothing",
    )
    recover.add_argument(
        "--repair",
        action="store_true",
        help="have e2fsck look, and repair, also where nothing is known to be wrong",
    )
    recover.add_argument(
        "--backup",
        metavar="DIR",
        action="append",
        default=[],
        help="save the overlay's header and list of changes in this folder on another disk, too",
    )
    _add_manner(recover)


def _add_grow(commands: "_Commands[Parser]") -> None:
    grow = _command(
        commands,
        "grow",
        "enlarge an overlay, also of the running system",
        "Enlarge the overlay's file; of the running system while it runs, without a\n"
        f"reboot.\n\n{_SIZES}",
    )
    grow.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    amount = grow.add_mutually_exclusive_group()
    amount.add_argument("--by", metavar="SIZE", help="by how much (default: as is proposed)")
    amount.add_argument("--to", metavar="SIZE", help="how large it is to be")
    grow.add_argument(
        "--fill",
        action="store_true",
        help="fill in the holes of the overlay's file (parts that take no room yet): one with "
        "holes may become Invalid when the stick is full",
    )
    _add_manner(grow)


def _add_merge(commands: "_Commands[Parser]") -> None:
    merge = _command(
        commands,
        "merge",
        "make an overlay part of a new image, and empty it",
        "Make what is in an overlay part of a new root image beside the old one, compare\n"
        "it block by block, exchange the two and empty the overlay. The old image is\n"
        "kept until `jobs forget`; until the stick is booted `jobs rollback` puts\n"
        "everything back. The running system's own overlay is merged while it runs: what\n"
        "changes meanwhile is kept.",
    )
    merge.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    merge.add_argument(
        "--engine",
        choices=("stream", "mirror"),
        help="stream needs no scratch disk; mirror copies the root to --work first, with "
        "device-mapper (default: the faster one that fits, which is the stream)",
    )
    merge.add_argument(
        "--work",
        metavar="DIR",
        help="a folder on another disk: for the mirror, and for both images where the stick has no "
        "room for two",
    )
    merge.add_argument(
        "--comp",
        choices=_COMPRESSORS,
        metavar="NAME",
        help="the compressor: zstd, xz, gzip, lz4, lzo or lzma (default: the old one's)",
    )
    merge.add_argument("--level", type=_level, metavar="N", help="the compressor's level")
    merge.add_argument(
        "--no-switch",
        action="store_true",
        help="have the running system use the new image from the next boot on, not at once",
    )
    _add_manner(merge)


def _level(text: str) -> int:
    """A level that one of the compressors has; whether this one has it is looked at later."""
    if text.isdecimal() and len(text) < 3 and int(text) in _LEVELS:
        return int(text)
    least, most = _LEVELS[0], _LEVELS[-1]
    raise argparse.ArgumentTypeError(f"takes a number from {least} to {most}, not {clean(text)}")


def _add_reset(commands: "_Commands[Parser]") -> None:
    reset = _command(
        commands,
        "reset",
        "throw an overlay's contents away",
        "Empty an overlay that is not in use: all that was changed since the image was\n"
        "made is gone.",
    )
    reset.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    _add_manner(reset)


def _add_manner(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--dry-run", action="store_true", help="tell what would be done, and do nothing"
    )
    command.add_argument("--yes", action="store_true", help="do not ask")
    command.add_argument(
        "--json", action="store_true", help="one event a line; it does not ask, so it needs --yes"
    )


def _add_jobs(commands: "_Commands[Parser]") -> None:
    jobs = _command(
        commands,
        "jobs",
        "long work, alive or interrupted",
        "What is at work, and what was interrupted. A job goes on without its console.",
    )
    jobs.add_argument(
        "verb",
        nargs="?",
        default="list",
        choices=_VERBS,
        metavar="|".join(_VERBS),
        help="attach listens to a job; pause has it stand still, and cancel ends it, where that "
        "does no harm; resume goes on with one that was interrupted, waits or is paused; rollback "
        "undoes what it wrote, until the stick is booted; leave keeps things as they are and stops "
        "offering it; forget gives the way back up, and removes what was kept for it: saved "
        "chunks, a merge's old image",
    )
    jobs.add_argument("job", nargs="?", metavar="ID", help="which job (all but list)")
    jobs.add_argument(
        "--target",
        metavar="TARGET",
        help="the stick whose journals are looked at (default: the running live system, and where "
        "the job itself says)",
    )
    jobs.add_argument(
        "--work",
        metavar="DIR",
        help="the folder on another disk that a merge works in, where it is now",
    )
    jobs.add_argument(
        "--yes", action="store_true", help="do not ask (resume, rollback and forget ask)"
    )
    jobs.add_argument(
        "--json", action="store_true", help="list: one JSON document; the others: one event a line"
    )


def _add_practice(commands: "_Commands[Parser]") -> None:
    practice = _command(
        commands,
        "practice",
        "build a practice stick and open the console on it",
        "Build a folder that is a LiveOS stick: real files, no root, no device-mapper.\n"
        "All that the console does to a stick can be done to it.",
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
        metavar="STATE",
        help="how its overlay is: fresh, healthy, nearly-full, overflow or invalid "
        "(default: nearly-full)",
    )
    practice.add_argument(
        "--no-console", action="store_true", help="build it, do not open the console"
    )


def _add_report(commands: "_Commands[Parser]") -> None:
    report = _command(
        commands,
        "report",
        "one text file for a report of an error",
        "Tell all that helps to find an error: layout, figures, tables, versions, jobs,\n"
        "the lines of the kernel's log that matter. Names, labels, serial numbers,\n"
        "UUIDs, addresses and folders of persons are replaced. At a terminal it is shown\n"
        "first, then it asks whether to save it; elsewhere it is only shown.",
    )
    report.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    report.add_argument(
        "--output",
        metavar="FILE",
        help="the file to save it in, which must not be there yet (default: a file in this "
        "folder; never on the running system's overlay, but on the stick itself or in /run)",
    )
    report.add_argument("--yes", action="store_true", help="save it at once, do not show it")


def _add_completion(commands: "_Commands[Parser]") -> None:
    completion = _command(
        commands,
        "completion",
        "print the completion script of a shell",
        "Print the script by which a shell completes commands, options and targets.",
    )
    completion.add_argument("shell", choices=SHELLS, help="which shell")


def _add_install(commands: "_Commands[Parser]") -> None:
    install = _command(
        commands,
        "install-to-stick",
        "copy this program onto a stick, to run from there",
        "Copy this program and all that it needs onto a stick, into the folder\n"
        "liveos-tui beside the live directory, and read it back. Another version that is\n"
        "there is replaced when the new one is whole. On the booted stick it is started\n"
        "by `sh /run/initramfs/live/liveos-tui/liveos-tui`, with the stick's own Python:\n"
        "nothing is installed, no byte of the overlay is written.",
    )
    install.add_argument("target", metavar="TARGET")
    install.add_argument(
        "--bundle",
        metavar="DIR",
        help="the program to copy, as `make bundle` makes it (default: the one that this runs "
        "from, or that was made in its checkout)",
    )
