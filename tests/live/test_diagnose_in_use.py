"""What a diagnosis takes from the kernel: its status, its log, and which stick it is."""

import layouts
import pytest
from layouts import EXT4_HEAD, OVERLAY_BYTES, STICK, USED
from machines import GIB, MachineBuilder, store

from liveos_tui.formats.cow import CowHeader
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.diagnosis import Cause, Diagnosis, Fact, Illness
from liveos_tui.live.placing import overlay_meant, place_of
from liveos_tui.live.recognise import recognise

CAT = "unsquashfs -processors 1 -no-wildcards -cat"
FULL = store(130_560, valid=False)
"""An overlay of 512 MiB that became Invalid when it was full."""

SNAPSHOTS = "[   81.000000] device-mapper: snapshots: Invalidating snapshot: "
ALLOCATE = f"{SNAPSHOTS}Unable to allocate exception.\n"
READ_WRITE = f"{SNAPSHOTS}Error reading/writing.\n"
STICK_ERROR = "[   80.000000] I/O error, dev sdb, sector 4096 op 0x1:(WRITE) flags 0x0 phys_seg 1\n"


def look(machine: MachineBuilder, target: str = "live", *, privileged: bool = True) -> Diagnosis:
    machine.answer(CAT, EXT4_HEAD)
    probes = machine.probes(privileged=privileged)
    return diagnose(probes, recognise(probes, target).site, target)


def fact(found: Diagnosis, name: str) -> Fact:
    return next(each for each in found.facts if each.name == name)


