"""By how much an overlay grows: enough, not too much, never a size that breaks."""

from contextlib import suppress
from dataclasses import replace

import pytest
from diagnoses import GIB, MIB, SUPERBLOCK, diagnosis, root, store
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.formats.cow import SECTOR_BYTES
from liveos_tui.live.diagnosis import Illness
from liveos_tui.live.growth import (
    E2FSCK_SLACK_BYTES,
    FAT_FILE_LIMIT_BYTES,
    RESERVE_BYTES,
    breaks_when_full,
    choose_size,
    largest_size,
)
from liveos_tui.plans.refused import PlanRefusedError
from liveos_tui.plans.sizes import (
    GOOD_FRACTION,
    SizeError,
    fit,
    lacking_bytes,
    parse_size,
    propose_growth,
    repair_bytes,
    wished_growth,
)

CHUNK_SECTORS = st.sampled_from([1, 2, 8, 16, 128, 2048, 8192])
SIZES = st.integers(min_value=0, max_value=8 * GIB)
ILLNESSES = st.sampled_from([Illness.NONE, Illness.INVALID, Illness.FULL, Illness.ERRORS])


class TestProposal:
    def test_a_full_overlay_is_three_quarters_full_afterwards(self) -> None:
        growth = propose_growth(diagnosis(Illness.INVALID))

        assert growth.to_bytes == 683 * MIB
        assert GOOD_FRACTION >= 512 / 683

    def test_e2fsck_has_room_for_the_whole_journal(self) -> None:
        ill = diagnosis(Illness.INVALID, file_bytes=64 * MIB)
        growth = propose_growth(ill)

        assert repair_bytes(ill) >= 32 * MIB + E2FSCK_SLACK_BYTES
        assert growth.by_bytes >= lacking_bytes(ill) > 32 * MIB

    def test_a_journal_that_was_replayed_needs_no_room(self) -> None:
        ill = diagnosis(Illness.FULL, file_bytes=64 * MIB)
        replayed = replace(ill, view=root(unmounted=True))

        assert lacking_bytes(replayed) < 3 * MIB

    def test_the_repair_never_needs_more_than_the_base_has(self) -> None:
        ill = diagnosis(Illness.INVALID, file_bytes=64 * MIB)
        blocks = 66 * MIB // SUPERBLOCK.block_bytes
        small = replace(ill, view=replace(root(), blocks=blocks))

        assert repair_bytes(small) < 4 * MIB

    def test_a_repair_with_room_enough_lacks_nothing(self) -> None:
        assert lacking_bytes(diagnosis(Illness.ERRORS, used=0.5)) == 0

    def test_little_room_is_used_to_its_end_but_for_the_reserve(self) -> None:
        ill = diagnosis(Illness.INVALID, free_bytes=64 * MIB)
        growth = propose_growth(ill)
        metadata = ill.summary.metadata_bytes if ill.summary else 0

        assert growth.to_bytes == growth.most_bytes == (512 + 64 - 8 - 2) * MIB
        assert growth.by_bytes + RESERVE_BYTES + metadata <= 64 * MIB

    def test_no_room_is_refused_with_the_figures(self) -> None:
        with pytest.raises(PlanRefusedError) as caught:
            propose_growth(diagnosis(Illness.INVALID, free_bytes=12 * MIB))

        assert "at least 35 MiB" in caught.value.message
        assert "12 MiB free" in caught.value.message
        assert caught.value.hint.startswith("Free 33 MiB on the stick.")

    @pytest.mark.parametrize(
        ("stick", "words"), [(4096 * MIB, "the whole stick"), (None, "any stick")]
    )
    def test_what_no_stick_has_nobody_is_told_to_free(self, stick: int | None, words: str) -> None:
        found = diagnosis(Illness.NONE, free_bytes=100 * MIB, limit_bytes=None)
        found = replace(found, place=replace(found.place, size_bytes=stick))
        with pytest.raises(SizeError, match=f"of 999 TiB would be larger than {words}") as caught:
            fit(found, 999 << 40)

        assert caught.value.hint == "It can grow by 91 MiB at most. Nothing was changed."

    def test_holes_come_before_growth(self) -> None:
        with pytest.raises(PlanRefusedError, match="300 MiB for holes"):
            propose_growth(
                diagnosis(Illness.INVALID, free_bytes=310 * MIB, missing_bytes=300 * MIB)
            )

    def test_a_file_on_fat_ends_at_4_gib(self) -> None:
        growth = propose_growth(diagnosis(Illness.NONE, file_bytes=4000 * MIB, used=0.9))

        assert growth.to_bytes == growth.most_bytes == 4095 * MIB

    def test_the_largest_file_on_fat_cannot_grow(self) -> None:
        largest = FAT_FILE_LIMIT_BYTES // 4096 * 4096
        with pytest.raises(PlanRefusedError, match="vfat can have 4,294,967,295 bytes at most"):
            propose_growth(diagnosis(Illness.INVALID, file_bytes=largest))

    def test_unknown_room_is_refused(self) -> None:
        with pytest.raises(PlanRefusedError, match="is not known"):
            propose_growth(diagnosis(Illness.INVALID, free_bytes=None))

    def test_a_healthy_overlay_grows_by_a_quarter(self) -> None:
        assert propose_growth(diagnosis(Illness.NONE)).to_bytes == 640 * MIB

    @given(ILLNESSES, SIZES, SIZES, SIZES, CHUNK_SECTORS, st.floats(0.01, 1.0))
    def test_every_proposal_is_good(
        self, illness: Illness, size: int, free: int, holes: int, sectors: int, used: float
    ) -> None:
        chunk = sectors * SECTOR_BYTES
        file_bytes = max(size, 4 * chunk)
        ill = diagnosis(
            illness,
            file_bytes=file_bytes,
            free_bytes=free,
            missing_bytes=min(holes, file_bytes),
            chunk_sectors=sectors,
            used=used,
        )
        try:
            growth = propose_growth(ill)
        except PlanRefusedError:
            return
        assert ill.summary is not None
        for to in (growth.to_bytes, growth.least_bytes, growth.most_bytes):
            assert to % chunk == 0
            assert not breaks_when_full(to, sectors)
            assert file_bytes < to <= FAT_FILE_LIMIT_BYTES
            assert growth.least_bytes <= to <= growth.most_bytes
            added = to - file_bytes
            assert added + ill.missing_bytes + RESERVE_BYTES + ill.summary.metadata_bytes <= free
        if illness is not Illness.NONE:
            assert growth.by_bytes >= lacking_bytes(ill)


