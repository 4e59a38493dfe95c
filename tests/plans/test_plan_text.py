"""What --dry-run prints: 80 columns, and every command can be copied."""

import re
import shlex
from dataclasses import replace

import pytest
from diagnoses import MIB, diagnosis

from liveos_tui.live.diagnosis import Cause, Fact, Illness
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.reset import plan_reset
from liveos_tui.plans.text import WIDTH, diagnosis_text, plan_text

PLANS = [
    plan_recover(diagnosis(Illness.INVALID), copies=("/mnt/other",)),
    plan_recover(diagnosis(Illness.INVALID, cause=Cause.IO_ERROR, missing_bytes=MIB)),
    plan_recover(diagnosis(Illness.FULL)),
    plan_recover(diagnosis(Illness.ERRORS)),
    plan_recover(diagnosis(Illness.INVALID), rehearse=True),
    plan_grow(diagnosis(Illness.OVERFLOW, in_use=True)),
    plan_grow(replace(diagnosis(Illness.NONE, in_use=True), stick_writable=False)),
    plan_grow(diagnosis(Illness.NONE, missing_bytes=MIB), fill_holes=True),
    plan_reset(diagnosis(Illness.INVALID)),
]
every_plan = pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.title)

# The pane of the steps is 27 cells wide (screens.md), and state and number take 7 of them.
_TITLE_WIDTH = 19


@every_plan
def test_it_fits_80_columns(plan: Plan) -> None:
    lines = plan_text(plan).splitlines()

    assert all(len(line) <= WIDTH for line in lines if "$ " not in line)
    assert not any(line.endswith(" ") for line in lines)


@every_plan
def test_every_command_can_be_copied(plan: Plan) -> None:
    told = [line.partition("$ ")[2] for line in plan_text(plan).splitlines() if "$ " in line]
    meant = [command for step in plan.steps for command in step.commands]

    assert [tuple(shlex.split(line)) for line in told] == meant


@every_plan
def test_everything_that_is_written_and_undone_is_told(plan: Plan) -> None:
    text = " ".join(plan_text(plan).split())

    for step in plan.steps:
        assert " ".join(step.why.split()) in text
        assert all(place in text for place in step.writes)
        assert step.undo in text
    for sentence in (*plan.summary, *plan.warnings, plan.go_back, *plan.afterwards):
        assert sentence in text


@every_plan
def test_steps_fit_the_pane_and_say_enough(plan: Plan) -> None:
    for step in plan.steps:
        assert len(step.title) <= _TITLE_WIDTH
        assert step.why.endswith(".")
        assert step.undo.endswith(".")


@every_plan
def test_only_what_asks_writes(plan: Plan) -> None:
    writes = any(step.writes for step in plan.steps)

    assert writes == (plan.confirmation.value != "none")


@pytest.mark.parametrize("plan", [PLANS[0], PLANS[-1]], ids=lambda plan: plan.title)
def test_the_way_back_is_named_for_the_console_and_for_the_command_line(plan: Plan) -> None:
    assert "(u in Jobs, or `liveos-tui jobs rollback`)" in plan.go_back


@every_plan
def test_every_word_in_capitals_of_a_command_is_explained(plan: Plan) -> None:
    words = {
        word
        for step in plan.steps
        for argv in step.commands
        for argument in argv
        for word in re.findall(r"(?:^|\s)([A-Z][A-Z-]+)(?=$|[\s/])", argument)
    } - {"P", "PO"}
    explained = {line.split()[0] for line in plan_text(plan).splitlines() if line[:2] == "  "}

    assert words <= explained


def test_capitals_are_spoken_of_only_where_there_are_any() -> None:
    running = plan_text(plan_grow(diagnosis(Illness.OVERFLOW, in_use=True)))

    assert "Commands are shown as they will be run.\n" in running
    assert "capitals" not in running


def test_without_a_device_mapper_no_commands_of_the_kernel_are_told() -> None:
    plan = plan_recover(diagnosis(Illness.INVALID), device_mapper=False)
    programs = {command[0] for step in plan.steps for command in step.commands}

    assert programs == {"e2fsck"}


def test_names_from_outside_are_harmless() -> None:
    ill = diagnosis(Illness.INVALID)
    hostile = replace(ill.place, overlay="LiveOS/overlay-\x1b[2J-\udcff", mount_point="/m\x07")
    text = plan_text(plan_recover(replace(ill, place=hostile)))

    assert "\x1b" not in text
    assert "\x07" not in text
    assert text.encode("utf-8")


def test_a_diagnosis_marks_what_is_wrong_and_what_is_unknown() -> None:
    text = diagnosis_text(
        (
            Fact("Header", "All is well."),
            Fact("Chunks", "Full. " + "word " * 30, bad=True),
            Fact("Cause", "Not known.", unknown=True),
        )
    )
    first, second, third, *_, last = text.splitlines()

    assert first == "  Header       All is well."
    assert second.startswith("! Chunks       Full. word")
    assert third.startswith(" " * 15 + "word")
    assert last == "? Cause        Not known."
