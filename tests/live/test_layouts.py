"""Every layout of facts.md, section 1, booted: what is it, and how is it?"""

from collections.abc import Callable

import layouts
import pytest
from layouts import OVERLAY_BYTES, USED
from machines import GIB, MIB, MachineBuilder, store, used_sectors

from liveos_tui.errors import NotALiveosError
from liveos_tui.live.local import LocalWatch
from liveos_tui.live.model import (
    HomeState,
    ImageFormat,
    LayoutKind,
    LiveSystem,
    Operation,
    OverlayKind,
    OverlayState,
    Severity,
)

OVERLAY = "LiveOS/overlay-LIVE-12AB-CDEF"


def look(machine: MachineBuilder, *, privileged: bool = True) -> LiveSystem:
    return LocalWatch(machine.probes(privileged=privileged), "live").sample()


def codes(system: LiveSystem) -> list[str]:
    return [finding.code for finding in system.findings]


def why_not(system: LiveSystem, operation: Operation) -> str | None:
    return next(each.why_not for each in system.operations if each.operation is operation)


@pytest.mark.parametrize(
    ("build", "table", "base"),
    [
        (layouts.fedora_16, "P", "LiveOS/ext3fs.img"),
        (layouts.fedora_20, "P", "LiveOS/ext3fs.img"),
        (layouts.fedora_30, "PO", "LiveOS/rootfs.img"),
    ],
)
def test_a_persistent_overlay_in_use(
    machine: MachineBuilder, build: Callable[[MachineBuilder], None], table: str, base: str
) -> None:
    build(machine)
    system = look(machine)

    assert (system.layout.kind, system.layout.base) == (LayoutKind.SNAPSHOT, base)
    assert (system.overlay.path, system.overlay.table) == (OVERLAY, table)
    assert (system.overlay.in_use, system.overlay.persistent) == (True, True)
    assert system.overlay.used_bytes == used_sectors(USED) * 512
    assert system.overlay.total_bytes == OVERLAY_BYTES
    assert system.overlay.state is OverlayState.OK
    assert codes(system) == []


def test_the_stick_and_the_root_are_measured_and_named(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine)
    system = look(machine)

    target = system.target
    assert (target.label, target.uuid, target.filesystem) == ("LIVE", "12AB-CDEF", "vfat")
    assert (target.device, target.model, target.writable) == ("/dev/sdb1", "Ultra Fit", True)
    assert target.release == "Fedora Linux 39 (Workstation)"
    assert (system.root.usage.used_bytes, system.root.usage.total_bytes) == (736 * MIB, 2 * GIB)
    assert system.host.usage.free_bytes == 5 * GIB


def test_osmin_is_always_full_and_never_alarms(machine: MachineBuilder) -> None:
    layouts.fedora_16(machine)

    assert look(machine).severity is None


def test_without_root_the_figures_are_the_stores_own(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine)
    system = look(machine, privileged=False)

    assert system.overlay.in_use
    assert system.overlay.table is None
    assert system.overlay.used_bytes == used_sectors(USED) * 512
    assert codes(system) == ["not-root"]


def test_an_overlay_in_memory(machine: MachineBuilder) -> None:
    layouts.memory_overlay(machine)
    system = look(machine)

    assert system.overlay.kind is OverlayKind.TEMPORARY
    assert not system.overlay.persistent
    assert system.overlay.used_bytes == 3784 * 512
    assert system.unused_overlay is None
    assert codes(system) == ["overlay-temporary", "stick-read-only"]


def test_an_overlay_in_memory_is_unknown_without_root(machine: MachineBuilder) -> None:
    layouts.memory_overlay(machine)
    system = look(machine, privileged=False)

    assert system.overlay.kind is OverlayKind.TEMPORARY
    assert system.overlay.used_bytes is None
    assert system.overlay.unknown == "only root may ask the kernel about it."
    assert system.severity is Severity.NOTICE


def test_an_overlay_in_memory_warns_when_memory_ends(machine: MachineBuilder) -> None:
    layouts.memory_overlay(machine)
    machine.memory = 100 * MIB

    assert codes(look(machine))[0] == "memory-low"


def test_a_frozen_overlay_lies_below_one_in_memory(machine: MachineBuilder) -> None:
    layouts.frozen_overlay(machine)
    system = look(machine)

    assert system.overlay.kind is OverlayKind.TEMPORARY
    assert system.unused_overlay is not None
    assert system.unused_overlay.read_only
    assert system.unused_overlay.path == OVERLAY
    assert system.unused_overlay.used_bytes == used_sectors(USED) * 512
    assert "overlay-frozen" in codes(system)
    assert why_not(system, Operation.GROW) == (
        "The overlay is frozen: boot without rd.live.overlay.readonly to change it."
    )


