"""When a merge is planned, and with what; when it is refused, and why."""

from dataclasses import replace

import pytest
from diagnoses import GIB, MIB, diagnosis, root, store

from liveos_tui.formats.image_kinds import Image, ImageKind
from liveos_tui.live.changes import Changes
from liveos_tui.live.contents import beside
from liveos_tui.live.diagnosis import Diagnosis, Illness
from liveos_tui.live.merging import MergeFacts
from liveos_tui.live.words import size
from liveos_tui.plans.actions import (
    CheckRoot,
    CompareImage,
    Compression,
    Engine,
    ExchangeImages,
    FreezeRoot,
    KeepImage,
    MakeImage,
    MirrorView,
    OpenStick,
    ReplaceImage,
    ResetStore,
    SetAside,
    SwitchRoot,
    ThawRoot,
)
from liveos_tui.plans.codec import from_json, to_json
from liveos_tui.plans.merge import MergeWish, plan_merge
from liveos_tui.plans.merge_room import estimate_image
from liveos_tui.plans.model import Confirmation
from liveos_tui.plans.refused import NothingToDoError, PlanRefusedError
from liveos_tui.plans.text import plan_text
from liveos_tui.system.work_folder import WorkFolder

SQUASHFS = Image(ImageKind.SQUASHFS, block_bytes=128 * 1024, compressor="zstd")
FACTS = MergeFacts(
    image=SQUASHFS,
    image_bytes=900 * MIB,
    beside="LiveOS/squashfs.alt",
    compressors=frozenset({"gzip", "xz", "zstd"}),
)
WORK = WorkFolder("/mnt/disk", "ext4", "8:49", 20 * GIB)


def well(**changes: object) -> Diagnosis:
    """A stick that was unmounted cleanly, its overlay half full."""
    found = diagnosis(Illness.NONE)
    return replace(found, view=root(unmounted=True), **changes)  # type: ignore[arg-type]


def running() -> Diagnosis:
    """A running system's root, mounted: its superblock says that its journal is in use."""
    found = diagnosis(Illness.NONE, in_use=True, used=0.5)
    return replace(found, place=replace(found.place, this_system=True))


def actions(facts: MergeFacts = FACTS, wish: MergeWish | None = None) -> list[type]:
    return [type(step.action) for step in plan_merge(well(), facts, wish).steps]


def made(facts: MergeFacts = FACTS, wish: MergeWish | None = None) -> MakeImage:
    steps = plan_merge(well(), facts, wish).steps
    return next(step.action for step in steps if isinstance(step.action, MakeImage))


def refusal(found: Diagnosis, facts: MergeFacts = FACTS, wish: MergeWish | None = None) -> str:
    with pytest.raises(PlanRefusedError) as caught:
        plan_merge(found, facts, wish)
    assert "Nothing was changed." in caught.value.hint
    return caught.value.message


class TestEstimate:
    """How large the new image becomes: told as "about" only where it was measured."""

    def test_what_compresses_badly_in_the_overlay_is_counted_as_that(self) -> None:
        changes = Changes(used_bytes=200 * MIB, ratio=0.95)
        easy = replace(FACTS, changes=replace(changes, ratio=0.25))
        hard = replace(FACTS, changes=changes)

        more = estimate_image(well(), hard).likely_bytes - estimate_image(well(), easy).likely_bytes
        assert 140 * MIB <= more <= 145 * MIB
        assert estimate_image(well(), hard).most_bytes == estimate_image(well(), easy).most_bytes

    def test_deleted_files_that_are_still_in_the_overlay_take_no_room(self) -> None:
        much = replace(FACTS, changes=Changes(used_bytes=200 * MIB, ratio=1.0))
        little = replace(FACTS, changes=Changes(used_bytes=0, ratio=1.0))

        assert estimate_image(well(), little).most_bytes < estimate_image(well(), much).most_bytes

    def test_a_mounted_root_is_as_full_as_its_descriptors_say(self) -> None:
        view = running().view
        assert view is not None
        changes = Changes(used_bytes=0, ratio=1.0, free_bytes=view.free_bytes)
        fuller = replace(changes, free_bytes=view.free_bytes - 512 * MIB)

        before = estimate_image(running(), replace(FACTS, changes=changes))
        assert estimate_image(running(), replace(FACTS, changes=fuller)) != before

    def test_is_about_so_large_where_a_sample_was_compressed(self) -> None:
        facts = replace(FACTS, changes=Changes(used_bytes=200 * MIB, ratio=0.5))

        assert "The new image has about " in plan_text(plan_merge(well(), facts))

    def test_is_the_most_that_it_can_be_where_nothing_was_measured(self) -> None:
        text = " ".join(plan_text(plan_merge(well(), FACTS)).split())

        assert " at most (the old one: 900 MiB)" in text
        assert "has about" not in text

    def test_is_told_alike_where_room_is_told_and_what_the_step_needs(self) -> None:
        plan = plan_merge(well(), replace(FACTS, changes=Changes(200 * MIB, ratio=0.5)))
        step = next(each for each in plan.steps if isinstance(each.action, MakeImage))

        assert step.needs[-1] == f"up to {size(plan.room[0].needed_bytes)} on the stick"

    def test_is_said_to_be_for_another_compression_than_the_wished_one(self) -> None:
        words = "That size is for zstd"

        assert words not in plan_text(plan_merge(well(), FACTS))
        assert words in plan_text(plan_merge(well(), FACTS, MergeWish(compression="xz")))


