"""Writers in a booted stick, and what of their files is there later.

What was acknowledged is kept here, on the builder: the stick's own word is not taken for it.
"""

import shlex
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from states import copy_sparse
from stick import LIVE, OVERLAY, Stick

_WRITER = r"""
import hashlib, os, random, sys, time
folder, stop = sys.argv[1:3]
seed, largest, pause = int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
chance = random.Random(seed)
sizes = [size for size in (700, 3000, 9000, 40000, 100000, 400000) if size <= largest]
for number in range(32):
    os.makedirs(f"{folder}/{number}", exist_ok=True)
count = 0
while not os.path.exists(stop):
    name = f"{folder}/{chance.randrange(32)}/{count:05}"
    data = chance.randbytes(chance.choice(sizes))
    try:
        with open(name, "xb", buffering=0) as file:
            file.write(data)
            os.fsync(file.fileno())
    except OSError as error:
        sys.exit(f"refused: {error}")
    print(hashlib.sha256(data).hexdigest(), name, flush=True)
    count += 1
    time.sleep(pause)
"""
_START = "PYTHONDONTWRITEBYTECODE=1 python3 /run/writer.py"

Files = Mapping[str, str]
"""Hashes of acknowledged files by their path: from `/`, or from where a root was mounted."""


def fill(stick: Stick, folder: str = "/srv/filled", seed: int = 1, largest: int = 400_000) -> Files:
    """Write and sync files until the kernel refuses; those that were acknowledged."""
    stick.run("cat > /run/writer.py", stdin=_WRITER.encode())
    command = f"{_START} {folder} /run/never {seed} {largest} 0"
    said = stick.run(command, check=False, timeout=400)
    assert "refused" in said.stderr, said.stderr
    return _acknowledged(said.stdout)


@contextmanager
def writing(stick: Stick, folder: str = "/srv/written", seed: int = 2) -> Iterator[dict[str, str]]:
    """Write and sync files on the root meanwhile; the dictionary has them after the `with` block.

    Some 100 KiB a second, so that 64 MiB are not full before anything else has happened.

    Raises AssertionError when the kernel has refused one.
    """
    stick.run("cat > /run/writer.py; rm -f /run/enough", stdin=_WRITER.encode())
    writer = subprocess.Popen(
        [*stick.ssh_command(), f"{_START} {folder} /run/enough {seed} 40000 0.1"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    files: dict[str, str] = {}
    try:
        yield files
        stick.run("touch /run/enough")
        output, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors
        files.update(_acknowledged(output))
    finally:
        writer.kill()
        writer.communicate()


def lost(stick: Stick, files: Files, root: str = "/") -> list[str]:
    """The acknowledged files that are not there, or not with their bytes."""
    listing = "".join(f"{known}  {name}\n" for name, known in files.items())
    check = f"cd {shlex.quote(root)} && sha256sum --check --quiet - 2>/dev/null"
    return stick.run(check, check=False, timeout=300, stdin=listing.encode()).stdout.splitlines()


@dataclass(frozen=True, slots=True)
class Unused:
    """An overlay that is not in use, with the base that belongs to it, as the booted system has it.

    `base` is a device or a file.
    """

    base: str
    store: str


OWN = Unused("/dev/mapper/live-base", f"{LIVE}/LiveOS/{OVERLAY}")
"""The stick's own overlay, when it was booted without."""

SECOND_NAME = "LiveOS/overlay-STICK2-2222-BBBB"
SECOND_IMAGE = "/run/second/LiveOS/squashfs.img"
SECOND = Unused("/run/second-image/LiveOS/rootfs.img", f"/run/second/{SECOND_NAME}")
"""The overlay of the attached stick, while it is mounted by `second_mounted`."""


@contextmanager
def second_mounted(stick: Stick, device: str = "/dev/sda", *options: str) -> Iterator[None]:
    """Mount the attached stick, and its image, by hand."""
    stick.wait_until(f"test -b {device}")
    stick.run(
        "udevadm settle; mkdir -p /run/second /run/second-image; "
        f"mount {shlex.join(options)} {device} /run/second && "
        "mount -o loop,ro /run/second/LiveOS/squashfs.img /run/second-image"
    )
    try:
        yield
    finally:
        stick.run("umount /run/second-image; umount /run/second; sync", check=False)


@contextmanager
def joined(stick: Stick, overlay: Unused, persistence: str = "PO") -> Iterator[str]:
    """Join an unused overlay with its base by hand, as no tool of ours does; the device."""
    device = "/dev/mapper/by-hand"
    stick.run(
        f"base={overlay.base}; [ -b $base ] || base=$(losetup -r -f --show $base); "
        f"store=$(losetup -f --show {overlay.store}); "
        'dmsetup create by-hand --table "0 $(blockdev --getsz $base) snapshot '
        f'$base $store {persistence} 8" && udevadm settle'
    )
    try:
        yield device
    finally:
        stick.run(
            "udevadm settle; dmsetup remove --retry by-hand; for file in "
            f"{overlay.store} {overlay.base}; do loop=$(losetup -n -O NAME -j $file); "
            '[ -z "$loop" ] || losetup -d $loop; done; sync',
            check=False,
        )


def fill_unused(stick: Stick, overlay: Unused, persistence: str = "P", **how: int) -> Files:
    """Use an overlay until it is full; the acknowledged files, from the root that it makes."""
    with joined(stick, overlay, persistence) as device:
        stick.run(
            f"mkdir -p /run/by-hand && mount {device} /run/by-hand && cd /run/by-hand && "
            "mkdir -p etc srv && { test -e etc/os-release || echo ID=second > etc/os-release; }"
        )
        files = fill(stick, "/run/by-hand/srv/filled", **how)
        stick.run("umount /run/by-hand")
        said = stick.run("dmsetup status by-hand").stdout
    assert said.split()[3] == {"P": "Invalid", "PO": "Overflow"}[persistence]
    return {name.removeprefix("/run/by-hand/"): known for name, known in files.items()}


def filled_second(stick: Stick, folder: Path) -> tuple[Path, Files]:
    """A second stick whose overlay was used until it became Invalid, and what was synced on it."""
    stick.attach()
    with second_mounted(stick):
        stick.run(f"dd if=/dev/zero of={SECOND.store} bs=512 count=1 conv=notrunc,fsync")
        files = fill_unused(stick, SECOND, "P", largest=9000)
    image = copy_sparse(stick.attached(), folder / "filled.img")
    stick.detach()
    return image, files


@dataclass(frozen=True, slots=True)
class Found:
    """What an unused overlay is like: e2fsck's own word, the kernel's, and the files."""

    fsck: int
    status: str
    lost: tuple[str, ...]


def examine(stick: Stick, overlay: Unused, files: Files) -> Found:
    """Look at an unused overlay without a tool of ours."""
    with joined(stick, overlay) as device:
        fsck = stick.run(f"e2fsck -f -n {device}", check=False, timeout=200).returncode
        status = stick.run("dmsetup status by-hand").stdout.strip()
        stick.run(f"mkdir -p /run/by-hand && mount -o ro,noload {device} /run/by-hand")
        missing = lost(stick, files, "/run/by-hand")
        stick.run("umount /run/by-hand")
    return Found(fsck, status, tuple(missing))


def _acknowledged(output: str) -> dict[str, str]:
    words = (line.split(maxsplit=1) for line in output.splitlines())
    return {name: known for known, name in words}
