"""Make the man page `liveos-tui.1` anew: `make manual`.

What each command does and what its options are comes from the parser, as `--help` tells it; the
rest is written here. The macros are those of man(7).
"""

import argparse
import re
from collections.abc import Iterator
from pathlib import Path

from liveos_tui.commands.arguments import parser
from liveos_tui.commands.epilogs import examples

PAGE = Path(__file__).parents[1] / "liveos-tui.1"

_HEAD = r"""
.\" Made by `make manual` from the parser of the command line: change that, or tests/manual.py.
.TH LIVEOS\-TUI 1 2026-11-24 "liveos\-tui" "User Commands"
.SH NAME
liveos\-tui \- the maintenance console for LiveOS sticks
.SH SYNOPSIS
.B liveos\-tui
.RI [ TARGET ]
.RB [ \-\-look
.BR plain | rich ]
.RB [ \-\-contrast
.BR normal | high ]
.br
.B liveos\-tui
.I COMMAND
.RI [ ARGUMENTS ]
.SH DESCRIPTION
A LiveOS stick boots a whole Linux from a compressed image that never changes. What is changed goes
into a persistent overlay: a device\-mapper snapshot store in a file on the stick. It is write\-once
space, and when it is full the running system dies.
.P
.B liveos\-tui
shows how full the overlay is and how fast it fills, brings one back that has died, enlarges one
while the system runs, and merges what is in it into a new image. It changes nothing before it has
shown what it will do and was told yes. The keys and the words of the console are explained by F1.
.SS Targets
.I TARGET
is
.B live
(the running system, the default), a block device, a mount point, or a folder that holds a live
directory. Elsewhere than on a live system the console lists the attached sticks. No stick is ever
chosen for you. Root mounts a stick read\-only to look at it; without root it looks as far as it may
and says what only the kernel could tell.
.SS Sizes
.I SIZE
is 64M, 1.5G, 64MiB (powers of 1024), 64MB (of 1000) or a number of bytes.
"""

_TAIL = r"""
.SH EXIT STATUS
.TP
.B 0
Well; what was asked for is done, or there was nothing to do.
.TP
.B 1
It was tried and failed, or the stick is not such that it can be done. What was left as it is, and
what to do now, stands on standard error.
.TP
.B 2
What was typed cannot be: a word, a name, a size, a place that is not there. Or a yes was needed,
and there was no terminal to ask.
.TP
.B 3
The target is not a LiveOS, or is another kind of live system.
.TP
.B 4
More privilege is needed: run it as root.
.TP
.B 10
.B status
only: it needs attention. The overlay is 80 % full, or full within an hour at this rate.
.TP
.B 20
It is broken: the overlay is Invalid, has overflowed, is full or cannot be read.
.TP
.B 130
Cancelled; or a job was left running after Ctrl+C.
.SH ENVIRONMENT
.TP
.B TERM\fR, \fBCOLORTERM
What the terminal can show: true colour is used where
.B COLORTERM
says so, 16 colours and simple glyphs on a text console.
.TP
.B NO_COLOR
When it is set, no colour is used.
.TP
.B LIVEOS_TUI_CONTRAST
.B high
is the same as
.BR "\-\-contrast high" .
.TP
.B LC_ALL\fR, \fBLC_CTYPE\fR, \fBLANG
Where none of them names UTF\-8, only ASCII is drawn (the Linux text console excepted).
.TP
.B XDG_RUNTIME_DIR
Where the jobs of a user who is not root are kept in memory.
.SH FILES
.TP
.I LiveOS/overlay\-LABEL\-UUID
On the stick: the overlay.
.TP
.I LiveOS/squashfs.img
The image.
.I LiveOS/squashfs.alt
is the old one after a merge, until
.BR "jobs forget" .
.TP
.I liveos\-tui\-jobs/
On the stick: the journal of each job, and what it has saved to go back.
.TP
.I /run/liveos\-tui/
The jobs of this boot and their events, and where sticks are mounted to be looked at. Nothing is
written to the root that is watched.
"""

_END = r"""
.SH SEE ALSO
.BR dmsetup (8),
.BR losetup (8),
.BR e2fsck (8),
.BR mksquashfs (1),
.BR dracut.cmdline (7)
"""


def page() -> str:
    """The man page."""
    return (
        "\n".join([_HEAD.strip(), *_commands(), _TAIL.strip(), *_examples(), _END.strip()]) + "\n"
    )


def _commands() -> Iterator[str]:
    yield ".SH COMMANDS"
    top = parser()
    for action in top._actions:
        if isinstance(action, argparse._SubParsersAction):
            for listed in action._choices_actions:
                yield from _command(listed.dest, action.choices[listed.dest])
    yield ".SH OPTIONS"
    for action in top._actions:
        if action.option_strings:
            yield from _option(action)


def _command(name: str, command: argparse.ArgumentParser) -> Iterator[str]:
    places = [action for action in command._actions if not action.option_strings]
    yield f".SS {' '.join([_bold(name), *map(_place, places)])}"
    yield _plain(command.description or "")
    for action in command._actions:
        if action.help and action.dest != "help":
            yield from _option(action)


def _place(action: argparse.Action) -> str:
    word = str(action.metavar or action.dest.upper())
    return f"[{_italic(word)}]" if action.nargs == "?" else _italic(word)


def _option(action: argparse.Action) -> Iterator[str]:
    name = ", ".join(_bold(word) for word in action.option_strings)
    value = action.metavar or ("|".join(action.choices) if action.choices else None)
    if not name or (value and action.nargs != 0):
        name = f"{name} {_italic(str(value or action.dest.upper()))}".strip()
    yield ".TP"
    yield name
    yield _plain(action.help or "")


def _examples() -> Iterator[str]:
    yield ".SH EXAMPLES"
    for command, what in examples(""):
        yield from (".TP", _bold(command), f"{_plain(what[0].upper() + what[1:])}.")


def _plain(text: str) -> str:
    """Text of the parser as roff reads it: one line, no requests, minus signs as they are typed."""
    words = re.sub(r"`([^`]*)`", lambda match: f"\0{match[1]}\1", " ".join(text.split()))
    escaped = words.replace("\\", r"\e").replace("-", r"\-").replace("'", r"\(aq")
    escaped = escaped.replace("\0", r"\fB").replace("\1", r"\fR")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped


def _bold(text: str) -> str:
    return rf"\fB{_plain(text)}\fR"


def _italic(text: str) -> str:
    return rf"\fI{_plain(text)}\fR"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