class TestTooLittleRoom:
    """For the new image beside the old one: with a folder on another disk both lie there."""

    SMALL = 300 * MIB

    def test_both_images_lie_on_the_other_disk_before_the_old_one_is_replaced(self) -> None:
        plan = plan_merge(well(free_bytes=self.SMALL), replace(FACTS, work=WORK, number="8:33"))

        assert [type(step.action) for step in plan.steps] == [
            OpenStick,
            CheckRoot,
            MakeImage,
            CompareImage,
            KeepImage,
            ReplaceImage,
            ResetStore,
        ]
        assert plan.apart == "/mnt/disk"
        assert plan.steps[5].action == ReplaceImage(
            "LiveOS/squashfs.img", "LiveOS/squashfs.alt", "/mnt/disk"
        )
        assert from_json(to_json(plan)) == plan

    def test_what_a_power_cut_means_is_said_before(self) -> None:
        plan = plan_merge(well(free_bytes=self.SMALL), replace(FACTS, work=WORK, number="8:33"))

        assert "does not boot" in plan.warnings[0]
        assert "jobs resume JOB --target STICK --work DIR" in plan.warnings[0]
        assert plan.confirmation is Confirmation.LABEL

    def test_a_stick_with_room_for_both_keeps_both(self) -> None:
        facts = replace(FACTS, work=WORK, number="8:33")

        assert plan_merge(well(), facts).apart is None

    def test_a_folder_that_is_not_needed_is_told(self) -> None:
        facts = replace(FACTS, work=WORK, number="8:33")
        words = "/mnt/disk is not needed, and nothing is written there"

        assert any(words in text for text in plan_merge(well(), facts).summary)
        assert not any(words in text for text in plan_merge(well(), FACTS).summary)

    def test_a_folder_beside_the_sticks_files_is_told(self) -> None:
        facts = replace(FACTS, work=WORK, number=WORK.number)
        plan = plan_merge(well(), facts, MergeWish(Engine.MIRROR))

        assert any("takes of the same room" in text for text in plan.summary)

    @pytest.mark.parametrize(
        ("work", "reason"),
        [
            (None, "name a folder on another disk"),
            (replace(WORK, number="8:33"), "on the stick's own file system"),
            (replace(WORK, filesystem="tmpfs"), "lies in memory"),
            (replace(WORK, free_bytes=MIB), "has too little room"),
            (replace(WORK, writable=False), "may not be written"),
        ],
    )
    def test_a_folder_that_will_not_do_is_told(self, work: WorkFolder | None, reason: str) -> None:
        with pytest.raises(PlanRefusedError) as caught:
            plan_merge(well(free_bytes=self.SMALL), replace(FACTS, work=work, number="8:33"))
        assert "The stick has 300 MiB free" in caught.value.message
        assert reason in caught.value.hint

    def test_the_running_system_s_stick_is_never_without_an_image(self) -> None:
        found = replace(running(), free_bytes=self.SMALL)
        with pytest.raises(PlanRefusedError) as caught:
            plan_merge(found, replace(FACTS, work=WORK, number="8:33"))
        assert "attach the stick to another Linux" in caught.value.hint

    def test_a_stick_that_is_too_small_for_the_new_image_alone_is_told_so(self) -> None:
        whole = replace(
            FACTS, work=WORK, number="8:33", image=Image(ImageKind.EXT), image_bytes=900 * MIB
        )
        with pytest.raises(PlanRefusedError) as caught:
            plan_merge(well(free_bytes=self.SMALL, file_limit_bytes=None), whole)
        assert "A folder on another disk would not help" in caught.value.hint

    def test_a_folder_is_not_named_where_even_that_would_not_help(self) -> None:
        whole = replace(FACTS, image=Image(ImageKind.EXT), image_bytes=900 * MIB)
        with pytest.raises(PlanRefusedError) as caught:
            plan_merge(well(free_bytes=self.SMALL, file_limit_bytes=None), whole)
        assert "A folder on another disk would not help" in caught.value.hint
        assert "--work" not in caught.value.hint


