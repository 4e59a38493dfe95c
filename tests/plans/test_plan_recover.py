"""What is planned for an overlay that is ill, and why nothing is planned for others."""

from dataclasses import replace

import pytest
from diagnoses import GIB, MIB, PLACE, diagnosis, root, store

from liveos_tui.live.diagnosis import Cause, Diagnosis, Fact, Illness
from liveos_tui.plans.actions import (
    BackUp,
    FillHoles,
    GrowFile,
    OpenStick,
    Register,
    Rehearse,
    Repair,
    SetValid,
    TakeDown,
    Verify,
)
from liveos_tui.plans.model import Confirmation, Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.refused import NothingToDoError, PlanRefusedError


def kinds(plan: Plan) -> list[type]:
    return [type(step.action) for step in plan.steps]


def refusal(ill: Diagnosis, *, rehearse: bool = False) -> PlanRefusedError:
    with pytest.raises(PlanRefusedError) as caught:
        plan_recover(ill, rehearse=rehearse)
    return caught.value


class TestPaths:
    def test_invalid_for_want_of_room_is_grown_before_it_is_marked_valid(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID))

        assert kinds(plan) == [
            OpenStick,
            Rehearse,
            BackUp,
            GrowFile,
            SetValid,
            Register,
            Repair,
            Verify,
            TakeDown,
        ]
        assert "became Invalid" in plan.summary[0]
        assert plan.confirmation is Confirmation.ENTER

    def test_one_that_overflowed_and_was_grown_is_checked_although_nothing_is_noted(self) -> None:
        plan = plan_recover(diagnosis(Illness.NONE))

        assert kinds(plan) == [OpenStick, Rehearse, BackUp, Register, Repair, Verify, TakeDown]
        assert "not shut down cleanly" in plan.summary[0]

    def test_one_that_is_nearly_full_gets_room_where_there_is_some(self) -> None:
        assert GrowFile in kinds(plan_recover(diagnosis(Illness.NONE, used=0.97)))
        without = diagnosis(Illness.NONE, used=0.97, free_bytes=20 * MIB)
        without = replace(without, base=root(journal_bytes=MIB), view=root(journal_bytes=MIB))
        assert GrowFile not in kinds(plan_recover(replace(without, free_bytes=9 * MIB)))

    def test_a_full_overlay_is_valid_and_stays_so(self) -> None:
        plan = plan_recover(diagnosis(Illness.FULL))

        assert SetValid not in kinds(plan)
        assert kinds(plan)[2:5] == [BackUp, GrowFile, Register]
        assert "its table said PO" in plan.summary[0]
        assert plan.confirmation is Confirmation.ENTER

    def test_an_io_error_asks_for_more(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID, used=0.5, cause=Cause.IO_ERROR))

        assert plan.steps[1].action == Rehearse(read_all=True)
        assert plan.confirmation is Confirmation.LABEL
        assert "may be failing" in plan.warnings[0]
        assert GrowFile not in kinds(plan)
        assert SetValid in kinds(plan)

    def test_an_unknown_cause_is_treated_like_an_io_error(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID, cause=Cause.UNKNOWN))

        assert plan.confirmation is Confirmation.LABEL

    def test_errors_in_a_file_system_with_room_need_no_growth(self) -> None:
        plan = plan_recover(diagnosis(Illness.ERRORS))

        assert kinds(plan) == [OpenStick, Rehearse, BackUp, Register, Repair, Verify, TakeDown]

    def test_errors_without_room_for_the_repair_need_growth(self) -> None:
        assert GrowFile in kinds(plan_recover(diagnosis(Illness.ERRORS, used=0.999)))

    def test_a_size_that_breaks_is_cured_on_the_way(self) -> None:
        plan = plan_recover(diagnosis(Illness.ERRORS, file_bytes=513 * MIB))

        assert GrowFile in kinds(plan)

    def test_holes_are_filled_in(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID, missing_bytes=100 * MIB))

        assert kinds(plan).index(FillHoles) == kinds(plan).index(GrowFile) + 1
        assert any("100 MiB" in warning for warning in plan.warnings)

    def test_the_growth_may_be_named(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID), grow_bytes=128 * MIB)
        again = plan_recover(diagnosis(Illness.INVALID), to_bytes=640 * MIB)

        assert GrowFile(512 * MIB, 640 * MIB) in [step.action for step in plan.steps]
        assert again.steps == plan.steps

    def test_a_growth_below_the_need_is_warned_of(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID), grow_bytes=4 * MIB)

        assert "e2fsck may need 35 MiB more" in plan.warnings[0]

    def test_the_backup_goes_to_other_disks_as_well(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID), copies=("/mnt/other",))

        assert plan.steps[2].action == BackUp(("/mnt/other",))
        assert any("/mnt/other" in place for place in plan.steps[2].writes)

    def test_all_that_it_needs_is_added_up(self) -> None:
        ill = diagnosis(Illness.INVALID)
        stick, scratch = plan_recover(ill).room

        assert stick.needed_bytes == (683 - 512 + 8 + 2) * MIB
        assert stick.available_bytes == 2 * GIB
        assert scratch.available_bytes is None


