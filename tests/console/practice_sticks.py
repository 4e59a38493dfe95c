"""A machine for the pictures of the screens: what is on its sticks is real, all else stands still.

Its sticks are practice sticks, built here: the one that it runs from fills while it is looked at,
by writes of chunks to its store; STICK2's store is Invalid, STICK3's nearly full. Images, stores,
file systems and all that is counted in them are the builder's, read by the program's own probes.

What varies from machine to machine is pinned here, and only here: the clock, the sizes and the room
of the sticks, what the kernel and lsblk say (as in tests/live/layouts.py; the fill that the kernel
tells is the store's own), mksquashfs' version, how fast it was measured, the features of mkfs.ext4.
"""

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest.mock import patch

# Machines of files are built as for tests/live, which pytest may not be running.
sys.path.append(str(Path(__file__).parents[1] / "live"))

from machines import DATA, GIB, MIB, MachineBuilder
from runners import RecordedRunner

from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.formats.dmtable import SnapshotStatus
from liveos_tui.jobs.proposing import propose
from liveos_tui.jobs.workshop import Proposal, Wish
from liveos_tui.live.local import LocalMachine, LocalWatch
from liveos_tui.live.model import AttachedDevice, LiveSystem, Usage
from liveos_tui.live.watch import Watch
from liveos_tui.practice.builder import OVERLAY_NAME, ROOT_BYTES, PracticeState, build
from liveos_tui.practice.contents import LABEL, STICK_UUID
from liveos_tui.practice.devicemapper import UserSpaceDeviceMapper, device_word
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import Finished, Runner, SystemRunner
from liveos_tui.system.speeds import Speeds

LIVE = "/run/initramfs/live"
BROKEN = "/run/media/liveuser/STICK2"
NEARLY_FULL = "/run/media/liveuser/STICK3"
BROKEN_NAME, NEARLY_FULL_NAME = "STICK2-0BAD-F00D", "STICK3-2C4E-91D0"
BROKEN_DEVICE, NEARLY_FULL_DEVICE = "/dev/sdc1", "/dev/sdd1"

_OS_RELEASE = 'PRETTY_NAME="Fedora Linux 39 (Workstation)"\n'
_SPEEDS = Speeds(reads=30 * MIB, unpacks=90 * MIB, compresses=45 * MIB)

# As mkfs.ext4 makes file systems since e2fsprogs 1.43: later ones have more features, and count
# other blocks.
_MKE2FS = """\
[defaults]
base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
default_mntopts = acl,user_xattr
blocksize = 4096
inode_size = 256
inode_ratio = 16384
[fs_types]
ext4 = {
    features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
    inode_size = 256
}
"""

# Ten minutes, as far back as the rate is counted; a sample for each column of a wide terminal.
_SAMPLES = 151
_BETWEEN_SECONDS = 4.0
_CHUNK = 4096
# Behind all that a practice stick has written; free blocks of its file system.
_FIRST_WRITE = 120 * MIB


def _compressed_bytes(_runner: Runner, sample: bytes, *_: object) -> int:
    """As gzip makes of it, nearly all of which is random bytes."""
    return len(sample) * 96 // 100


@dataclass
class _ToolRunner(RecordedRunner):
    """Looks into images with the real program; everything else was answered before."""

    real: SystemRunner = field(default_factory=SystemRunner)

    def run(self, argv: Sequence[str], **options: Any) -> Finished:
        run = self.real.run if argv[0] == "unsquashfs" else super().run
        return run(argv, **options)


class _BuildRunner(SystemRunner):
    """Makes every ext4 with the same features."""

    def __init__(self, configuration: Path) -> None:
        self._pinned = {"MKE2FS_CONFIG": str(configuration)}

    def run(self, argv: Sequence[str], **options: Any) -> Finished:
        pinned = {**self._pinned, **(options.pop("env", None) or {})}
        return super().run(argv, env=pinned, **options)


@dataclass(frozen=True)
class Seen:
    """A target as it was seen; a `live.watch.Watch` that stands still."""

    system: LiveSystem
    history: tuple[tuple[float, int], ...] = ()

    def sample(self) -> LiveSystem:
        return self.system

    def close(self) -> None:
        """Nothing is held."""


