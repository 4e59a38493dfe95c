"""`operations` of a status and the plans say the same: possible here is planned there."""

from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import layouts
import pytest
from layouts import EXT4_HEAD, OVERLAY_BYTES, USED
from machines import GIB, MIB, Content, MachineBuilder, store

from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.local import LocalWatch
from liveos_tui.live.model import LiveSystem, Operation, OverlayState
from liveos_tui.live.operations import room_to_grow
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.refused import PlanRefusedError
from liveos_tui.plans.reset import plan_reset
from liveos_tui.plans.sizes import propose_growth
from liveos_tui.practice import builder
from liveos_tui.practice.builder import PracticeState
from liveos_tui.system.metrics import FilesystemUsage
from liveos_tui.system.probes import Probes

MOUNT = "/media/stick"
# An overlay of 512 MiB that is full.
FULL = store(130_560)
FULL_AND_INVALID = store(130_560, valid=False)

PLANS: dict[Operation, Callable[[Diagnosis], Plan]] = {
    Operation.RECOVER: plan_recover,
    Operation.GROW: plan_grow,
    Operation.RESET: plan_reset,
}


def refusal(plan: Callable[[Diagnosis], Plan], found: Diagnosis) -> str | None:
    try:
        plan(found)
    except PlanRefusedError as error:
        return error.message
    return None


def agree(probes: Probes, target: str) -> LiveSystem:
    """See that what is possible is planned, and what is not is refused."""
    watch = LocalWatch(probes, target)
    system = watch.sample()
    recognised = recognise(probes, target)
    with recognised.hold:
        found = diagnose(probes, recognised.site, target)
    said = {each.operation: each.why_not for each in system.operations}
    for operation, plan in PLANS.items():
        assert bool(said[operation]) == bool(refusal(plan, found)), (
            f"{operation}: said {said[operation]!r}, planned {refusal(plan, found)!r}"
        )
    (recover,) = (each for each in system.operations if each.operation is Operation.RECOVER)
    no_check = refusal(lambda found: plan_recover(found, repair=True), found)
    if system.overlay.state is not OverlayState.FRESH:
        assert (recover.possible or recover.on_request) == (no_check is None), no_check
    if said[Operation.GROW] is None:
        growth = propose_growth(found, repair=False)
        # A file's last part of a sector is no room for the kernel.
        assert abs((room_to_grow(system) or 0) - growth.most_bytes + growth.from_bytes) <= MIB
    watch.close()
    return system


Build = Callable[[MachineBuilder], None]


def booted(
    overlay: Content | None = None, status: str | None = None, extra: Build = lambda _: None
) -> Build:
    def build(machine: MachineBuilder) -> None:
        layouts.fedora_30(machine, overlay=overlay, status=status)
        extra(machine)

    return build


def left_out(overlay: Content) -> Build:
    return lambda machine: layouts.unused_overlay(machine, overlay)


BOOTED: dict[str, Build] = {
    "Fedora 30": layouts.fedora_30,
    "Fedora 20": layouts.fedora_20,
    "Fedora 16": layouts.fedora_16,
    "overflowed": booted(FULL, "Overflow"),
    "invalid": booted(FULL_AND_INVALID, "Invalid"),
    "full": booted(FULL, f"{OVERLAY_BYTES // 512}/{OVERLAY_BYTES // 512} 4096"),
    "fresh": booted(b"", "16/1048576 16"),
    "unknown": booted(None, "Unknown"),
    "in memory": layouts.memory_overlay,
    "left out, well": left_out(store(USED)),
    "left out, full": left_out(FULL),
    "left out, invalid": left_out(FULL_AND_INVALID),
    "left out, invalid and not full": left_out(store(USED, valid=False)),
    "left out, foreign": left_out(b"\x7fELF\x02\x01\x01\x00"),
    "left out, fresh": left_out(b""),
    "frozen": layouts.frozen_overlay,
    "uncompressed": layouts.uncompressed,
    "flat, a folder": layouts.flat_directory,
    "flat, a file": layouts.flat_embedded,
    "flat, in memory": layouts.flat_temporary,
    "flat, EROFS": layouts.flat_erofs,
}


@pytest.mark.parametrize("privileged", [True, False], ids=["root", "not root"])
@pytest.mark.parametrize("name", BOOTED)
def test_booted(machine: MachineBuilder, name: str, privileged: bool) -> None:
    BOOTED[name](machine)
    machine.answer("unsquashfs -processors 1 -no-wildcards -cat", EXT4_HEAD)
    agree(machine.probes(privileged=privileged), "live")


ATTACHED = {
    "well": store(USED),
    "full": FULL,
    "invalid": FULL_AND_INVALID,
    "invalid and not full": store(USED, valid=False),
    "fresh": b"",
    "nothing changed yet": store(0),
    "cut off": store(133_000),
    "another file": b"\x7fELF",
    "a file system": EXT4_HEAD,
    "none": None,
}
# Of 16 GiB: plenty, too little for a repair, nothing, and none at all of what is kept for a job.
FREE = {"roomy": 5 * GIB, "narrow": 13 * MIB, "crowded": 9 * MIB, "stuffed": 0}


# What room decides: the growth of each, the recovery of those that are ill.
CASES = [(name, "roomy") for name in ATTACHED]
CASES += [
    (name, free)
    for name in ("well", "full", "invalid and not full")
    for free in FREE
    if free != "roomy"
]


@pytest.mark.parametrize(("name", "free"), CASES)
def test_attached(machine: MachineBuilder, name: str, free: str) -> None:
    layouts.installed(machine)
    layouts.stick(
        machine, MOUNT, number="8:33", name="sdc1", label="STICK2", overlay=ATTACHED[name]
    )
    total = 16 * GIB
    machine.mount("8:33", MOUNT, "vfat", "/dev/sdc1", (total, total - FREE[free]))
    machine.answer("unsquashfs -processors 1 -no-wildcards -cat", EXT4_HEAD)
    agree(machine.probes(), MOUNT)


@pytest.mark.parametrize("filesystem", ["ext4", "vfat", "iso9660"])
@pytest.mark.parametrize("size", [512 * MIB, 4095 * MIB, (1 << 32) - 4096, (1 << 32) - 1])
def test_sizes(machine: MachineBuilder, size: int, filesystem: str) -> None:
    layouts.installed(machine)
    path = layouts.stick(machine, MOUNT, number="8:33", name="sdc1", label="STICK2")
    machine.file(f"{MOUNT}/{path}", store(USED), size)
    machine.mount("8:34", MOUNT, filesystem, "/dev/sdc1", (16 * GIB, 8 * GIB))
    machine.answer("unsquashfs -processors 1 -no-wildcards -cat", EXT4_HEAD)
    agree(machine.probes(), MOUNT)


@pytest.mark.real_tools
def test_practice_sticks(tmp_path: Path) -> None:
    # The room of this machine's disk is anybody's, and changes between two looks.
    probes = Probes(usage_of=lambda _: FilesystemUsage(16 * GIB, 8 * GIB, 8 * GIB))
    with patch.multiple(builder, ROOT_BYTES=40 * MIB, OVERLAY_BYTES=10 * MIB):
        for state in PracticeState:
            builder.build(tmp_path / state, state)
            system = agree(probes, str(tmp_path / state))
            possible = {each.operation for each in system.operations if each.possible}
            ill = state in {PracticeState.OVERFLOW, PracticeState.INVALID}
            assert (Operation.RECOVER in possible) == ill