class TestSteps:
    def test_the_image_is_exchanged_before_the_overlay_is_emptied(self) -> None:
        assert actions() == [
            OpenStick,
            CheckRoot,
            MakeImage,
            CompareImage,
            ExchangeImages,
            ResetStore,
        ]

    def test_an_image_for_small_installs_is_set_aside(self) -> None:
        facts = replace(FACTS, small_image="LiveOS/osmin.img")

        assert actions(facts)[-2:] == [SetAside, ResetStore]

    def test_a_running_root_is_frozen_first_and_switched_last(self) -> None:
        plan = plan_merge(running(), replace(FACTS, memory_bytes=300 * MIB))

        kinds = [type(step.action) for step in plan.steps]
        assert kinds[1:3] == [FreezeRoot, CheckRoot]
        assert kinds[-2:] == [ExchangeImages, SwitchRoot]
        assert plan.steps[1].action == FreezeRoot("live-rw", 300 * MIB)
        assert plan.steps[-1].action == SwitchRoot(
            "live-rw", "LiveOS/overlay-STICK2-0BAD-F00D.alt", 512 * MIB
        )

    @pytest.mark.parametrize("switch", [False, True])
    def test_of_a_stick_that_is_not_in_use_it_is_told_that_nothing_is_switched(
        self, switch: bool
    ) -> None:
        plan = plan_merge(well(), FACTS, MergeWish(switch=switch))

        assert ("--no-switch changes nothing" in " ".join(plan.summary)) is not switch

    def test_a_running_root_need_not_switch_now(self) -> None:
        facts = replace(FACTS, memory_bytes=300 * MIB)
        plan = plan_merge(running(), facts, MergeWish(switch=False))

        assert plan.steps[-1].action == ThawRoot("live-rw")

    def test_an_overlay_that_may_fill_up_meanwhile_is_warned_of(self) -> None:
        found = running()
        assert not plan_merge(found, FACTS).warnings
        nearly_full = replace(found, summary=store(used=0.8))

        assert "Grow it first" in plan_merge(nearly_full, FACTS).warnings[0]

    def test_a_second_overlay_takes_what_room_the_new_image_leaves(self) -> None:
        likely = estimate_image(running(), FACTS).most_bytes
        plan = plan_merge(replace(running(), free_bytes=likely + 108 * MIB), FACTS)
        action = plan.steps[-1].action

        assert isinstance(action, SwitchRoot)
        assert 32 * MIB <= action.second_bytes <= 100 * MIB

    def test_the_mirror_comes_before_the_image(self) -> None:
        facts = replace(FACTS, work=WORK)

        assert actions(facts, MergeWish(engine=Engine.MIRROR))[2:4] == [MirrorView, MakeImage]
        assert made(facts, MergeWish(engine=Engine.MIRROR)).work == "/mnt/disk"

    def test_the_faster_engine_is_taken_where_both_fit(self) -> None:
        assert made(replace(FACTS, work=WORK)).engine is Engine.STREAM

    def test_it_says_why_the_other_engine_cannot_be_used(self) -> None:
        assert (
            "The other engine (mirror) cannot be used: it needs a folder on another disk "
            "(e in the console, or --work DIR)."
        ) in plan_merge(well(), FACTS).summary
        both = plan_merge(well(), replace(FACTS, work=WORK))
        assert not any("cannot be used" in text for text in both.summary)

    def test_the_folder_is_named_for_the_console_and_for_the_command_line(self) -> None:
        plan = plan_merge(well(), FACTS)

        assert any("(e in the console, or --work DIR)" in text for text in plan.summary)

    def test_what_mksquashfs_is_told_of_owners_is_said_to_be_about_the_image_s_one_file(
        self,
    ) -> None:
        step = next(s for s in plan_merge(well(), FACTS).steps if isinstance(s.action, MakeImage))

        assert "-all-root" in step.commands[-1]
        assert "-all-root and -no-xattrs are said of the one file LiveOS/rootfs.img" in step.why

    def test_the_other_engine_is_taken_where_the_faster_one_is_not_to_be_trusted(self) -> None:
        facts = replace(FACTS, work=WORK, troubles={"stream": "mksquashfs 4.7.3 corrupts streams."})

        assert made(facts).engine is Engine.MIRROR

    def test_the_label_has_to_be_typed(self) -> None:
        plan = plan_merge(well(), FACTS)

        assert plan.confirmation is Confirmation.LABEL
        assert plan.steps[plan.first_write].title == "Make the new image"

    def test_the_plan_comes_back_from_a_journal_as_it_was(self) -> None:
        plan = plan_merge(well(), replace(FACTS, work=WORK, small_image="LiveOS/osmin.img"))

        assert from_json(to_json(plan)) == plan

    def test_it_says_how_to_go_back_and_what_is_left_to_do(self) -> None:
        text = " ".join(plan_text(plan_merge(well(), FACTS)).split())

        assert "(u in Jobs, or `liveos-tui jobs rollback`)" in text
        assert "(f in Jobs, or `liveos-tui jobs forget JOB`)" in text
        assert "900 MiB" in text