def test_an_uncompressed_image_is_the_base_itself(machine: MachineBuilder) -> None:
    layouts.uncompressed(machine)
    system = look(machine)

    assert system.layout.image == "LiveOS/rootfs.img"
    assert (system.layout.image_format, system.layout.base) == (ImageFormat.EXT, None)
    assert system.overlay.path == OVERLAY


def test_an_overlay_that_lies_unused_is_told_with_its_state(machine: MachineBuilder) -> None:
    layouts.unused_overlay(machine, store(USED))
    system = look(machine)

    assert system.unused_overlay is not None
    assert system.unused_overlay.state is OverlayState.OK
    assert system.unused_overlay.used_bytes == used_sectors(USED) * 512
    assert "unused-overlay" in codes(system)


def test_an_unused_overlay_that_is_invalid_can_be_recovered(machine: MachineBuilder) -> None:
    layouts.unused_overlay(machine, store(USED, valid=False))
    system = look(machine)

    assert system.severity is Severity.BROKEN
    assert codes(system)[0] == "unused-overlay-invalid"
    assert why_not(system, Operation.RECOVER) is None


@pytest.mark.parametrize(
    ("status", "state"),
    [("Invalid", OverlayState.INVALID), ("Overflow", OverlayState.OVERFLOW)],
)
def test_an_overlay_that_died_while_in_use(
    machine: MachineBuilder, status: str, state: OverlayState
) -> None:
    layouts.fedora_30(machine, status=status)
    system = look(machine)

    assert system.overlay.state is state
    assert system.severity is Severity.BROKEN
    assert "in use" in (why_not(system, Operation.RECOVER) or "")


def test_a_full_overlay_in_use_can_be_grown(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine, status=f"{layouts.SECTORS}/{layouts.SECTORS} 4096")
    system = look(machine)

    assert system.overlay.state is OverlayState.FULL
    assert system.findings[0].operation is Operation.GROW
    assert why_not(system, Operation.GROW) is None


def test_a_stick_mounted_read_only_is_told(machine: MachineBuilder) -> None:
    layouts.dracut_cmdline(machine, "rd.live.overlay=LABEL=LIVE")
    path = layouts.stick(machine, options="ro,relatime", overlay=store(USED))
    machine.loop(1, "/LiveOS/rootfs.img")
    machine.loop(2, f"/{path}", of=f"{layouts.STICK}/{path}", filesystem="8:17")
    layouts.snapshot_root(machine, "PO")
    system = look(machine)

    assert system.target.writable is False
    assert codes(system) == ["stick-read-only"]


def test_a_flat_image_with_an_upper_directory_is_as_full_as_the_stick(
    machine: MachineBuilder,
) -> None:
    layouts.flat_directory(machine)
    system = look(machine)

    assert (system.layout.kind, system.layout.base) == (LayoutKind.OVERLAYFS, None)
    assert system.overlay.kind is OverlayKind.DIRECTORY
    assert system.overlay.path == OVERLAY
    assert (system.overlay.used_bytes, system.overlay.total_bytes) == (9 * GIB, 14 * GIB)
    assert (why_not(system, Operation.GROW) or "").startswith("This overlay is an OverlayFS")


def test_a_flat_erofs_is_told_as_erofs(machine: MachineBuilder) -> None:
    layouts.flat_erofs(machine)
    system = look(machine)

    assert system.layout.image_format is ImageFormat.EROFS
    assert system.overlay.kind is OverlayKind.DIRECTORY


def test_an_upper_directory_in_a_file_is_as_full_as_that_file(machine: MachineBuilder) -> None:
    layouts.flat_embedded(machine)
    system = look(machine)

    assert system.overlay.kind is OverlayKind.EMBEDDED
    assert system.overlay.path == OVERLAY
    assert system.overlay.total_bytes == 480 * MIB
    assert system.overlay.state is OverlayState.FILLING


def test_an_upper_directory_in_memory_is_as_full_as_run(machine: MachineBuilder) -> None:
    layouts.flat_temporary(machine)
    system = look(machine)

    assert system.overlay.kind is OverlayKind.TEMPORARY
    assert not system.overlay.persistent
    assert system.overlay.total_bytes == GIB


