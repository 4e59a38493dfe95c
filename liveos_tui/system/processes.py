"""Which process is meant, long after its number was written down."""

import os
from dataclasses import dataclass

from liveos_tui.system.probes import Probes

# Fields of /proc/PID/stat (proc(5)) behind the name, which is in brackets and may hold any byte.
_STATE, _START = 0, 19
# A process that has ended stays in the list until its parent has asked for it.
_ENDED = frozenset("ZXx")


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process: its number, when it began (clock ticks since boot) and in which boot.

    Numbers are given again; number and beginning together are not.
    """

    pid: int
    began: int
    boot_id: str


def process(probes: Probes, pid: int) -> ProcessIdentity | None:
    """The process that has this number now, None where it has ended."""
    fields = (probes.text(f"/proc/{pid}/stat") or "").rpartition(")")[2].split()
    if len(fields) <= _START or fields[_STATE] in _ENDED or not fields[_START].isdecimal():
        return None
    boot_id = (probes.text("/proc/sys/kernel/random/boot_id") or "").strip()
    return ProcessIdentity(pid, int(fields[_START]), boot_id)


def lives(probes: Probes, identity: ProcessIdentity) -> bool:
    """Whether this very process still runs."""
    return process(probes, identity.pid) == identity


def own_process(probes: Probes) -> ProcessIdentity:
    """The process that asks."""
    found = process(probes, os.getpid())
    return found or ProcessIdentity(os.getpid(), 0, "")
