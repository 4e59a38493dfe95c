"""What a program does to the root while it is watched: chunks of the overlay, files, calls."""

import re
import time
from dataclasses import dataclass

from kernel import snapshot_sectors
from stick import Stick

# Calls that can open for writing or change a folder; strace shows the flags and the result.
_CALLS = "open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat"
_WRITES = re.compile(r"\b(creat|rename\w*|unlink\w*|mkdir\w*)\(|O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NOT_THE_ROOT = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/")
"""tmpfs and the kernel's own file systems; the stick itself is below /run."""

GRACE_SECTORS = 16
"""Two chunks: two systems' own clocks are not the same to the second."""


@dataclass(frozen=True, slots=True)
class Watched:
    """What was seen: sectors that the overlay has gained, writes to the root and files of it that
    were open for writing.
    """

    grown_sectors: int
    writes: tuple[str, ...]
    open_for_writing: tuple[str, ...]


def used_sectors(stick: Stick) -> int:
    """Of the overlay in use, when all is written that is to be written."""
    stick.run("sync")
    return snapshot_sectors(stick.run("dmsetup status live-rw").stdout)[0]


def watch(stick: Stick, program: str, seconds: float) -> Watched:
    """Watch the processes whose command line has this regular expression, for so many seconds."""
    processes = stick.run(f"pgrep -d, -f '{program}'").stdout.strip()
    stick.run(
        f"strace -f -qq -e trace={_CALLS} -o /run/trace -p {processes} >/dev/null 2>&1 & sleep 3"
    )
    before = used_sectors(stick)
    time.sleep(seconds)
    grown = used_sectors(stick) - before
    open_for_writing = stick.run(
        f"for pid in $(pgrep -f '{program}'); do for fd in /proc/$pid/fd/*; do "
        'flags=$(sed -n "s/^flags:[^0-9]*//p" /proc/$pid/fdinfo/${fd##*/} 2>/dev/null); '
        '[ "$((0${flags:-0} & 3))" -ne 0 ] && readlink $fd; done; done; true'
    ).stdout.split()
    trace = stick.read("/run/trace")
    assert "dmsetup" in trace or "openat(" in trace, "strace has seen the console at work"
    return Watched(
        grown,
        tuple(_writes_to_the_root(trace)),
        tuple(
            path
            for path in open_for_writing
            if path.startswith("/") and not path.startswith(_NOT_THE_ROOT)
        ),
    )


def _writes_to_the_root(trace: str) -> list[str]:
    found = []
    for line in trace.splitlines():
        if " = -1 " in line or not _WRITES.search(line):
            continue
        path = _PATH.search(line)
        if path and not path[1].startswith(_NOT_THE_ROOT):
            found.append(line)
    return found