@dataclass(frozen=True)
class Sticks:
    """All that was seen of the machine. `probes` still reach its files, in `folder`."""

    folder: Path
    probes: Probes
    seen: Mapping[str, Seen]
    devices: tuple[AttachedDevice, ...]

    def propose(self, target: str, wish: Wish) -> Proposal:
        """What the program proposes for a target."""
        with (
            patch("liveos_tui.live.merging.measure_speeds", lambda *_, **__: _SPEEDS),
            patch("liveos_tui.live.changes.compressed_bytes", _compressed_bytes),
            patch("liveos_tui.system.squashing.state_folder", lambda: self.folder),
        ):
            return propose(self.probes, target, wish)


def look_at_sticks(folder: Path) -> Sticks:
    """Build the sticks in an empty folder, let the first one fill, and look at everything."""
    configuration = folder / "mke2fs.conf"
    configuration.write_text(_MKE2FS)
    machine = MachineBuilder(folder / "root")
    machine.runner = _ToolRunner()
    _attach(machine)
    builder = _BuildRunner(configuration)
    live = build(machine.path(LIVE), PracticeState.HEALTHY, builder)
    build_as(machine.path(BROKEN), BROKEN_NAME, PracticeState.INVALID, builder)
    build_as(machine.path(NEARLY_FULL), NEARLY_FULL_NAME, PracticeState.NEARLY_FULL, builder)
    # As a folder: in its place it would be the stick that runs this system.
    lying = LocalWatch(Probes(privileged=False), str(live.folder)).sample()
    _boot(machine, lying)
    seen = {"live": _filled(machine, live.overlay, folder)}
    probes = machine.probes()
    for device in (BROKEN_DEVICE, NEARLY_FULL_DEVICE):
        seen[device] = Seen(LocalWatch(probes, device).sample())
    still = _Still(probes, seen)
    return Sticks(folder, probes, seen, still.devices())


def build_as(
    folder: Path, name: str, state: PracticeState, runner: SystemRunner | None = None
) -> None:
    """A practice stick whose file system has a label and a UUID of its own, `name`."""
    overlay = build(folder, state, runner).overlay
    overlay.rename(overlay.with_name(f"overlay-{name}"))


class _Still(LocalMachine):
    """Opens what was seen already."""

    def __init__(self, probes: Probes, seen: Mapping[str, Seen]) -> None:
        super().__init__(probes)
        self._seen = seen

    def open(self, target: str) -> Watch:  # type: ignore[override]
        return self._seen[target] if target in self._seen else super().open(target)


def _attach(machine: MachineBuilder) -> None:
    """Four sticks; the last one holds no LiveOS."""
    answers = {"mksquashfs -version": "version.out", "mksquashfs": "compressors.out"}
    for command, name in answers.items():
        machine.answer(command, (DATA / "mksquashfs" / name).read_bytes())
    machine.text("/proc/sys/kernel/osrelease", "6.6.9-200.fc39.x86_64\n")
    machine.mount("0:22", "/run", "tmpfs", "tmpfs", (2 * GIB, 100 * MIB))
    _stick(machine, "sdb", 16, LIVE, ("Ultra Fit", LABEL, STICK_UUID, "vfat"), (15, 13))
    _stick(machine, "sdc", 32, BROKEN, ("DataTraveler", "STICK2", "0BAD-F00D", "vfat"), (8, 5))
    names = ("Cruzer Fit", "STICK3", "2C4E-91D0", "vfat")
    _stick(machine, "sdd", 48, NEARLY_FULL, names, (16, 9))
    photos = "/run/media/liveuser/PHOTOS"
    _stick(machine, "sde", 64, photos, ("Flash Disk", "PHOTOS", "6C2E-91D0", "exfat"), (58, 40))