class TestCompression:
    def test_is_that_of_the_old_image(self) -> None:
        assert made().compression == Compression("zstd", 128 * 1024)

    def test_has_the_level_of_the_old_image_unless_something_else_is_wished(self) -> None:
        facts = replace(FACTS, image=replace(SQUASHFS, level=3))

        assert made(facts).compression == Compression("zstd", 128 * 1024, 3)
        assert made(facts, MergeWish(level=19)).compression == Compression("zstd", 128 * 1024, 19)
        assert made(facts, MergeWish(compression="xz")).compression == Compression("xz", 128 * 1024)

    def test_is_what_the_person_wishes(self) -> None:
        wish = MergeWish(compression="gzip", level=9)

        assert made(wish=wish).compression == Compression("gzip", 128 * 1024, 9)

    def test_an_image_that_is_not_compressed_stays_so(self) -> None:
        facts = replace(FACTS, image=Image(ImageKind.EXT), beside="LiveOS/rootfs.alt")
        found = well(base_bytes=1 * GIB)
        plan = plan_merge(replace(found, place=replace(found.place, base=None)), facts)
        action = next(s.action for s in plan.steps if isinstance(s.action, MakeImage))

        assert action == MakeImage("LiveOS/rootfs.alt", Engine.STREAM)

    @pytest.mark.parametrize(
        ("wish", "words"),
        [
            (MergeWish(compression="lz4"), "does not compress with lz4"),
            (MergeWish(level=23), "zstd has levels from 1 to 22"),
            (MergeWish(compression="xz", level=3), "xz has no levels"),
        ],
    )
    def test_what_cannot_be_had_is_refused(self, wish: MergeWish, words: str) -> None:
        assert words in refusal(well(), wish=wish)

    def test_without_mksquashfs_there_is_no_merge(self) -> None:
        assert "mksquashfs is not there" in refusal(well(), replace(FACTS, compressors=None))


