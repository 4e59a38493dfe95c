"""The console writes nothing to the root it watches: minutes of it, beside minutes without."""

import re
import time

import pytest
from kernel import PROGRAM, Boot, snapshot_sectors
from stick import Stick

# Calls that can open for writing or change a folder; strace shows the flags and the result.
_CALLS = "open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat"
_WRITES = re.compile(r"\b(creat|rename\w*|unlink\w*|mkdir\w*)\(|O_WRONLY|O_RDWR|O_CREAT|O_TRUNC")
_PATH = re.compile(r'"((?:[^"\\]|\\.)*)"')
_NOT_THE_ROOT = ("/dev/", "/proc/", "/run/", "/sys/", "/tmp/")
"""tmpfs and the kernel's own file systems."""


def used(stick: Stick) -> int:
    stick.run("sync")
    return snapshot_sectors(stick.run("dmsetup status live-rw").stdout)[0]


def writes_to_the_root(trace: str) -> list[str]:
    found = []
    for line in trace.splitlines():
        if " = -1 " in line or not _WRITES.search(line):
            continue
        path = _PATH.search(line)
        if path and not path[1].startswith(_NOT_THE_ROOT):
            found.append(line)
    return found


@pytest.mark.parametrize("seconds", [60, pytest.param(300, marks=pytest.mark.thorough)])
def test_minutes_of_watching(boot: Boot, seconds: int) -> None:
    without, watched = boot(), boot()
    watched.install()
    with watched.terminal(PROGRAM, environment={"LANG": "C.UTF-8"}) as terminal:
        terminal.wait_for(r"Overlay .* OK \d+ %", 120)
        processes = watched.run("pgrep -d, -f 'python3 -m liveos_tui'").stdout.strip()
        watched.run(
            f"strace -f -qq -e trace={_CALLS} -o /run/trace -p {processes} >/dev/null 2>&1 & "
            "sleep 3"
        )
        before = used(without), used(watched)
        time.sleep(seconds)
        grown = used(without) - before[0], used(watched) - before[1]
        open_for_writing = watched.run(
            "for pid in $(pgrep -f liveos_tui); do for fd in /proc/$pid/fd/*; do "
            'flags=$(sed -n "s/^flags:[^0-9]*//p" /proc/$pid/fdinfo/${fd##*/} 2>/dev/null); '
            '[ "$((0${flags:-0} & 3))" -ne 0 ] && readlink $fd; done; done; true'
        ).stdout.split()
        trace = watched.read("/run/trace")
        terminal.send("q")
        terminal.wait_end()

    assert "dmsetup" in trace or "openat(" in trace, "strace has seen the console at work"
    assert writes_to_the_root(trace) == []
    on_root = [
        path
        for path in open_for_writing
        if path.startswith("/") and not path.startswith(_NOT_THE_ROOT)
    ]
    assert on_root == []
    # Two chunks of grace: the two systems' own clocks are not the same to the second.
    assert grown[1] <= grown[0] + 16
