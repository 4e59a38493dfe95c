"""What stands at the end of `--help`: examples, exit statuses, what a target is."""

import re
from collections.abc import Mapping

_TARGET = """\
TARGET is "live" (the running system, the default), a block device, a mount point, or a folder
that holds a live directory. No stick is ever chosen for you."""

_LOOK_CODES = """\
exit statuses: 0 well; 10 needs attention; 20 broken (Invalid, overflowed, full, unreadable);
1 the operation failed; 2 usage; 3 not a LiveOS; 4 more privilege needed; 130 cancelled"""

_WORK_CODES = """\
exit statuses: 0 done, or there was nothing to do; 1 it failed or cannot be done; 2 usage, or no
yes; 3 not a LiveOS; 4 more privilege needed; 130 cancelled, or left running after Ctrl+C"""

_SMALL_CODES = """\
exit statuses: 0 done; 1 it failed; 2 usage; 130 cancelled, or not saved"""

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
    "console": """\
examples:
  liveos-tui console                      the running live system; elsewhere: choose a stick
  liveos-tui /media/me/LIVE               a stick by its mount point
  liveos-tui /dev/sdb1 --look plain       16 colours and simple glyphs
""",
    "status": """\
examples:
  liveos-tui status                       the running live system, one screen of text
  liveos-tui status /dev/sdb1             an attached stick
  liveos-tui status --json                one JSON document for scripts
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
    "practice": """\
examples:
  liveos-tui practice                           a stick that is nearly full: press g
  liveos-tui practice --state invalid           one that has died: press r
  liveos-tui practice /tmp/stick --no-console   only build it
""",
    "report": """\
examples:
  liveos-tui report                             of the running system: shown, then asked for
  liveos-tui report /dev/sdb1                   of an attached stick
  liveos-tui report --output /run/report.txt --yes
""",
    "completion": """\
examples:
  liveos-tui completion bash > /run/completion  then, in bash: . /run/completion
  liveos-tui completion zsh                     save it as _liveos-tui in a folder of $fpath
  liveos-tui completion fish                    save it as liveos-tui.fish in fish's completions
""",
    "install-to-stick": """\
examples:
  liveos-tui install-to-stick /dev/sdb1         onto an attached stick
  liveos-tui install-to-stick live              onto the stick that runs this system
  liveos-tui install-to-stick /media/me/LIVE --bundle build/liveos-tui
""",
}

_GAP = re.compile(r"\s{2,}")
_LOOKING = ("", "console", "status")
_WITHOUT_TARGET = ("practice", "completion")


def epilog(command: str) -> str:
    """The end of a command's help; "" is the whole program."""
    if command in _LOOKING:
        codes = _LOOK_CODES
    elif command in {*_WITHOUT_TARGET, "report"}:
        codes = _SMALL_CODES
    else:
        codes = _WORK_CODES
    parts = [_EXAMPLES.get(command, ""), codes]
    return "\n".join(filter(None, [*parts, *([] if command in _WITHOUT_TARGET else ["", _TARGET])]))


def examples(command: str) -> tuple[tuple[str, str], ...]:
    """The examples in a command's help: a command line, and what it does ("" where it is plain)."""
    lines = _EXAMPLES[command].splitlines()[1:]
    return tuple(map(_parted, lines))


def _parted(line: str) -> tuple[str, str]:
    command, *what = _GAP.split(line.strip(), maxsplit=1)
    return command, what[0] if what else ""