class TestRefusals:
    @pytest.mark.parametrize("illness", [Illness.INVALID, Illness.FULL, Illness.ERRORS])
    def test_what_is_ill_is_recovered_first(self, illness: Illness) -> None:
        with pytest.raises(PlanRefusedError) as caught:
            plan_merge(diagnosis(illness), FACTS)
        assert caught.value.hint.startswith("Recover it first")

    def test_a_journal_that_is_to_be_replayed_is_recovered_first(self) -> None:
        with pytest.raises(PlanRefusedError, match="not unmounted cleanly"):
            plan_merge(replace(well(), view=root()), FACTS)

    def test_a_running_root_is_merged_by_root_only(self) -> None:
        with pytest.raises(PlanRefusedError, match="only root"):
            plan_merge(running(), FACTS, device_mapper=False)

    def test_without_room_for_a_second_overlay_there_is_no_switch(self) -> None:
        likely = estimate_image(running(), FACTS).most_bytes
        assert "second overlay" in refusal(replace(running(), free_bytes=likely + 20 * MIB))

    def test_an_empty_overlay_has_nothing_to_merge(self) -> None:
        with pytest.raises(NothingToDoError):
            plan_merge(well(summary=store(used=0.0)), FACTS)

    def test_another_file_system_than_ext_is_left_alone(self) -> None:
        assert "btrfs" in refusal(well(root_filesystem="btrfs"))

    def test_the_old_image_of_an_earlier_merge_is_never_overwritten(self) -> None:
        assert "is there already" in refusal(well(), replace(FACTS, beside_taken=True))

    def test_an_old_kernel_and_fat_are_not_enough(self) -> None:
        assert "cannot exchange" in refusal(well(), replace(FACTS, exchanges=False))

    def test_the_mirror_without_a_folder_is_refused(self) -> None:
        assert "--work" in refusal(well(), wish=MergeWish(engine=Engine.MIRROR))

    def test_a_folder_that_is_too_small_for_the_mirror_is_told_with_the_figures(self) -> None:
        facts = replace(FACTS, work=replace(WORK, free_bytes=1 * GIB))

        said = refusal(well(), facts, MergeWish(engine=Engine.MIRROR))
        assert "8.0 GiB are needed, 1.0 GiB are free" in said

    def test_a_folder_on_the_overlay_itself_is_no_place_for_the_mirror(self) -> None:
        facts = replace(FACTS, work=WORK, own_roots=frozenset({"8:49"}))

        assert "on the overlay itself" in refusal(well(), facts, MergeWish(engine=Engine.MIRROR))

    def test_room_for_both_images_is_needed(self) -> None:
        said = refusal(well(free_bytes=100 * MIB))

        assert "beside the old one" in said
        assert "100 MiB free" in said

    def test_an_image_that_fat_cannot_hold_is_refused(self) -> None:
        used = root(unmounted=True)
        facts = replace(FACTS, image_bytes=used.used_bytes or 0)
        found = well(free_bytes=100 * GIB, file_limit_bytes=64 * MIB)

        assert "67,108,864 bytes at most" in refusal(found, facts)


class TestRoom:
    def test_at_most_nothing_of_the_overlay_can_be_compressed(self) -> None:
        found = well()
        estimate = estimate_image(found, FACTS)
        assert found.summary is not None

        assert 0 < estimate.likely_bytes <= estimate.most_bytes
        assert estimate.most_bytes - estimate.likely_bytes <= found.summary.used_bytes * 1.1

    def test_what_may_not_fit_is_told_before(self) -> None:
        found = well()
        likely = estimate_image(found, FACTS).likely_bytes
        plan = plan_merge(replace(found, free_bytes=likely + 9 * MIB), FACTS)

        assert "no room" in plan.warnings[0]


@pytest.mark.parametrize(
    ("image", "second"),
    [
        ("LiveOS/squashfs.img", "LiveOS/squashfs.alt"),
        ("LiveOS/rootfs.img", "LiveOS/rootfs.alt"),
        ("live.v2/squashfs.img", "live.v2/squashfs.alt"),
        ("LiveOS/overlay-LIVE-12AB-34CD", "LiveOS/overlay-LIVE-12AB-34CD.alt"),
    ],
)
def test_a_second_file_has_a_name_side_by_side(image: str, second: str) -> None:
    assert beside(image) == second
