"""Captures what `dmsetup status` says of mirrors, good and failing, to tests/data/mirror.

    python tests/vm/capture_mirror.py

Runs itself in the dm lane's machine, whose kernel makes the mirrors. What is written is there in
the README.md beside the files.
"""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from machine import CHECKOUT

SECTORS = 131072  # 64 MiB
NAME = "lane-mirror"
MARK = "mirror-capture"
_TARGET = CHECKOUT / "tests" / "data" / "mirror"


def command(*words: str, input_text: str | None = None) -> str:
    """Standard output of a command that has to succeed."""
    return subprocess.run(
        words, check=True, capture_output=True, text=True, input=input_text
    ).stdout.strip()


@contextmanager
def loop(file: Path, size_bytes: int) -> Iterator[str]:
    """A loop device before a new sparse file."""
    file.touch()
    os.truncate(file, size_bytes)
    device = command("losetup", "--find", "--show", str(file))
    try:
        yield device
    finally:
        command("losetup", "--detach", device)
        file.unlink()


@contextmanager
def device(name: str, table: str) -> Iterator[str]:
    """A dm device."""
    command("dmsetup", "create", name, input_text=table)
    try:
        yield f"/dev/mapper/{name}"
    finally:
        command("dmsetup", "remove", "--retry", name)


def mirror(source: str, target: str, region_sectors: int = 512) -> str:
    """The table of a mirror that tells what fails."""
    legs = f"2 {source} 0 {target} 0"
    return f"0 {SECTORS} mirror core 2 {region_sectors} sync {legs} 1 handle_errors"


def watch(name: str, seconds: float, then: Callable[[float], None] = lambda _: None) -> None:
    """Print status lines with their time, some ten a second, until the mirror has ended.

    `then` is called with the time of each.
    """
    began = time.monotonic()
    said, since = "", began
    while True:
        now = time.monotonic()
        line = command("dmsetup", "status", "--noflush", NAME)
        print(f"{MARK} {name} {now - began:.2f} {line}", flush=True)
        if line != said:
            said, since = line, now
        done, total = line.split()[6].split("/")
        if done == total or now - since > seconds:
            return
        then(now - began)
        time.sleep(0.1)


def good(folder: Path) -> None:
    """A copy that comes to its end."""
    size = SECTORS * 512
    with (
        loop(folder / "source", size) as source,
        loop(folder / "target", size) as target,
        device(NAME, mirror(source, target, 8)),
    ):
        watch("good", 5)


def source_fails(folder: Path) -> None:
    """Sectors of the source cannot be read."""
    size = SECTORS * 512
    middle = SECTORS // 2
    with (
        loop(folder / "source", size) as source,
        loop(folder / "target", size) as target,
        device(
            "lane-source",
            f"0 {middle} linear {source} 0\n{middle} 8 error\n"
            f"{middle + 8} {SECTORS - middle - 8} linear {source} {middle + 8}",
        ) as bad,
        device(NAME, mirror(bad, target)),
    ):
        watch("source-fails", 3)


def target_full(folder: Path) -> None:
    """The file system of the target's file is full after a third."""
    small = folder / "small"
    small.mkdir()
    command("mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(small))
    size = SECTORS * 512
    with (
        loop(folder / "source", size) as source,
        loop(small / "target", size) as target,
        device(NAME, mirror(source, target)),
    ):
        watch("target-full", 3)
    command("umount", str(small))


def target_small(folder: Path) -> None:
    """The target's device is smaller than the source: what dmsetup says."""
    size = SECTORS * 512
    with loop(folder / "source", size) as source, loop(folder / "target", size // 2) as target:
        refused = subprocess.run(
            ["dmsetup", "create", NAME],
            input=mirror(source, target),
            capture_output=True,
            text=True,
            check=False,
        )
        for line in (f"exit code {refused.returncode}", *refused.stderr.splitlines()):
            print(f"{MARK} target-small {line}", flush=True)


def stalls(folder: Path) -> None:
    """The source answers no more, for longer than anybody waits, then goes on."""
    size = SECTORS * 512
    held: list[float] = []

    def hold(now: float) -> None:
        if not held and now > 0.1:
            command("dmsetup", "suspend", "--noflush", "--nolockfs", "lane-source")
            held.append(now)
        elif len(held) == 1 and now > held[0] + 34:
            command("dmsetup", "resume", "lane-source")
            held.append(now)

    with (
        loop(folder / "source", size) as source,
        loop(folder / "target", size) as target,
        device("lane-source", f"0 {SECTORS} linear {source} 0") as slow,
        device(NAME, mirror(slow, target, 8)),
    ):
        watch("stalls", 60, hold)


def written_after(folder: Path, name: str, leg: str, use: tuple[str, ...]) -> None:
    """A complete mirror one of whose legs fails when it is used."""
    size = SECTORS * 512
    with (
        loop(folder / "source", size) as source,
        loop(folder / "target", size) as target,
        device("lane-source", f"0 {SECTORS} linear {source} 0") as first,
        device("lane-target", f"0 {SECTORS} linear {target} 0") as second,
        device(NAME, mirror(first, second)),
    ):
        watch(name, 5)
        command("dmsetup", "suspend", leg)
        command("dmsetup", "load", leg, input_text=f"0 {SECTORS} error")
        command("dmsetup", "resume", leg)
        user = threading.Thread(
            target=lambda: subprocess.run(use, check=False, capture_output=True, timeout=20),
            daemon=True,
        )
        user.start()
        time.sleep(2)
        line = command("dmsetup", "status", "--noflush", NAME)
        print(f"{MARK} {name} 9.00 {line}", flush=True)
        if user.is_alive():
            # The kernel holds a write that failed until somebody has exchanged the leg: nothing
            # can be taken down. It is the last capture, and the machine ends with it.
            sys.stdout.flush()
            os._exit(0)


def inside() -> None:
    """All captures, in the machine."""
    command("dmesg", "-n", "1")
    folder = Path("/run/mirror")
    folder.mkdir()
    for capture in (good, source_fails, target_full, target_small, stalls):
        capture(folder)
    path = f"/dev/mapper/{NAME}"
    dd = ("dd", "bs=4096", "count=1", "status=none")
    read = (*dd, f"if={path}", "of=/dev/null", "iflag=direct")
    write = (*dd, "if=/dev/zero", f"of={path}", "oflag=direct", "conv=notrunc")
    for name, leg, use in (
        ("source-not-read", "lane-source", read),
        ("target-not-written", "lane-target", write),
    ):
        written_after(folder, name, leg, use)


def main() -> int:
    """Have the machine do it, and keep what it says."""
    here = Path(__file__).resolve()
    ran = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; sys.path.insert(0, sys.argv[1]); import dm_lane; "
            "sys.exit(dm_lane.run(sys.argv[2]))",
            str(here.parent),
            f"cd {here.parent} && exec {sys.executable} {here} inside",
        ],
        stdout=subprocess.PIPE,
        text=True,
        errors="replace",
        check=False,
    )
    files: dict[str, list[str]] = {}
    for line in ran.stdout.splitlines():
        _, mark, told = line.partition(f"{MARK} ")
        if mark:
            name, _, rest = told.partition(" ")
            files.setdefault(name, []).append(rest)
        else:
            print(line)
    _TARGET.mkdir(exist_ok=True)
    for name, lines in files.items():
        (_TARGET / f"{name}.status").write_text("\n".join(lines) + "\n")
        print(f"{name}: {len(lines)} lines")
    return ran.returncode


if __name__ == "__main__":
    if sys.argv[1:] == ["inside"]:
        inside()
        sys.exit(0)
    sys.exit(main())