class TestWishes:
    def test_a_size_is_taken_as_it_is_named(self) -> None:
        assert fit(diagnosis(), 600 * MIB).to_bytes == 600 * MIB

    def test_a_size_that_breaks_becomes_a_little_more(self) -> None:
        assert breaks_when_full(513 * MIB, 8)
        assert fit(diagnosis(), 513 * MIB).to_bytes == 514 * MIB

    def test_the_overlay_cannot_shrink(self) -> None:
        with pytest.raises(SizeError, match="has 512 MiB already; it can only grow"):
            fit(diagnosis(), 512 * MIB)

    def test_more_than_there_is_room_for(self) -> None:
        with pytest.raises(SizeError) as caught:
            fit(diagnosis(free_bytes=100 * MIB), 612 * MIB)

        assert "grow by 100 MiB" in caught.value.message
        assert "or grow it by 90 MiB at most" in caught.value.hint

    def test_where_there_is_no_room_at_all_another_size_would_not_help(self) -> None:
        with pytest.raises(PlanRefusedError, match="there is room for nothing"):
            fit(diagnosis(free_bytes=RESERVE_BYTES), 612 * MIB)

    def test_by_and_to_exclude_each_other(self) -> None:
        with pytest.raises(PlanRefusedError, match="not both"):
            wished_growth(diagnosis(), MIB, GIB)

    def test_no_wish(self) -> None:
        assert wished_growth(diagnosis(), None, None) is None

    @given(SIZES, SIZES, CHUNK_SECTORS)
    def test_every_wish_that_is_granted_is_good(self, wish: int, free: int, sectors: int) -> None:
        ill = diagnosis(Illness.NONE, free_bytes=free, chunk_sectors=sectors)
        try:
            growth = fit(ill, wish)
        except (PlanRefusedError, SizeError):
            return
        assert growth.to_bytes % (sectors * SECTOR_BYTES) == 0
        assert not breaks_when_full(growth.to_bytes, sectors)
        assert growth.to_bytes <= growth.most_bytes <= FAT_FILE_LIMIT_BYTES
        nearest = max(2 * MIB, 2 * sectors * SECTOR_BYTES)
        assert abs(growth.to_bytes - wish) <= nearest


class TestArithmetic:
    @pytest.mark.parametrize("mib", [513, 770, 1027])
    def test_sizes_that_break(self, mib: int) -> None:
        assert breaks_when_full(mib * MIB, 8)
        assert not breaks_when_full((mib + 1) * MIB, 8)

    @given(st.integers(0, 1 << 34), st.integers(1, 1 << 34), st.integers(0, 1 << 24), CHUNK_SECTORS)
    def test_a_good_size_is_found_wherever_there_is_one(
        self, wanted: int, least: int, width: int, sectors: int
    ) -> None:
        chunk = sectors * SECTOR_BYTES
        found = choose_size(wanted, least, least + width, sectors)
        first = -(-least // chunk) * chunk
        good = [
            size
            for size in (first, first + chunk)
            if size <= least + width and not breaks_when_full(size, sectors)
        ]
        assert (found is not None) == bool(good)

    def test_holes_and_reserve_are_no_room(self) -> None:
        assert largest_size(MIB, free_bytes=8 * MIB) == MIB
        assert largest_size(MIB, free_bytes=10 * MIB, missing_bytes=MIB) == 2 * MIB
        assert largest_size(MIB, free_bytes=GIB, limit_bytes=3 * MIB) == 3 * MIB


class TestTyped:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("64M", 64 * MIB),
            ("64m", 64 * MIB),
            ("64MiB", 64 * MIB),
            ("64 MiB", 64 * MIB),
            (" 1.5G ", 3 * GIB // 2),
            ("64MB", 64_000_000),
            ("67108864", 64 * MIB),
            ("512B", 512),
            ("4k", 4096),
            ("2T", 2 << 40),
            ("0.3k", 308),
        ],
    )
    def test_sizes(self, text: str, expected: int) -> None:
        assert parse_size(text) == expected

    @pytest.mark.parametrize(
        "text",
        ["", "M", "64X", "-64M", "0", "1e9", "64MiBs", "1,5G", "64iB", "nan", "9" * 70, "\x1b[31m"],
    )
    def test_what_is_none(self, text: str) -> None:
        with pytest.raises(SizeError) as caught:
            parse_size(text)
        assert caught.value.exit_code == 2
        assert caught.value.message.endswith(".")
        assert caught.value.message.isprintable()

    @given(st.text(max_size=70))
    def test_any_text_is_a_size_or_an_error(self, text: str) -> None:
        with suppress(SizeError):
            assert parse_size(text) > 0

    @given(st.integers(1, 1 << 60))
    def test_bytes_are_themselves(self, number: int) -> None:
        assert parse_size(str(number)) == number


def test_the_store_of_these_tests_is_counted_as_the_kernel_counts() -> None:
    full = store(512 * MIB)

    assert full.full
    assert full.damage is None
    assert full.areas == 511