@pytest.mark.parametrize(
    ("build", "name"),
    [(layouts.ubuntu, "Ubuntu live"), (layouts.debian_live, "Debian live")],
)
def test_other_live_systems_are_declined_by_name(
    machine: MachineBuilder, build: Callable[[MachineBuilder], None], name: str
) -> None:
    build(machine)
    with pytest.raises(NotALiveosError, match=name):
        look(machine)


def test_an_installed_system_is_no_liveos(machine: MachineBuilder) -> None:
    layouts.installed(machine)
    with pytest.raises(NotALiveosError, match="not booted from a LiveOS"):
        look(machine)


class TestHome:
    """home.img, beside the overlay."""

    def test_none(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)

        assert look(machine).home.state is HomeState.NONE

    def test_mounted(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        home = f"{layouts.STICK}/LiveOS/home.img"
        machine.file(home, layouts.EXT4_HEAD, 256 * MIB)
        machine.loop(4, home, of=home, filesystem="8:17")
        machine.mount("7:4", "/home", "ext4", "/dev/loop4", (240 * MIB, 31 * MIB))
        found = look(machine).home

        assert found.state is HomeState.MOUNTED
        assert found.usage.used_bytes == 31 * MIB

    def test_not_mounted_is_read_from_its_superblock(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        machine.file(f"{layouts.STICK}/LiveOS/home.img", layouts.EXT4_HEAD, 256 * MIB)
        found = look(machine).home

        assert found.state is HomeState.UNMOUNTED
        assert found.usage.total_bytes is not None

    def test_luks_is_told_as_locked(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        machine.file(f"{layouts.STICK}/LiveOS/home.img", layouts.LUKS_HEAD, 256 * MIB)
        system = look(machine)

        assert system.home.state is HomeState.LOCKED
        assert "home-locked" in codes(system)

    def test_luks_that_is_open_is_measured(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        home = f"{layouts.STICK}/LiveOS/home.img"
        machine.file(home, layouts.LUKS_HEAD, 256 * MIB)
        machine.loop(4, home, of=home, filesystem="8:17")
        machine.dm(
            3,
            "EncHome",
            ["loop4"],
            "0 524288 crypt aes-xts-plain64 :64 0 7:4 4096",
            "0 524288 crypt ",
        )
        machine.mount("254:3", "/home", "ext4", "/dev/mapper/EncHome", (240 * MIB, 31 * MIB))

        assert look(machine).home.usage.used_bytes == 31 * MIB

    def test_a_fifo_named_home_does_not_hang(self, machine: MachineBuilder) -> None:
        import os

        layouts.fedora_30(machine)
        os.mkfifo(machine.path(f"{layouts.STICK}/LiveOS/home.img"))
        system = look(machine)

        assert system.home.state is HomeState.UNREADABLE
        assert system.overlay.state is OverlayState.OK


class TestRate:
    """How fast it fills, over the samples of one watch."""

    def test_is_told_with_the_time_until_full(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        probes = machine.probes()
        seconds = iter([0.0, 60.0])
        watch = LocalWatch(probes, "live", clock=lambda: next(seconds))
        first = watch.sample().overlay
        machine.answer("dmsetup status", "live-rw: 0 4194304 snapshot 500000/1048576 640\n")
        second = watch.sample().overlay

        assert first.rate_bytes_per_second is None
        rate = (500000 - used_sectors(USED)) * 512 / 60
        assert second.rate_bytes_per_second == pytest.approx(rate)
        assert second.seconds_until_full == pytest.approx((1048576 - 500000) * 512 / rate)

    def test_of_less_than_an_hour_warns_before_80_percent(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        seconds = iter([0.0, 60.0])
        watch = LocalWatch(machine.probes(), "live", clock=lambda: next(seconds))
        watch.sample()
        machine.answer("dmsetup status", "live-rw: 0 4194304 snapshot 500000/1048576 640\n")
        system = watch.sample()

        assert system.overlay.state is OverlayState.FILLING
        assert "full in about 1 minute" in system.findings[0].text

    def test_of_an_overlay_that_has_died_is_not_told(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        seconds = iter([0.0, 60.0])
        watch = LocalWatch(machine.probes(), "live", clock=lambda: next(seconds))
        watch.sample()
        machine.answer("dmsetup status", "live-rw: 0 4194304 snapshot Overflow\n")

        assert watch.sample().overlay.seconds_until_full is None
