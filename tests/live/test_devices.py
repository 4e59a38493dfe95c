"""The list of devices: sticks that are here, how they are, and nothing else."""

import layouts
from layouts import USED
from machines import GIB, Content, MachineBuilder, store, used_sectors

from liveos_tui.live.devices import attached_devices
from liveos_tui.live.local import LocalWatch
from liveos_tui.live.model import AttachedDevice, OverlayState, Severity

MOUNT = "/media/stick"


def rows(machine: MachineBuilder) -> tuple[AttachedDevice, ...]:
    probes = machine.probes()
    return attached_devices(probes, lambda target: LocalWatch(probes, target))


def attach_at_mount(machine: MachineBuilder, overlay: Content) -> None:
    layouts.stick(machine, MOUNT, number="8:33", name="sdc1", label="STICK2", overlay=overlay)


def test_the_stick_of_this_system_comes_first(machine: MachineBuilder) -> None:
    layouts.fedora_30(machine)
    machine.block("sda", "8:0", type="disk", rm=True)
    machine.block("sda1", "8:1", fstype="ext4", label="BACKUP", rm=True, pkname="sda")
    found = rows(machine)

    assert [row.path for row in found] == ["/dev/sdb1", "/dev/sda1"]
    assert found[0].this_system
    assert found[0].overlay_state is OverlayState.OK
    assert found[0].overlay_fraction == used_sectors(USED) / layouts.SECTORS
    assert found[0].model == "Ultra Fit"


def test_disks_inside_the_computer_are_left_out(machine: MachineBuilder) -> None:
    layouts.installed(machine)

    assert rows(machine) == ()


def test_a_mounted_stick_is_judged(machine: MachineBuilder) -> None:
    layouts.installed(machine)
    attach_at_mount(machine, store(USED, valid=False))
    (row,) = rows(machine)

    assert (row.label, row.size_bytes, row.this_system) == ("STICK2", 16 * GIB, False)
    assert (row.overlay_state, row.severity) == (OverlayState.INVALID, Severity.BROKEN)
    assert not row.note


def test_a_stick_that_is_no_liveos_says_so(machine: MachineBuilder) -> None:
    layouts.installed(machine)
    machine.block("sdd1", "8:49", fstype="vfat", label="PHOTOS", rm=True)
    machine.mount("8:49", "/media/photos", "vfat", "/dev/sdd1", (GIB, 0))
    machine.path("/dev/sdd1").touch()
    (row,) = rows(machine)

    assert row.overlay_state is None
    assert row.note


def test_swap_and_raid_members_are_not_looked_at(machine: MachineBuilder) -> None:
    layouts.installed(machine)
    machine.block("sdd1", "8:49", fstype="swap", rm=True)
    machine.block("sdd2", "8:50", fstype="linux_raid_member", rm=True)

    assert rows(machine) == ()