class TestFirstWrite:
    def test_a_mounted_stick_is_first_written_by_the_backup(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID))

        assert isinstance(plan.steps[plan.first_write].action, BackUp)

    def test_a_stick_that_has_to_be_remounted_is_written_by_that(self) -> None:
        plan = plan_recover(replace(diagnosis(Illness.INVALID), stick_writable=False))

        assert plan.first_write == 0
        assert plan.steps[0].action == OpenStick(remount=True)
        assert plan.steps[0].commands == (("mount", "-o", "remount,rw", PLACE.mount_point),)

    def test_a_stick_that_is_not_mounted_is_mounted_by_the_job(self) -> None:
        ill = diagnosis(Illness.INVALID)
        plan = plan_recover(replace(ill, place=replace(ill.place, mount_point=None)))

        assert plan.steps[0].commands[0][-2:] == ("/dev/sdc1", "STICK")
        assert plan.steps[0].action == OpenStick(remount=False)


class TestRehearsal:
    def test_nothing_is_written(self) -> None:
        plan = plan_recover(diagnosis(Illness.INVALID), rehearse=True)

        assert kinds(plan) == [OpenStick, Rehearse]
        assert plan.steps[0].action == OpenStick(writable=False)
        assert plan.first_write == len(plan.steps)
        assert plan.confirmation is Confirmation.NONE

    def test_it_needs_no_room_on_the_stick(self) -> None:
        assert plan_recover(diagnosis(Illness.INVALID, free_bytes=0), rehearse=True).steps

    def test_a_store_that_is_fine_may_be_rehearsed(self) -> None:
        assert plan_recover(diagnosis(Illness.NONE), rehearse=True).steps

    def test_repairs_of_what_seemed_fine_are_told_calmly_and_with_what_they_mean(self) -> None:
        fine = replace(diagnosis(Illness.NONE), view=root(unmounted=True))
        (left,) = plan_recover(fine, rehearse=True).afterwards

        # A dry run prints it, too: there nothing has been found yet.
        assert "Where the rehearsal finds nothing to repair, all is well." in left
        assert "has to be repaired before the stick is used or merged" in left
        assert left.endswith(
            "`liveos-tui recover --repair /dev/sdc1`, which asks before it writes."
        )

    def test_what_seems_fine_is_repaired_where_that_is_asked_for(self) -> None:
        fine = replace(diagnosis(Illness.NONE), view=root(unmounted=True))

        assert Repair in kinds(plan_recover(fine, repair=True))
        assert SetValid not in kinds(plan_recover(fine, repair=True))

    def test_a_journal_that_is_to_be_replayed_is_no_harm_and_can_be_replayed_here(self) -> None:
        left = plan_recover(diagnosis(Illness.NONE), rehearse=True).afterwards

        assert "The next boot replays the journal by itself" in left[0]
        assert "`liveos-tui recover /dev/sdc1`" in left[1]