class TestStatus:
    def test_a_root_that_runs(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        found = look(machine)

        assert found.illness is Illness.NONE
        assert (found.in_use, found.device, found.loop) == (True, "live-rw", "7:2")
        assert (found.persistence, found.stick_writable) == ("PO", True)
        assert "live-rw uses the overlay" in fact(found, "Kernel").text
        assert not found.refusal

    def test_a_root_that_has_overflowed(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine, status="Overflow")
        found = look(machine)

        assert found.illness is Illness.OVERFLOW
        assert "until the next boot" in fact(found, "Kernel").text

    def test_a_root_that_is_invalid(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine, status="Invalid", overlay=store(USED, valid=False))

        assert look(machine).illness is Illness.INVALID

    def test_a_root_that_is_full_to_the_last_chunk(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine, status="1048576/1048576 4096")

        assert look(machine).illness is Illness.FULL

    def test_without_root_the_kernel_is_not_known(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine, status="Overflow")
        found = look(machine, privileged=False)

        assert fact(found, "Kernel").unknown
        assert found.illness is Illness.NONE

    def test_a_kernel_that_says_nothing_leaves_nothing_to_do(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine, status="Unknown")

        assert "says nothing about live-rw" in look(machine).refusal

    def test_a_frozen_overlay_is_left_alone(self, machine: MachineBuilder) -> None:
        layouts.frozen_overlay(machine)

        assert "frozen at this boot" in look(machine).refusal

    def test_the_overlay_that_was_left_out_at_boot_is_meant(self, machine: MachineBuilder) -> None:
        layouts.unused_overlay(machine, store(USED, valid=False))
        found = look(machine)

        assert found.illness is Illness.INVALID
        assert (found.in_use, found.device) == (False, None)
        assert found.place.overlay == "LiveOS/overlay-LIVE-12AB-CDEF"
        assert found.place.this_system
        assert found.stick_writable is False

    def test_no_overlay_at_all(self, machine: MachineBuilder) -> None:
        layouts.memory_overlay(machine)
        found = look(machine)

        assert "in memory" in found.refusal
        assert found.place.overlay == ""

    @pytest.mark.parametrize("build", [layouts.flat_directory, layouts.flat_embedded])
    def test_an_overlayfs(self, machine: MachineBuilder, build: object) -> None:
        assert callable(build)
        build(machine)

        assert "OverlayFS" in look(machine).refusal


class TestCause:
    def test_the_log_says_that_there_was_no_room(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine, status="Invalid", overlay=store(USED, valid=False))
        machine.answer("dmesg", ALLOCATE)
        found = look(machine)

        assert found.cause is Cause.SPACE
        assert "Unable to allocate exception" in fact(found, "Cause").text

    def test_the_log_says_that_the_stick_has_failed(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine, status="Invalid", overlay=store(USED, valid=False))
        machine.answer("dmesg", STICK_ERROR + READ_WRITE)
        found = look(machine)

        assert found.cause is Cause.IO_ERROR
        assert "an error of the stick" in fact(found, "Stick errors").text

    def test_errors_of_the_stick_make_a_full_store_doubtful(self, machine: MachineBuilder) -> None:
        layouts.unused_overlay(machine, FULL)
        machine.answer("dmesg", STICK_ERROR)
        found = look(machine)

        assert found.summary is not None
        assert found.summary.full
        assert found.cause is Cause.IO_ERROR

    def test_errors_of_other_disks_do_not(self, machine: MachineBuilder) -> None:
        layouts.unused_overlay(machine, FULL)
        machine.answer("dmesg", STICK_ERROR.replace("sdb", "sdz"))

        assert look(machine).cause is Cause.SPACE

    def test_another_boot_is_not_asked(self, machine: MachineBuilder) -> None:
        layouts.unused_overlay(machine, store(USED, valid=False))
        machine.answer("dmesg", ALLOCATE)
        found = look(machine)

        assert found.cause is Cause.IO_ERROR
        assert fact(found, "Kernel log").unknown

    def test_a_log_that_cannot_be_read(self, machine: MachineBuilder) -> None:
        layouts.unused_overlay(machine, FULL)
        found = look(machine)

        assert found.cause is Cause.SPACE
        assert "cannot be read" in fact(found, "Kernel log").text


class TestPlace:
    def attach(self, machine: MachineBuilder, mount_point: str) -> None:
        layouts.installed(machine)
        layouts.stick(
            machine,
            mount_point,
            number="8:33",
            name="sdc1",
            label="STICK2",
            overlay=store(USED),
        )
        machine.text("/sys/block/sdc/diskseq", "17\n")
        machine.text("/proc/sys/kernel/random/boot_id", "0f2b\n")
        serial = '{"blockdevices": [{"serial": "AA0000123"}]}'
        machine.answer("lsblk --json --nodeps --output SERIAL /dev/sdc", serial)

    def test_a_stick_is_known_by_what_is_its_own(self, machine: MachineBuilder) -> None:
        self.attach(machine, "/media/stick")
        place = look(machine, "/dev/sdc1").place

        assert (place.target, place.device, place.number) == ("/dev/sdc1", "/dev/sdc1", "8:33")
        assert (place.serial, place.diskseq, place.boot_id) == ("AA0000123", "17", "0f2b")
        assert (place.label, place.uuid, place.filesystem) == ("STICK2", "12AB-CDEF", "vfat")
        assert (place.model, place.size_bytes) == ("Ultra Fit", 16 * GIB)
        assert (place.mount_point, place.live_folder) == ("/media/stick", "LiveOS")
        assert place.store_header == CowHeader().to_bytes().hex()
        assert place.overlay_bytes == OVERLAY_BYTES
        assert not place.this_system

    def test_a_stick_that_is_only_looked_at_is_mounted_by_the_job(
        self, machine: MachineBuilder
    ) -> None:
        self.attach(machine, "/run/liveos-tui/mnt/77-sdc1")
        found = look(machine, "/dev/sdc1")

        assert found.place.mount_point is None
        assert found.stick_writable is None

    def test_the_stick_of_this_system(self, machine: MachineBuilder) -> None:
        layouts.fedora_30(machine)
        place = look(machine).place

        assert (place.target, place.mount_point, place.this_system) == ("live", STICK, True)

    def test_without_an_overlay_there_is_none_to_name(self, machine: MachineBuilder) -> None:
        layouts.installed(machine)
        layouts.stick(machine, "/media/stick", number="8:33", name="sdc1", label="STICK2")
        probes = machine.probes()
        site = recognise(probes, "/media/stick").site

        assert overlay_meant(site).path is None
        assert place_of(probes, site, "/media/stick").overlay == ""
        assert "no persistent overlay" in diagnose(probes, site).refusal
