"""Machines as `tests/vm/run capture` found them: every text of these is a real stick's.

The stick's files are too large to keep. Their names, sizes and inodes are those of the captured
`ls`; what is in them is made here: an image's real head, a store as full as the kernel said.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from layouts import EXT4_HEAD, SQUASHFS_HEAD, STICK
from machines import DATA, SQUASHFS_LISTING, Content, store, write_file
from runners import RecordedRunner

from liveos_tui.errors import UnreadableError
from liveos_tui.live.devices import attached_devices
from liveos_tui.live.local import LocalWatch
from liveos_tui.live.model import HomeState, LiveSystem, OverlayKind, OverlayState
from liveos_tui.system.metrics import FilesystemUsage
from liveos_tui.system.probes import Probes

OVERLAY = "overlay-LIVE-12AB-CDEF"
LS = f"ls -lani {STICK}/LiveOS"
DF = "df -B1 --output=source,target,size,used,avail"


class Capture:
    """One captured machine, laid out below `root`."""

    def __init__(self, name: str, root: Path) -> None:
        shutil.copytree(DATA / "captured" / name / "root", root, symlinks=True)
        said = json.loads((DATA / "captured" / name / "commands.json").read_text())
        self.root = root
        self.said = {command: "\n".join(answer["output"]) for command, answer in said.items()}
        self.df = {
            words[1]: FilesystemUsage(*map(int, words[2:]))
            for words in (line.split() for line in self.said[DF].splitlines()[1:])
        }
        inodes = self._make_files()
        losetup = next(command for command in self.said if command.endswith("BACK-MAJ:MIN"))
        self.said[losetup] = re.sub(
            r'("back-ino": )(\d+)',
            lambda found: found[1] + str(inodes.get(int(found[2]), int(found[2]))),
            self.said[losetup],
        )
        self.runner = RecordedRunner()
        for command, output in self.said.items():
            self.runner.answers[command] = (0, output.encode())
        listing = SQUASHFS_LISTING.format(base="rootfs.img")
        self.runner.answers["unsquashfs -processors 1 -lln"] = (0, listing.encode())

    def _make_files(self) -> dict[int, int]:
        """The files of the live directory; from the captured inode numbers to those here."""
        used = re.search(r"live-rw: \d+ \d+ snapshot (\d+)/131072", self.said["dmsetup status"])
        exceptions = int(used[1]) // 8 - 2 if used else 16127
        contents: dict[str, Content] = {
            "squashfs.img": SQUASHFS_HEAD,
            "home.img": EXT4_HEAD,
            OVERLAY: store(exceptions),
        }
        folder = self.root / STICK.lstrip("/") / "LiveOS"
        folder.mkdir(parents=True)
        inodes = {}
        for line in self.said[LS].splitlines()[3:]:
            inode, _, _, _, _, size, *_, name = line.split()
            write_file(folder / name, contents[name])
            os.truncate(folder / name, int(size))
            inodes[int(inode)] = (folder / name).stat().st_ino
        return inodes

    def probes(self) -> Probes:
        return Probes(self.root, self.runner, True, self._usage, lambda: 1 << 30)

    def _usage(self, path: Path) -> FilesystemUsage:
        place = "/" + str(path.relative_to(self.root)).removeprefix(".")
        if place not in self.df:
            raise UnreadableError(f"{place} was not captured.")
        return self.df[place]

    def look(self) -> LiveSystem:
        return LocalWatch(self.probes(), "live").sample()


@pytest.fixture
def capture(request: pytest.FixtureRequest, tmp_path: Path) -> Capture:
    return Capture(request.param, tmp_path / "root")


def of(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("capture", names, indirect=True)


@of("persistent", "read-only-stick", "two-usb-sticks")
def test_an_overlay_in_use(capture: Capture) -> None:
    system = capture.look()
    status = capture.said["dmsetup status --noflush"]
    figures = re.search(r"live-rw: 0 4194304 snapshot (\d+)/(\d+) (\d+)", status)
    assert figures is not None

    overlay = system.overlay
    assert (overlay.table, overlay.in_use, overlay.persistent) == ("PO", True, True)
    assert overlay.path == f"LiveOS/{OVERLAY}"
    assert [overlay.used_bytes, overlay.total_bytes, overlay.metadata_bytes] == [
        int(sectors) * 512 for sectors in figures.groups()
    ]


@of("persistent", "overflow", "no-overlay", "read-only-stick", "two-usb-sticks")
def test_stick_and_root_are_as_df_says(capture: Capture) -> None:
    system = capture.look()

    assert (system.target.label, system.target.uuid) == ("LIVE", "12AB-CDEF")
    assert system.host.usage.used_bytes == capture.df[STICK].used_bytes
    assert system.root.usage.used_bytes == capture.df["/"].used_bytes
    assert system.home.state is HomeState.MOUNTED
    assert system.home.usage.used_bytes == capture.df["/home"].used_bytes


@of("overflow")
def test_an_overlay_that_has_overflowed(capture: Capture) -> None:
    assert capture.look().overlay.state is OverlayState.OVERFLOW


@of("no-overlay")
def test_an_overlay_that_lies_unused(capture: Capture) -> None:
    system = capture.look()

    assert system.overlay.kind is OverlayKind.TEMPORARY
    assert system.unused_overlay is not None
    assert system.unused_overlay.path == f"LiveOS/{OVERLAY}"


@of("read-only-overlay")
def test_a_frozen_overlay_is_read_below_one_in_memory(capture: Capture) -> None:
    system = capture.look()
    status = capture.said["dmsetup status --noflush"]
    figures = re.search(r"live-ro: 0 4194304 snapshot (\d+)/(\d+) (\d+)", status)
    assert figures is not None

    assert system.overlay.kind is OverlayKind.TEMPORARY
    unused = system.unused_overlay
    assert unused is not None
    assert (unused.read_only, unused.in_use) == (True, True)
    assert [unused.used_bytes, unused.total_bytes] == [
        int(figures[1]) * 512,
        int(figures[2]) * 512,
    ]


@of("no-overlay-read-only")
def test_a_stick_that_is_mounted_read_only(capture: Capture) -> None:
    assert capture.look().target.writable is False


@of("read-only-stick")
def test_dracut_itself_makes_the_stick_writable_for_its_overlay(capture: Capture) -> None:
    """Booted without `rw`: do_live_overlay of dracut 059 remounts the overlay's device."""
    assert " rw " not in capture.probes().command_line()
    assert capture.look().target.writable is True


@of("two-usb-sticks")
def test_the_second_stick_is_listed(capture: Capture) -> None:
    probes = capture.probes()
    for name in ("sda", "sdb"):
        path = capture.root / "dev" / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    rows = attached_devices(probes, lambda target: LocalWatch(probes, target))

    assert [(row.label, row.this_system) for row in rows] == [("LIVE", True), ("STICK2", False)]
