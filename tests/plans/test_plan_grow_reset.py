"""Growing an overlay, in use or not, and throwing its contents away."""

from dataclasses import replace

import pytest
from diagnoses import MIB, diagnosis, store

from liveos_tui.live.diagnosis import Diagnosis, Fact, Illness
from liveos_tui.plans.actions import (
    BackUp,
    FillHoles,
    GrowFile,
    OpenStick,
    RefreshLoop,
    ResetStore,
)
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.model import Confirmation, Plan
from liveos_tui.plans.refused import NothingToDoError, PlanRefusedError
from liveos_tui.plans.reset import plan_reset


def kinds(plan: Plan) -> list[type]:
    return [type(step.action) for step in plan.steps]


class TestGrow:
    def test_in_use_the_kernel_is_told(self) -> None:
        plan = plan_grow(diagnosis(Illness.NONE, in_use=True), grow_bytes=128 * MIB)

        assert kinds(plan) == [OpenStick, GrowFile, RefreshLoop]
        assert plan.steps[2].action == RefreshLoop("7:2", "live-rw", 640 * MIB)
        assert plan.steps[2].commands[0] == ("losetup", "--set-capacity", "/dev/loop2")
        assert "No reboot is needed." in plan.summary[1]
        assert plan.confirmation is Confirmation.ENTER

    def test_not_in_use_only_the_file_grows(self) -> None:
        assert kinds(plan_grow(diagnosis(Illness.NONE))) == [OpenStick, GrowFile]

    def test_a_stick_that_is_mounted_read_only_is_warned_of(self) -> None:
        ill = replace(diagnosis(Illness.NONE, in_use=True), stick_writable=False)
        plan = plan_grow(ill)

        assert plan.steps[0].action == OpenStick(remount=True)
        assert "mounted read-only" in plan.warnings[0]
        assert plan.first_write == 0

    def test_holes_are_filled_when_it_is_asked_for(self) -> None:
        sparse = diagnosis(Illness.NONE, missing_bytes=50 * MIB)

        assert kinds(plan_grow(sparse, fill_holes=True)) == [OpenStick, GrowFile, FillHoles]
        assert kinds(plan_grow(sparse)) == [OpenStick, GrowFile]
        assert "50 MiB" in plan_grow(sparse).warnings[0]

    def test_without_holes_there_is_nothing_to_fill(self) -> None:
        with pytest.raises(NothingToDoError, match="no holes"):
            plan_grow(diagnosis(Illness.NONE), fill_holes=True)

    def test_without_holes_it_grows_by_what_was_named_all_the_same(self) -> None:
        plan = plan_grow(diagnosis(Illness.NONE), grow_bytes=64 * MIB, fill_holes=True)

        assert kinds(plan) == [OpenStick, GrowFile]

    def test_room_is_told_with_what_it_is_for(self) -> None:
        sparse = diagnosis(Illness.NONE, missing_bytes=50 * MIB)

        assert plan_grow(sparse, grow_bytes=64 * MIB).room[0].parts == (
            "64 MiB for the overlay, 50 MiB for its holes, the rest for the job itself"
        )

    def test_an_overflow_in_use_tells_what_is_left_to_do(self) -> None:
        plan = plan_grow(diagnosis(Illness.OVERFLOW, in_use=True))
        left = " ".join(plan.afterwards)

        assert "only a reboot does" in plan.summary[2]
        assert left.index("Reboot") < left.index("without the overlay") < left.index("recover")

    def test_a_full_overlay_that_is_not_in_use_is_recovered_instead(self) -> None:
        with pytest.raises(PlanRefusedError, match="recover it, which grows it as well"):
            plan_grow(diagnosis(Illness.FULL))

    def test_one_with_a_root_that_e2fsck_does_not_know_is_grown_and_to_be_checked(self) -> None:
        xfs = replace(diagnosis(Illness.FULL), root_filesystem="xfs")
        assert "check it before you boot" in plan_grow(xfs).afterwards[0]

    def test_a_full_overlay_in_use_needs_nothing_more(self) -> None:
        assert plan_grow(diagnosis(Illness.FULL, in_use=True)).afterwards == ()

    @pytest.mark.parametrize("in_use", [False, True])
    def test_an_invalid_overlay_is_recovered_instead(self, in_use: bool) -> None:
        with pytest.raises(PlanRefusedError, match="is Invalid"):
            plan_grow(diagnosis(Illness.INVALID, in_use=in_use))

    def test_the_size_is_never_one_that_breaks(self) -> None:
        plan = plan_grow(diagnosis(Illness.NONE), to_bytes=770 * MIB)

        assert plan.steps[1].action == GrowFile(512 * MIB, 771 * MIB)


class TestReset:
    def test_the_header_is_saved_and_zeroed(self) -> None:
        plan = plan_reset(diagnosis(Illness.NONE))

        assert kinds(plan) == [OpenStick, BackUp, ResetStore]
        assert plan.confirmation is Confirmation.LABEL
        assert "thrown away" in plan.summary[0]

    @pytest.mark.parametrize("illness", [Illness.INVALID, Illness.FULL, Illness.ERRORS])
    def test_what_can_be_recovered_is_not_thrown_away_unasked(self, illness: Illness) -> None:
        assert any("recovered" in text for text in plan_reset(diagnosis(illness)).warnings)

    def test_in_use_the_boot_option_does_it(self) -> None:
        with pytest.raises(PlanRefusedError) as caught:
            plan_reset(diagnosis(Illness.NONE, in_use=True))

        assert "rd.live.overlay.reset" in caught.value.hint
        assert "rd.overlay.reset" in caught.value.hint

    def test_an_empty_overlay_is_empty_already(self) -> None:
        ill = diagnosis(Illness.NONE)
        empty = replace(ill, header=None, summary=replace(store(), header=None, exceptions=0))
        with pytest.raises(PlanRefusedError, match="empty already"):
            plan_reset(empty)

    def test_a_foreign_file_is_left_alone(self) -> None:
        foreign = replace(diagnosis(Illness.FOREIGN), summary=None, refusal="No COW store.")
        with pytest.raises(PlanRefusedError, match="No COW store"):
            plan_reset(foreign)

    def test_a_damaged_list_is_left_alone(self) -> None:
        with pytest.raises(PlanRefusedError, match="cut off"):
            plan_reset(replace(diagnosis(Illness.FOREIGN), refusal="It was cut off."))

    def test_an_overlay_of_another_base_may_be_thrown_away(self) -> None:
        assert kinds(plan_reset(_stranger())) == [OpenStick, BackUp, ResetStore]

    def test_nothing_else_may_be_done_to_it(self) -> None:
        with pytest.raises(PlanRefusedError, match="do not belong together"):
            plan_grow(_stranger())


def _stranger() -> Diagnosis:
    apart = Fact("Together", "They do not belong together.", bad=True)
    ill = diagnosis(Illness.NONE, facts=(apart,))
    return replace(ill, refusal="The base image and the overlay do not belong together.")
