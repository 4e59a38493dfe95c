"""What a person is told right before the question: what is written, in the plan's own figures."""

from dataclasses import replace

import pytest
from diagnoses import MIB, diagnosis, root

from liveos_tui.formats.image_kinds import Image, ImageKind
from liveos_tui.live.diagnosis import Illness
from liveos_tui.live.merging import MergeFacts
from liveos_tui.plans.agreement import agreement
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.merge import plan_merge
from liveos_tui.plans.model import Plan
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.reset import plan_reset
from liveos_tui.system.work_folder import WorkFolder

WELL = replace(diagnosis(Illness.NONE), view=root(unmounted=True))
FACTS = MergeFacts(
    image=Image(ImageKind.SQUASHFS, block_bytes=128 * 1024, compressor="zstd"),
    image_bytes=900 * MIB,
    beside="LiveOS/squashfs.alt",
    compressors=frozenset({"zstd"}),
)
ELSEWHERE = replace(FACTS, work=WorkFolder("/mnt/disk", "ext4", "8:49", 20 << 30), number="8:33")


def test_a_recovery_names_the_backup_its_size_and_how_large_the_overlay_becomes() -> None:
    text = agreement(plan_recover(diagnosis(Illness.INVALID), to_bytes=640 * MIB))

    assert "liveos-tui-jobs/JOB/metadata.cow: " in text
    assert "the overlay grows from 512 MiB to 640 MiB, it is marked valid" in text
    assert text.endswith("and the repair is written to it.")


def test_a_merge_names_the_new_image_and_what_becomes_of_the_old_one_and_of_the_overlay() -> None:
    text = agreement(plan_merge(WELL, FACTS))

    assert "a new image is made as LiveOS/squashfs.alt (up to " in text
    assert "the old one, which is kept, and the overlay is emptied." in text


def test_a_merge_without_room_for_two_images_names_the_folder_for_both() -> None:
    text = agreement(plan_merge(replace(WELL, free_bytes=300 * MIB), ELSEWHERE))

    assert "a new image is made in /mnt/disk" in text
    assert "the old one is copied there, on the stick the new one takes its place" in text
    assert "if the power goes then, it does not boot until this job has gone on" in text


def test_a_merge_with_room_for_two_images_warns_of_no_minutes_without_one() -> None:
    assert "does not boot" not in agreement(plan_merge(WELL, FACTS))


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (
            plan_grow(diagnosis(Illness.NONE), to_bytes=640 * MIB),
            "If you go on: the overlay grows from 512 MiB to 640 MiB.",
        ),
        (
            plan_grow(diagnosis(Illness.NONE, missing_bytes=MIB), fill_holes=True),
            "and its holes are filled in (1.0 MiB).",
        ),
        (plan_reset(diagnosis(Illness.NONE)), "and the overlay is emptied."),
    ],
    ids=["grow", "fill", "reset"],
)
def test_the_end_of_it_is_the_last_thing_that_is_written(plan: Plan, words: str) -> None:
    assert agreement(plan).endswith(words)