def _stick(
    machine: MachineBuilder,
    disk: str,
    minor: int,
    mount_point: str,
    names: tuple[str, str, str, str],
    room: tuple[int, int],
) -> None:
    """A disk with one partition. `names`: model, label, uuid, file system; `room` in GB."""
    model, label, uuid, filesystem = names
    total, used = (number * 1000**3 for number in room)
    usb = {"tran": "usb", "rm": True, "hotplug": True}
    machine.block(disk, f"8:{minor}", type="disk", model=model, size=total, **usb)
    number = f"8:{minor + 1}"
    part = {"fstype": filesystem, "label": label, "uuid": uuid, "pkname": disk}
    machine.block(f"{disk}1", number, size=total - MIB, **part, **usb)
    machine.path(f"/dev/{disk}1").touch()
    machine.mount(number, mount_point, filesystem, f"/dev/{disk}1", (total - MIB, used))


def _boot(machine: MachineBuilder, lying: LiveSystem) -> None:
    """Have the machine run from the first stick, whose root and home are as they lay there."""
    machine.cmdline(
        f"BOOT_IMAGE=/vmlinuz root=live:LABEL={LABEL} rd.live.image rw "
        f"rd.live.overlay=LABEL={LABEL} quiet"
    )
    machine.text("/etc/os-release", _OS_RELEASE)
    machine.mount("254:0", "/", "ext4", "/dev/mapper/live-rw", _room(lying.root.usage))
    machine.mount("7:3", "/home", "ext4", "/dev/loop3", _room(lying.home.usage))
    overlay, home = f"LiveOS/{OVERLAY_NAME}", "LiveOS/home.img"
    machine.loop(0, f"{LIVE}/LiveOS/squashfs.img")
    machine.loop(1, "/LiveOS/rootfs.img")
    machine.loop(2, f"/{overlay}", of=f"{LIVE}/{overlay}", filesystem="8:17")
    machine.loop(3, f"{LIVE}/{home}", of=f"{LIVE}/{home}", filesystem="8:17")
    sectors = ROOT_BYTES // SECTOR_BYTES
    table = f"0 {sectors} snapshot 7:1 7:2 PO 8"
    machine.dm(0, "live-rw", ["loop1", "loop2"], table, f"0 {sectors} snapshot ")
    linear = f"0 {sectors} linear "
    machine.dm(1, "live-base", ["loop1"], f"{linear}7:1 0", linear)


def _room(usage: Usage) -> tuple[int, int]:
    assert usage.total_bytes is not None
    assert usage.used_bytes is not None
    return usage.total_bytes, usage.used_bytes


def _filled(machine: MachineBuilder, store: Path, folder: Path) -> Seen:
    """Write to the store, as a system does that is being updated, and look after each write."""
    base = folder / "base"
    with base.open("xb") as file:
        file.truncate(ROOT_BYTES)
    sectors = ROOT_BYTES // SECTOR_BYTES
    table = f"0 {sectors} snapshot {device_word(base)} {device_word(store)} PO 8"
    clock = itertools.count(0.0, _BETWEEN_SECONDS).__next__
    with UserSpaceDeviceMapper() as mapper:
        mapper.create("live-rw", table)
        probes = machine.probes()
        watch: LocalWatch | None = None
        samples: list[LiveSystem] = []
        offset = _FIRST_WRITE
        for sample in range(_SAMPLES):
            for _ in range(_chunks_of(sample)):
                mapper.write("live-rw", offset, bytes([1 + sample % 255]) * _CHUNK)
                offset += _CHUNK
            (line,) = mapper.status()[0].lines
            assert isinstance(line.status, SnapshotStatus)
            status = line.status
            words = f"{status.allocated_sectors}/{status.total_sectors} {status.metadata_sectors}"
            machine.answer("dmsetup status", f"live-rw: 0 {sectors} snapshot {words}\n")
            watch = watch or LocalWatch(probes, "live", clock=clock)
            samples.append(watch.sample())
        mapper.suspend("live-rw")
    assert watch is not None
    return Seen(samples[-1], watch.history)


def _chunks_of(sample: int) -> int:
    """Chunks that are written before a sample: an update in three waves, ever larger ones."""
    if sample == 0:
        # What was there when the console was opened.
        return 1720
    wave, at = divmod(sample, 50)
    return (8 + 9 * wave) if 8 <= at < 40 else 1
