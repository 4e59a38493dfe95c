"""Captures booted sticks as fixtures: tests/data/captured/NAME, a root prefix with text files.

    tests/vm/run capture [NAME...]

What is in a capture: README.md there. Run it again when something more of a machine is to be read;
the captures then differ in times and inode numbers, too.
"""

import io
import json
import shutil
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from machine import CHECKOUT
from stick import NO_OVERLAY, PERSISTENT, READ_ONLY_OVERLAY, READ_ONLY_STICK, WITHOUT_RW, Stick

TARGET = CHECKOUT / "tests" / "data" / "captured"

# Runs in the stick: its Python, standard output is a tar. In memory, so the root is not written.
_COLLECT = r"""
import glob, io, json, os, subprocess, sys, tarfile

LSBLK = ("NAME,KNAME,PATH,MAJ:MIN,TYPE,FSTYPE,LABEL,UUID,SIZE,RO,RM,HOTPLUG,MODEL,TRAN,"
         "MOUNTPOINTS,PKNAME")
COMMANDS = [
    "dmsetup table",
    "dmsetup status",
    "dmsetup status --noflush",
    "dmsetup info -c --noheadings --separator : -o name,major,minor,open,attr",
    "losetup --json --list -O NAME,BACK-FILE,BACK-INO,BACK-MAJ:MIN,OFFSET,SIZELIMIT,RO",
    "losetup --json --list --output NAME,BACK-INO,BACK-MAJ:MIN",
    "lsblk --json --bytes --output " + LSBLK,
    "df -B1 --output=source,target,size,used,avail",
    "ls -lani /run/initramfs/live/LiveOS",
    "ls -lani /run/initramfs",
    "findmnt --json --output TARGET,SOURCE,FSTYPE,OPTIONS,MAJ:MIN /",
]
FILES = ["/proc/cmdline", "/proc/self/mountinfo", "/proc/mounts", "/proc/partitions",
         "/etc/os-release"]
BLOCK = ["dev", "size", "ro", "removable", "diskseq", "hidden", "loop/backing_file",
         "loop/offset", "loop/sizelimit", "loop/autoclear", "dm/name", "dm/uuid", "dm/suspended",
         "device/model", "device/vendor", "device/serial", "serial", "queue/rotational"]
archive = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")

def add(path, text):
    entry = tarfile.TarInfo(path.lstrip("/"))
    data = text if isinstance(text, bytes) else text.encode()
    entry.size = len(data)
    archive.addfile(entry, io.BytesIO(data))

def link(path, target):
    entry = tarfile.TarInfo(path.lstrip("/"))
    entry.type, entry.linkname = tarfile.SYMTYPE, target
    archive.addfile(entry)

commands = {}
for line in COMMANDS:
    done = subprocess.run(line.split(), stdin=subprocess.DEVNULL, capture_output=True, text=True)
    commands[line] = {"exit_code": done.returncode, "output": done.stdout.splitlines()}
    if done.stderr:
        commands[line]["errors"] = done.stderr.splitlines()
add("commands.json", json.dumps(commands, indent=1) + "\n")
for path in FILES:
    add("root" + path, open(path, "rb").read())
if os.path.islink("/run/initramfs/livedev"):
    link("root/run/initramfs/livedev", os.readlink("/run/initramfs/livedev"))
for device in sorted(glob.glob("/sys/block/*")):
    name = os.path.basename(device)
    if not name.startswith(("loop", "dm-", "sd", "vd")) or open(device + "/size").read() == "0\n":
        continue
    folder = "root/sys/block/" + name
    for file in BLOCK:
        try:
            add(f"{folder}/{file}", open(f"{device}/{file}", "rb").read())
        except OSError:
            pass
    for below in sorted(os.listdir(device + "/slaves")):
        link(f"{folder}/slaves/{below}", "../../" + below)
    number = open(device + "/dev").read().strip()
    link("root/sys/dev/block/" + number, "../../block/" + name)
archive.close()
"""


