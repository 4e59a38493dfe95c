"""The words of the command line. Nothing here does anything."""

import argparse
from collections.abc import Mapping

from liveos_tui import __version__

LIVE = "live"
"""The running system: what every command is about when nothing else is named."""

COMMANDS = ("console", "status", "recover", "grow", "merge", "reset", "jobs", "practice")
TOP_OPTIONS = frozenset({"-h", "--help", "--version"})

_TARGET = """\
TARGET is "live" (the running system, the default), a block device, a mount point, or a folder
that holds a live directory. No stick is ever chosen for you."""

_EXIT_CODES = f"""\
exit codes: 0 well; 10 needs attention; 20 broken (Invalid, overflowed, full, unreadable);
1 the operation failed; 2 usage; 3 not a LiveOS; 4 more privilege needed; 130 cancelled

{_TARGET}"""

_WORK_CODES = f"""\
exit codes: 0 done, or there was nothing to do; 1 it failed or cannot be done; 2 usage, or no yes;
3 not a LiveOS; 4 more privilege needed; 130 cancelled, or left running after Ctrl+C

{_TARGET}"""

_EXAMPLES: Mapping[str, str] = {
    "": """\
examples:
  liveos-tui                        open the console on the running live system
  liveos-tui /dev/sdb1              open it on an attached stick
  liveos-tui status --json          the figures for scripts
  liveos-tui grow --by 256M         more room for the running system, without a reboot
  liveos-tui recover /dev/sdb1      bring an overlay back that is Invalid or full
  liveos-tui merge /dev/sdb1        make the overlay part of a new image, and empty it
  liveos-tui jobs                   what is at work, and what was interrupted
  liveos-tui practice               build a practice stick and open the console on it
""",
    "recover": """\
examples:
  liveos-tui recover /dev/sdb1 --rehearse     what would come back; nothing is written
  liveos-tui recover /dev/sdb1 --dry-run      every step and command; nothing is written
  liveos-tui recover /dev/sdb1                ask, then recover
  liveos-tui recover /dev/sdb1 --grow 512M --backup /root/saved
""",
    "grow": """\
examples:
  liveos-tui grow --by 256M            the running system's overlay, while it runs
  liveos-tui grow /dev/sdb1 --to 2G    an attached stick's
  liveos-tui grow                      by as much as is proposed
""",
    "merge": """\
examples:
  liveos-tui merge /dev/sdb1 --dry-run        room, steps and commands; nothing is written
  liveos-tui merge /dev/sdb1                  asks for the stick's name, then merges
  liveos-tui merge /dev/sdb1 --comp zstd --level 15
  liveos-tui merge /dev/sdb1 --engine mirror --work /mnt/disk
  liveos-tui jobs rollback ID                 the old image again, and the overlay as it was
  liveos-tui jobs forget ID                   give that up: remove the old image
""",
    "reset": """\
examples:
  liveos-tui reset /dev/sdb1 --dry-run   what would be thrown away
  liveos-tui reset /dev/sdb1             asks for the stick's name, then empties its overlay
""",
    "jobs": """\
examples:
  liveos-tui jobs                               the jobs of this machine
  liveos-tui jobs list --target /dev/sdb1       those that a stick's journals tell of, too
  liveos-tui jobs attach ID                     listen to one
  liveos-tui jobs resume ID --target /dev/sdb1  go on after a power cut
  liveos-tui jobs rollback ID                   the overlay as it was before, to the byte
  liveos-tui jobs forget ID                     give up the way back, and its room on the stick
""",
}

_SIZES = "SIZE is 64M, 1.5G, 64MiB (powers of 1024), 64MB (of 1000) or a number of bytes."


def parser() -> argparse.ArgumentParser:
    """The parser of the command line."""
    top = argparse.ArgumentParser(
        prog="liveos-tui",
        description="The maintenance console for LiveOS sticks: see how full the persistent "
        "overlay is, enlarge it while the system runs, bring it back when it has died.",
        epilog=f"{_EXAMPLES['']}\n{_EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="liveos-tui [TARGET] [--look plain|rich]\n       liveos-tui COMMAND [-h] ...",
    )
    top.add_argument("--version", action="version", version=f"liveos-tui {__version__}")
    commands = top.add_subparsers(dest="command", metavar="COMMAND", prog="liveos-tui")
    _add_console(commands)
    _add_status(commands)
    _add_recover(commands)
    _add_grow(commands)
    _add_merge(commands)
    _add_reset(commands)
    _add_jobs(commands)
    _add_practice(commands)
    return top


_Commands = argparse._SubParsersAction


