"""What stands at the end of `--help`: examples, exit statuses, what a target is."""

import re
from collections.abc import Mapping

_TARGET = """\
TARGET is "live" (the running system, the default), a block device, a mount
point, or a folder that holds a live directory. No stick is chosen for you."""

_LOOK_CODES = """\
exit statuses: 0 well; 10 needs attention; 20 broken (Invalid, overflowed,
full, unreadable); 1 it failed; 2 what was typed cannot be; 3 not a LiveOS;
4 more privilege needed; 130 cancelled"""

_WORK_CODES = """\
exit statuses: 0 done, or there was nothing to do; 1 it failed, or the stick
is not such that it can be done; 2 what was typed cannot be (a word, a name, a
size), or there was no yes; 3 not a LiveOS; 4 more privilege needed; 130
cancelled, or left running after Ctrl+C"""

_CONSOLE_CODES = """\
exit statuses: 0 closed; 1 it failed; 2 what was typed cannot be; 3 not a
LiveOS; 4 more privilege needed; 20 it cannot be read; 130 cancelled"""

_INSTALL_CODES = """\
exit statuses: 0 it is there; 1 it failed; 2 what was typed cannot be; 3 not
a LiveOS; 4 more privilege needed; 130 cancelled"""

_SMALL_CODES = """\
exit statuses: 0 done; 1 it failed; 2 what was typed cannot be; 130
cancelled"""

_EXAMPLES: Mapping[str, str] = {
    "": """\
examples:
  liveos-tui                      open the console on the running live system
  liveos-tui /dev/sdb1            open it on an attached stick
  liveos-tui status --json        the figures for scripts
  liveos-tui grow --by 256M       more room for the running system, no reboot
  liveos-tui recover /dev/sdb1    bring an overlay back that is Invalid or full
  liveos-tui merge /dev/sdb1      make the overlay part of a new image
  liveos-tui jobs                 what is at work, and what was interrupted
  liveos-tui practice             build a practice stick, and open it
""",
    "console": """\
examples:
  liveos-tui console                   the running system, or choose a stick
  liveos-tui /media/me/LIVE            a stick by its mount point
  liveos-tui /dev/sdb1 --look plain    16 colours and simple glyphs
""",
    "status": """\
examples:
  liveos-tui status               the running live system, one screen of text
  liveos-tui status /dev/sdb1     an attached stick
  liveos-tui status --json        one JSON document for scripts
""",
    "recover": """\
examples:
  liveos-tui recover /dev/sdb1 --rehearse    what would come back
  liveos-tui recover /dev/sdb1 --dry-run     every step and command
  liveos-tui recover /dev/sdb1               rehearse, ask, then recover
  liveos-tui recover /dev/sdb1 --grow 512M --backup /mnt/disk
""",
    "grow": """\
examples:
  liveos-tui grow --by 256M            the running system's overlay
  liveos-tui grow /dev/sdb1 --to 2G    an attached stick's
  liveos-tui grow                      by as much as is proposed
""",
    "merge": """\
examples:
  liveos-tui merge /dev/sdb1 --dry-run    room, steps and commands
  liveos-tui merge /dev/sdb1              ask for the stick's name, then merge
  liveos-tui merge /dev/sdb1 --comp zstd --level 15
  liveos-tui merge /dev/sdb1 --engine mirror --work /mnt/disk
  liveos-tui jobs rollback ID             the old image and overlay again
  liveos-tui jobs forget ID               give that up: remove the old image
""",
    "reset": """\
examples:
  liveos-tui reset /dev/sdb1 --dry-run    what would be thrown away
  liveos-tui reset /dev/sdb1              ask for the stick's name, then reset
""",
    "jobs": """\
examples:
  liveos-tui jobs                               the jobs of this machine
  liveos-tui jobs list --target /dev/sdb1       those of a stick
  liveos-tui jobs attach ID                     listen to one
  liveos-tui jobs resume ID --target /dev/sdb1  go on after a power cut
  liveos-tui jobs rollback ID                   all as it was, to the byte
  liveos-tui jobs forget ID                     give up that way back
""",
    "practice": """\
examples:
  liveos-tui practice                           one nearly full: press g
  liveos-tui practice --state invalid           one that has died: press r
  liveos-tui practice /tmp/stick --no-console   only build it
""",
    "report": """\
examples:
  liveos-tui report                             of the running system
  liveos-tui report /dev/sdb1                   of an attached stick
  liveos-tui report --output /run/report.txt --yes
""",
    "completion": """\
examples:
  liveos-tui completion bash > /run/completion    then: . /run/completion
  liveos-tui completion zsh     save it as _liveos-tui in a folder of $fpath
  liveos-tui completion fish    save it as liveos-tui.fish in its completions
""",
    "install-to-stick": """\
examples:
  liveos-tui install-to-stick /dev/sdb1         onto an attached stick
  liveos-tui install-to-stick live              onto the running system's
  liveos-tui install-to-stick /media/me/LIVE --bundle build/liveos-tui
""",
}

_CODES: Mapping[str, str] = {
    "": _LOOK_CODES,
    "console": _CONSOLE_CODES,
    "status": _LOOK_CODES,
    "practice": _SMALL_CODES,
    "report": f"{_SMALL_CODES}, or not saved",
    "completion": _SMALL_CODES,
    "install-to-stick": _INSTALL_CODES,
}

_GAP = re.compile(r"\s{2,}")
_WITHOUT_TARGET = ("practice", "completion")


def epilog(command: str) -> str:
    """The end of a command's help; "" is the whole program."""
    parts = [_EXAMPLES.get(command, ""), _CODES.get(command, _WORK_CODES)]
    if command == "install-to-stick":
        parts.append(_TARGET.replace(", the default)", ")"))
    elif command not in _WITHOUT_TARGET:
        parts.append(_TARGET)
    return "\n".join(parts)


def examples(command: str) -> tuple[tuple[str, str], ...]:
    """The examples in a command's help: a command line, and what it does ("" where it is plain)."""
    lines = _EXAMPLES[command].splitlines()[1:]
    return tuple(map(_parted, lines))


def _parted(line: str) -> tuple[str, str]:
    command, *what = _GAP.split(line.strip(), maxsplit=1)
    return command, what[0] if what else ""
