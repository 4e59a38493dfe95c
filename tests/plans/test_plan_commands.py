"""The commands that a plan shows are those by which the kernel is asked."""

from dataclasses import replace

from diagnoses import GIB, diagnosis

from liveos_tui.live.diagnosis import Illness
from liveos_tui.plans.model import Plan, Step
from liveos_tui.plans.recover import plan_recover

SECTORS = 8 * GIB // 512


def step(plan: Plan, title: str) -> Step:
    return next(each for each in plan.steps if each.title == title)


def test_an_invalid_store_is_rehearsed_with_a_header_in_memory() -> None:
    commands = step(plan_recover(diagnosis(Illness.INVALID)), "Rehearse the repair").commands

    assert (
        "dmsetup", "create", "--readonly", "STORE",
        "--table", "0 8 linear HEADER 0", "--table", "8 1048568 linear OVERLAY 8",
    ) in commands  # fmt: skip
    assert (
        "dmsetup", "create", "--readonly", "VIEW",
        "--table", f"0 {SECTORS} snapshot BASE STORE PO 8",
    ) in commands  # fmt: skip


def test_the_base_is_joined_once_for_rehearsal_and_repair() -> None:
    plan = plan_recover(diagnosis(Illness.INVALID))

    assert [command for each in plan.steps for command in each.commands if "mount" in command] == [
        step(plan, "Rehearse the repair").commands[0]
    ]


def test_nothing_of_the_stick_is_writable_in_a_rehearsal() -> None:
    plan = plan_recover(diagnosis(Illness.INVALID), rehearse=True)
    loops = [command for each in plan.steps for command in each.commands if command[0] == "losetup"]

    assert [command[-1] for command in loops if "--read-only" not in command] == ["FILE-IN-RUN"]


def test_only_the_registered_overlay_is_writable() -> None:
    commands = step(plan_recover(diagnosis(Illness.INVALID)), "Register it").commands
    writable = [
        command[-1]
        for command in commands
        if command[0] == "losetup" and "--read-only" not in command
    ]

    assert len(writable) == 1
    assert writable[0].endswith("LiveOS/overlay-STICK2-0BAD-F00D")


def test_e2fsck_runs_on_throw_away_layers_but_for_the_proof() -> None:
    plan = plan_recover(diagnosis(Illness.INVALID))
    runs = [command for each in plan.steps for command in each.commands if command[0] == "e2fsck"]

    assert {command[-1] for command in runs if "-y" in command} == {"REHEARSAL", "TRIAL"}
    assert runs[-1] == ("e2fsck", "-f", "-n", "VIEW")


def test_an_image_that_is_the_base_needs_no_mount() -> None:
    ill = diagnosis(Illness.FULL)
    bare = replace(ill, place=replace(ill.place, image="LiveOS/rootfs.img", base=None))
    commands = step(plan_recover(bare), "Rehearse the repair").commands

    assert not any(command[0] == "mount" for command in commands)
    assert commands[0][-1].endswith("LiveOS/rootfs.img")
