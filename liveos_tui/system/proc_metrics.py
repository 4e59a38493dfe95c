"""The figures of psutil without it: of statvfs(3) and /proc/meminfo.

The bundle has no psutil, which is compiled for one kind of processor and would not load from a
stick that is mounted noexec. A test holds these figures against psutil's.
"""

import os
from pathlib import Path
from typing import NamedTuple

_MEMINFO = Path("/proc/meminfo")


class Usage(NamedTuple):
    """Bytes of a file system: all, those that hold something, those that are left for a person."""

    total: int
    used: int
    free: int


class Memory(NamedTuple):
    """Bytes that can be given to programs without swapping."""

    available: int


def disk_usage(path: str) -> Usage:
    """Ask the file system that holds `path`. Raises OSError."""
    asked = os.statvfs(path)
    block = asked.f_frsize
    used = (asked.f_blocks - asked.f_bfree) * block
    return Usage(asked.f_blocks * block, used, asked.f_bavail * block)


def virtual_memory(meminfo: Path = _MEMINFO) -> Memory:
    """What the kernel says (proc_meminfo(5))."""
    lines = (line.partition(":") for line in meminfo.read_text("ascii").splitlines())
    # kB, which are KiB.
    kib = {name: int(value.split()[0]) for name, _, value in lines}
    available = kib["MemAvailable"]
    # In some containers it is the host's, and more than there is: free(1) then tells what is free.
    return Memory((kib["MemFree"] if available > kib["MemTotal"] else available) << 10)