class TestRefusals:
    def test_a_store_that_is_fine_is_left_alone(self) -> None:
        error = refusal(replace(diagnosis(Illness.NONE), view=root(unmounted=True)))

        assert "neither Invalid nor full" in error.message
        assert "left alone" in error.hint
        assert "`liveos-tui recover --rehearse /dev/sdc1`" in error.hint

    @pytest.mark.parametrize("rehearse", [False, True])
    def test_a_fresh_store_holds_nothing(self, rehearse: bool) -> None:
        fresh = replace(diagnosis(Illness.NONE), header=None, summary=replace(store(), header=None))
        error = refusal(fresh, rehearse=rehearse)

        assert isinstance(error, NothingToDoError)
        assert "fresh" in error.message

    def test_a_header_of_zeros_before_a_list_is_told(self) -> None:
        error = refusal(replace(diagnosis(Illness.NONE), header=None, header_may_be_lost=True))

        assert not isinstance(error, NothingToDoError)
        assert "all zeros" in error.message
        assert "backup" in error.hint

    @pytest.mark.parametrize("illness", [Illness.INVALID, Illness.OVERFLOW, Illness.NONE])
    def test_what_is_in_use_is_never_repaired(self, illness: Illness) -> None:
        ill = diagnosis(illness, in_use=True)

        assert "in use" in refusal(ill).message
        assert "in use" in refusal(ill, rehearse=True).message

    def test_an_overflow_in_use_is_to_be_grown(self) -> None:
        error = refusal(diagnosis(Illness.OVERFLOW, in_use=True))

        assert error.hint.startswith("Grow it.")
        assert "rd.live.overlay=" in error.hint

    def test_an_invalid_root_is_to_be_booted_without_its_overlay(self) -> None:
        assert "without its overlay" in refusal(diagnosis(Illness.INVALID, in_use=True)).hint

    @pytest.mark.parametrize(
        ("kind", "tool"), [("xfs", "xfs_repair"), ("btrfs", "btrfs check"), ("f2fs", "its own")]
    )
    def test_other_file_systems_have_their_own_tools(self, kind: str, tool: str) -> None:
        error = refusal(replace(diagnosis(), root_filesystem=kind, view=None))

        assert kind in error.message
        assert tool in error.hint

    def test_no_file_system_at_all(self) -> None:
        assert "No file system" in refusal(replace(diagnosis(), root_filesystem=None)).message

    def test_without_its_base_it_is_worth_nothing(self) -> None:
        cut = Fact("Base image", "squashfs.img is cut off.", bad=True)
        error = refusal(replace(diagnosis(facts=(cut,)), base_bytes=None))

        assert "cut off" in error.message
        assert "fits no other" in error.hint

    def test_a_missing_program_is_no_damage(self) -> None:
        missing = Fact("Base image", "Not looked at: unsquashfs is not installed.", unknown=True)
        error = refusal(replace(diagnosis(facts=(missing,)), base_bytes=None))

        assert "not installed" in error.message
        assert "fits no other" not in error.hint

    def test_what_the_diagnosis_refuses_is_refused(self) -> None:
        ill = replace(diagnosis(), refusal="They do not belong together.", hint="Put it back.")
        error = refusal(ill)

        assert (error.message, error.hint) == ("They do not belong together.", "Put it back.")

    def test_no_room_says_how_much(self) -> None:
        assert "Free" in refusal(diagnosis(free_bytes=MIB)).hint

    def test_holes_that_cannot_be_filled(self) -> None:
        ill = diagnosis(Illness.ERRORS, missing_bytes=200 * MIB, free_bytes=100 * MIB)

        assert "200 MiB of the overlay are holes" in refusal(ill).message