def overflow(stick: Stick) -> None:
    """Write to the root until its overlay is full."""
    stick.run("dd if=/dev/urandom of=/srv/fill bs=1M count=80 conv=fsync", check=False, timeout=300)
    stick.wait_until("dmsetup status live-rw | grep -q Overflow", 60)


def second_stick(stick: Stick) -> None:
    """Plug in a second stick."""
    stick.attach()
    stick.wait_until("test -e /dev/disk/by-label/STICK2", 60)
    stick.run("udevadm settle")


def nothing(stick: Stick) -> None:
    """Leave the stick as it has booted."""


@dataclass(frozen=True)
class Capture:
    """A boot, what is done to the stick, and another boot after it, before it is captured."""

    what: str
    options: tuple[str, ...]
    prepare: Callable[[Stick], None] = nothing
    boot_again: tuple[str, ...] | None = None
    usb: bool = False


CAPTURES = {
    "persistent": Capture("The overlay of the stick is in use (table PO).", PERSISTENT),
    "no-overlay": Capture(
        "Booted without `rd.live.overlay`: the overlay is in memory, one lies on the stick.",
        NO_OVERLAY,
    ),
    # A fresh overlay has to be written once: read-only, the kernel cannot make its header.
    "read-only-overlay": Capture(
        "`rd.live.overlay.readonly`: the overlay of the stick is `live-ro`.",
        PERSISTENT,
        boot_again=READ_ONLY_OVERLAY,
    ),
    "overflow": Capture("The overlay has filled while it was in use.", PERSISTENT, overflow),
    # Named for what was asked for: without `rw` the stick would be read-only, but for its overlay.
    "read-only-stick": Capture(
        "`rd.live.overlay` without `rw`: dracut 059 remounts the stick writable for its overlay.",
        WITHOUT_RW,
    ),
    "no-overlay-read-only": Capture(
        "Neither `rw` nor `rd.live.overlay`: the stick is mounted read-only.", READ_ONLY_STICK
    ),
    "two-usb-sticks": Capture(
        "The stick is a USB device, and a second one with an Invalid overlay is attached.",
        PERSISTENT,
        second_stick,
        usb=True,
    ),
}


def capture(name: str) -> None:
    """Boot as the capture says, and replace its folder."""
    wanted = CAPTURES[name]
    with tempfile.TemporaryDirectory(prefix="liveos-capture-") as folder:
        with Stick(Path(folder), wanted.options, usb=wanted.usb) as stick:
            wanted.prepare(stick)
            if wanted.boot_again:
                stick.reboot(wanted.boot_again)
            archive = stick.run_bytes(
                "PYTHONDONTWRITEBYTECODE=1 python3 -", stdin=_COLLECT.encode()
            )
        target = TARGET / name
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir(parents=True)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(target, filter="tar")
        commands = json.loads((target / "commands.json").read_text())
        if commands["dmsetup table"]["exit_code"] != 0:
            raise SystemExit(f"{name}: dmsetup did not answer")


def main(names: list[str]) -> None:
    """Capture the named machines, or all."""
    for name in names or CAPTURES:
        began = time.monotonic()
        capture(name)
        print(f"captured {name} in {time.monotonic() - began:.0f} s", flush=True)
    lines = [f"| `{name}` | {each.what} |" for name, each in CAPTURES.items()]
    (TARGET / "README.md").write_text(_README + "\n".join(lines) + "\n")


_README = """\
# Captured machines

Booted LiveOS sticks (Debian 12, dracut 059, FAT32), captured by `tests/vm/run capture`. Each folder
holds `root/`, files of /proc, /sys, /etc and /run as they were (a root prefix), and
`commands.json`: what programs answered, by command line (exit code, lines of standard output).
Entries of /sys/block are folders here and links there; `slaves` without an entry is left out.

| folder | the machine |
|---|---|
"""

if __name__ == "__main__":
    main(sys.argv[1:])