def _command(
    commands: "_Commands[argparse.ArgumentParser]", name: str, what: str, description: str
) -> argparse.ArgumentParser:
    codes = _WORK_CODES if name in _EXAMPLES else _EXIT_CODES
    return commands.add_parser(
        name,
        help=what,
        description=description,
        epilog="\n".join(filter(None, (_EXAMPLES.get(name), codes))),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        # An option that is cut short may be another one in the next version.
        allow_abbrev=False,
    )


def _add_console(commands: "_Commands[argparse.ArgumentParser]") -> None:
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


def _add_status(commands: "_Commands[argparse.ArgumentParser]") -> None:
    status = _command(
        commands,
        "status",
        "one screen of text, or JSON",
        "Tell how a LiveOS is, once, and end.",
    )
    status.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    status.add_argument("--json", action="store_true", help="print one JSON document (schema 1)")


def _add_recover(commands: "_Commands[argparse.ArgumentParser]") -> None:
    recover = _command(
        commands,
        "recover",
        "bring an overlay back that is Invalid or full",
        "Bring an overlay back that is Invalid or full, and repair the file system in it. The\n"
        "overlay must not be in use: attach the stick to another Linux, or boot it once without\n"
        f"its overlay. It can be undone with `jobs rollback` until it is booted.\n{_SIZES}",
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
        "--backup",
        metavar="DIR",
        action="append",
        default=[],
        help="save the store's header and metadata in this folder on another disk, too",
    )
    _add_manner(recover)


def _add_grow(commands: "_Commands[argparse.ArgumentParser]") -> None:
    grow = _command(
        commands,
        "grow",
        "enlarge an overlay, also of the running system",
        "Enlarge the overlay's file; of the running system while it runs, without a reboot.\n"
        f"{_SIZES}",
    )
    grow.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    amount = grow.add_mutually_exclusive_group()
    amount.add_argument("--by", metavar="SIZE", help="by how much (default: as is proposed)")
    amount.add_argument("--to", metavar="SIZE", help="how large it is to be")
    grow.add_argument(
        "--fill",
        action="store_true",
        help="have the stick provide all of a sparse overlay, which may die of its holes",
    )
    _add_manner(grow)


def _add_merge(commands: "_Commands[argparse.ArgumentParser]") -> None:
    merge = _command(
        commands,
        "merge",
        "make an overlay part of a new image, and empty it",
        "Make what is in an overlay part of a new root image beside the old one, compare it block\n"
        "by block, exchange the two and empty the overlay. The old image is kept until\n"
        "`jobs forget`; until the stick is booted `jobs rollback` puts everything back.\n"
        "The running system's own overlay is merged while it runs: what changes meanwhile is kept.",
    )
    merge.add_argument("target", nargs="?", default=LIVE, metavar="TARGET")
    merge.add_argument(
        "--engine",
        choices=("stream", "mirror"),
        help="stream needs no scratch disk; mirror copies the root to --work first, with "
        "device-mapper (default: the faster one that fits, which is the stream)",
    )
    merge.add_argument("--work", metavar="DIR", help="a folder on another disk, for the mirror")
    merge.add_argument(
        "--comp", metavar="NAME", help="the compressor: zstd, xz, gzip... (default: the old one's)"
    )
    merge.add_argument("--level", type=int, metavar="N", help="the compressor's level")
    merge.add_argument(
        "--no-switch",
        action="store_true",
        help="have the running system use the new image from the next boot on, not at once",
    )
    _add_manner(merge)


def _add_reset(commands: "_Commands[argparse.ArgumentParser]") -> None:
    reset = _command(
        commands,
        "reset",
        "throw an overlay's contents away",
        "Empty an overlay that is not in use: all that was changed since the image is gone.",
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


def _add_jobs(commands: "_Commands[argparse.ArgumentParser]") -> None:
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
        choices=("list", "attach", "cancel", "resume", "rollback", "leave", "forget"),
        metavar="list|attach|cancel|resume|rollback|leave|forget",
        help="attach listens to a job; cancel ends it where that does no harm; resume goes on with "
        "one that was interrupted, or that waits; rollback puts the overlay back to the bytes that "
        "it had; leave has it not offered any more; forget removes what one "
        "that has ended kept to go back: saved chunks, a merge's old image",
    )
    jobs.add_argument("job", nargs="?", metavar="ID", help="which job (all but list)")
    jobs.add_argument(
        "--target",
        metavar="TARGET",
        help="the stick whose journals are looked at (default: the running live system, and where "
        "the job itself says)",
    )
    jobs.add_argument("--yes", action="store_true", help="do not ask (rollback and forget ask)")
    jobs.add_argument("--json", action="store_true", help="a JSON document, or one event a line")


def _add_practice(commands: "_Commands[argparse.ArgumentParser]") -> None:
    practice = commands.add_parser(
        "practice",
        help="build a practice stick and open the console on it",
        description="Build a folder that is a LiveOS stick: real files, no root, no "
        "device-mapper. All that the console does to a stick can be done to it.",
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
