"""What a diagnosis says of real stores, whole and damaged, and that it writes nothing."""

import hashlib
import os
import shutil
import struct
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from machines import DATA

from liveos_tui.errors import LiveosError
from liveos_tui.formats.cow import CowHeader, iterate_exceptions, summarise
from liveos_tui.formats.crc32c import crc32c
from liveos_tui.formats.images import identify
from liveos_tui.live.diagnose import diagnose
from liveos_tui.live.diagnosis import Cause, Diagnosis, Fact, Illness
from liveos_tui.live.recognise import recognise
from liveos_tui.plans.grow import plan_grow
from liveos_tui.plans.recover import plan_recover
from liveos_tui.plans.refused import NothingToDoError, PlanRefusedError
from liveos_tui.plans.reset import plan_reset
from liveos_tui.practice import builder
from liveos_tui.practice.builder import OVERLAY_NAME, PracticeState
from liveos_tui.system.metrics import FilesystemUsage
from liveos_tui.system.probes import Probes
from liveos_tui.system.runner import Finished, SystemRunner

pytestmark = pytest.mark.real_tools

MIB = 1 << 20
CHUNK = 4096
SUPERBLOCK = 1024


@pytest.fixture(scope="module")
def sticks(tmp_path_factory: pytest.TempPathFactory) -> dict[PracticeState, Path]:
    """Practice sticks in all states, with a small root file system."""
    top = tmp_path_factory.mktemp("sticks")
    with patch.multiple(builder, ROOT_BYTES=40 * MIB, OVERLAY_BYTES=10 * MIB):
        for state in PracticeState:
            builder.build(top / state, state)
    return {state: top / state for state in PracticeState}


Stick = Callable[[PracticeState], Path]


@pytest.fixture
def stick(sticks: dict[PracticeState, Path], tmp_path: Path) -> Stick:
    """A practice stick whose overlay may be changed."""

    def copy(state: PracticeState) -> Path:
        folder = tmp_path / "stick"
        (folder / "LiveOS").mkdir(parents=True)
        for name in ("squashfs.img", OVERLAY_NAME, "home.img"):
            shutil.copyfile(sticks[state] / "LiveOS" / name, folder / "LiveOS" / name)
        return folder

    return copy


def overlay(folder: Path) -> Path:
    return folder / "LiveOS" / OVERLAY_NAME


def look(folder: Path, probes: Probes | None = None) -> Diagnosis:
    probes = probes or Probes()
    recognised = recognise(probes, str(folder))
    with recognised.hold:
        return diagnose(probes, recognised.site, str(folder))


def put(folder: Path, offset: int, data: bytes) -> None:
    with overlay(folder).open("r+b") as file:
        file.seek(offset)
        file.write(data)


def where_is(folder: Path, old_chunk: int) -> int:
    """Where the store keeps a chunk of the base, in bytes."""
    data = overlay(folder).read_bytes()
    pairs = iterate_exceptions(lambda at, size: data[at : at + size], len(data))
    return next(new for old, new in pairs if old == old_chunk) * CHUNK


def fact(found: Diagnosis, name: str) -> Fact:
    return next(each for each in found.facts if each.name == name)


def bad(found: Diagnosis) -> list[str]:
    return [each.name for each in found.facts if each.bad]


class TestPracticeSticks:
    @pytest.mark.parametrize("state", [PracticeState.HEALTHY, PracticeState.NEARLY_FULL])
    def test_one_that_is_fine(
        self, sticks: dict[PracticeState, Path], state: PracticeState
    ) -> None:
        found = look(sticks[state])

        assert found.illness is Illness.NONE
        assert bad(found) == []
        assert not found.refusal
        assert found.view is not None
        assert found.base is not None
        assert found.view.uuid == found.base.uuid
        with pytest.raises(NothingToDoError):
            plan_recover(found)

    def test_a_fresh_one(self, sticks: dict[PracticeState, Path]) -> None:
        found = look(sticks[PracticeState.FRESH])

        assert found.illness is Illness.NONE
        assert found.header is None
        assert not found.header_may_be_lost
        assert fact(found, "Together").unknown
        assert bad(found) == []

    def test_one_that_a_merge_has_emptied_is_not_taken_for_broken_nor_for_sound(
        self, stick: Stick
    ) -> None:
        folder = stick(PracticeState.HEALTHY)
        put(folder, 0, bytes(512))
        found = look(folder)

        assert found.illness is Illness.NONE
        assert bad(found) == []
        assert found.header_may_be_lost
        assert fact(found, "Header").unknown
        assert fact(found, "Header").text.startswith("All zeros: an empty, fresh overlay")
        assert "its header was lost" in fact(found, "Header").text
        with pytest.raises(PlanRefusedError, match="it is empty, or its header was lost"):
            plan_recover(found)
        assert not plan_grow(found).warnings

    def test_a_full_one(self, sticks: dict[PracticeState, Path]) -> None:
        found = look(sticks[PracticeState.OVERFLOW])

        assert found.illness is Illness.FULL
        assert bad(found) == ["Chunks"]
        assert "no room for one more" in fact(found, "Chunks").text
        assert found.cause is None

    def test_an_invalid_one(self, sticks: dict[PracticeState, Path]) -> None:
        found = look(sticks[PracticeState.INVALID])

        assert found.illness is Illness.INVALID
        assert found.cause is Cause.SPACE
        assert bad(found) == ["Header", "Chunks"]
        assert "valid byte is 0" in fact(found, "Header").text
        assert "want of room" in fact(found, "Cause").text
        assert fact(found, "Kernel log").unknown

    def test_facts_come_in_the_order_in_which_one_looks(
        self, sticks: dict[PracticeState, Path]
    ) -> None:
        names = [each.name for each in look(sticks[PracticeState.INVALID]).facts]

        assert names[:7] == [
            "Header",
            "Chunks",
            "List",
            "File",
            "Holes",
            "Stick",
            "Base image",
        ]
        assert names[7:9] == ["Together", "Root"]

    def test_the_figures_are_those_of_the_store(self, sticks: dict[PracticeState, Path]) -> None:
        found = look(sticks[PracticeState.HEALTHY])
        data = overlay(sticks[PracticeState.HEALTHY]).read_bytes()

        assert found.summary == summarise(lambda at, size: data[at : at + size], len(data))
        assert found.file_bytes == found.place.overlay_bytes == len(data)
        assert found.base_bytes == 40 * MIB
        assert found.missing_bytes == 0

    def test_the_place_is_known_again(self, sticks: dict[PracticeState, Path]) -> None:
        folder = sticks[PracticeState.INVALID]
        place = look(folder).place

        assert place.target == place.mount_point == str(folder)
        assert place.overlay == f"LiveOS/{OVERLAY_NAME}"
        assert (place.image, place.base) == ("LiveOS/squashfs.img", "LiveOS/rootfs.img")
        assert (place.name, place.live_folder) == ("PRACTICE", "LiveOS")
        assert place.store_header == CowHeader(valid=False).to_bytes().hex()
        assert place.boot_id == Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        assert (place.number, place.device) == (None, None)

    @pytest.mark.parametrize("state", list(PracticeState))
    def test_nothing_is_written(
        self, sticks: dict[PracticeState, Path], state: PracticeState
    ) -> None:
        def everything() -> dict[str, tuple[str, int]]:
            return {
                str(path): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime_ns)
                for path in sorted(sticks[state].rglob("*"))
                if path.is_file()
            }

        before = everything()
        look(sticks[state])
        assert everything() == before


class TestDamagedHeaders:
    """Refused as a whole, each with what is wrong in its words."""

    @pytest.mark.parametrize(
        ("header", "words"),
        [
            (struct.pack("<IIII", 0x12345678, 1, 1, 8), "(a COW store)"),
            (struct.pack("<IIII", 0x70416E53, 1, 2, 8), "version 2"),
            (struct.pack("<IIII", 0x70416E53, 0, 2, 8), "version 2"),
            (struct.pack("<IIII", 0x70416E53, 1, 1, 0), "chunks of 0 sectors"),
            (struct.pack("<IIII", 0x70416E53, 0, 1, 7), "chunks of 7 sectors"),
            (struct.pack("<IIII", 0x70416E53, 1, 1, 1 << 21), "less than an empty one"),
            (struct.pack("<IIII", 0x70416E53, 1, 1, 1 << 31), "cannot have chunks"),
        ],
    )
    def test_a_header_that_the_kernel_refuses(
        self, stick: Stick, header: bytes, words: str
    ) -> None:
        folder = stick(PracticeState.INVALID)
        put(folder, 0, header)
        found = look(folder)

        assert found.illness is Illness.FOREIGN
        assert words in found.refusal
        assert fact(found, "Header").bad
        assert found.place.store_header == header.hex()
        for plan in (plan_recover, plan_grow, plan_reset):
            with pytest.raises(PlanRefusedError, match=words):
                plan(found)

    @pytest.mark.parametrize(
        ("size", "words"),
        [
            (7, "inside its header"),
            (CHUNK, "less than an empty one needs"),
            (258 * CHUNK, "runs past its end"),
            (10 * MIB - CHUNK, "1 of its 2549 chunks lie behind its end"),
        ],
    )
    def test_a_store_that_was_cut_off(self, stick: Stick, size: int, words: str) -> None:
        folder = stick(PracticeState.INVALID)
        os.truncate(overlay(folder), size)
        found = look(folder)

        assert found.illness is Illness.FOREIGN
        assert words in found.refusal
        with pytest.raises(PlanRefusedError):
            plan_recover(found)

    def test_a_list_that_points_at_itself(self, stick: Stick) -> None:
        folder = stick(PracticeState.INVALID)
        put(folder, CHUNK, struct.pack("<QQ", 5, 258))
        found = look(folder)

        assert found.illness is Illness.FOREIGN
        assert "point at the list itself" in fact(found, "List").text

    def test_an_invalid_store_that_is_not_full_had_an_io_error(self, stick: Stick) -> None:
        folder = stick(PracticeState.HEALTHY)
        put(folder, 4, bytes(4))
        found = look(folder)

        assert (found.illness, found.cause) == (Illness.INVALID, Cause.IO_ERROR)
        assert "has room left" in fact(found, "Cause").text

    @pytest.mark.parametrize("entry", ["link", "fifo", "folder"])
    def test_what_is_no_plain_file_is_not_opened(self, stick: Stick, entry: str) -> None:
        folder = stick(PracticeState.INVALID)
        path = overlay(folder)
        kept = path.rename(folder / "kept")
        match entry:
            case "link":
                path.symlink_to(kept)
            case "fifo":
                os.mkfifo(path)
            case _:
                path.mkdir()
        found = look(folder)

        assert found.refusal
        assert found.summary is None
        for plan in (plan_recover, plan_grow, plan_reset):
            with pytest.raises(PlanRefusedError):
                plan(found)


class TestSize:
    def test_one_that_breaks_when_it_fills(self, stick: Stick) -> None:
        folder = stick(PracticeState.HEALTHY)
        size = (1 + 10 * 257) * CHUNK
        with overlay(folder).open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, size)
        found = look(folder)

        assert fact(found, "Size").bad
        assert found.illness is Illness.NONE

    def test_any_other_size_is_not_worth_a_word(self, sticks: dict[PracticeState, Path]) -> None:
        for folder in sticks.values():
            assert "Size" not in {each.name for each in look(folder).facts}

    def test_no_whole_number_of_chunks(self, stick: Stick) -> None:
        folder = stick(PracticeState.HEALTHY)
        with overlay(folder).open("ab") as file:
            file.write(bytes(700))

        assert "Its last 700 bytes" in fact(look(folder), "File").text

    def test_holes_that_the_stick_cannot_fill(self, stick: Stick) -> None:
        folder = stick(PracticeState.HEALTHY)
        os.truncate(overlay(folder), 200 * MIB)
        short = Probes(usage_of=lambda _: FilesystemUsage(400 * MIB, 350 * MIB, 50 * MIB))
        found = look(folder, short)

        assert found.missing_bytes == 190 * MIB
        assert "only 50 MiB left" in fact(found, "Holes").text
        assert bad(found) == ["Holes"]

    def test_holes_that_it_can(self, stick: Stick) -> None:
        folder = stick(PracticeState.HEALTHY)
        os.truncate(overlay(folder), 20 * MIB)
        roomy = Probes(usage_of=lambda _: FilesystemUsage(400 * MIB, 50 * MIB, 350 * MIB))

        assert "350 MiB left" in fact(look(folder, roomy), "Holes").text
        assert bad(look(folder, roomy)) == []

    def test_room_that_cannot_be_measured(self, stick: Stick) -> None:
        def fail(_: Path) -> FilesystemUsage:
            raise LiveosError("It does not answer.")

        found = look(stick(PracticeState.HEALTHY), Probes(usage_of=fail))

        assert found.free_bytes is None
        assert fact(found, "Stick").unknown


class TestBaseAndOverlay:
    def test_a_base_of_another_file_system(self, stick: Stick) -> None:
        folder = stick(PracticeState.INVALID)
        put(folder, where_is(folder, 0) + SUPERBLOCK + 0x68, b"\xaa" * 16)
        found = look(folder)

        assert "do not belong together" in found.refusal
        assert fact(found, "Together").bad
        for plan in (plan_recover, plan_grow):
            with pytest.raises(PlanRefusedError, match="do not belong together"):
                plan(found)
        assert plan_reset(found).steps

    def test_an_overlay_of_a_larger_base(self, stick: Stick) -> None:
        folder = stick(PracticeState.INVALID)
        put(folder, CHUNK, struct.pack("<Q", 1 << 40))
        found = look(folder)

        assert "do not belong together" in found.refusal
        assert "4,503,599,627,370,496" in fact(found, "Together").text

    def test_a_base_that_is_gone(self, stick: Stick) -> None:
        folder = stick(PracticeState.INVALID)
        (folder / "LiveOS/squashfs.img").unlink()
        found = look(folder)

        assert fact(found, "Base image").bad
        with pytest.raises(PlanRefusedError, match="Without its base image"):
            plan_recover(found)

    def test_a_base_that_is_cut_off(self, stick: Stick) -> None:
        folder = stick(PracticeState.INVALID)
        os.truncate(folder / "LiveOS/squashfs.img", 100_000)
        found = look(folder)

        assert "cut off" in fact(found, "Base image").text
        with pytest.raises(PlanRefusedError, match="Without its base image"):
            plan_recover(found)

    def test_an_image_that_is_the_base_itself(self, stick: Stick, tmp_path: Path) -> None:
        folder = stick(PracticeState.INVALID)
        image = folder / "LiveOS/squashfs.img"
        argv = ["unsquashfs", "-d", str(tmp_path / "out"), str(image)]
        SystemRunner().run(argv, timeout=60)
        shutil.move(tmp_path / "out/LiveOS/rootfs.img", folder / "LiveOS/rootfs.img")
        image.unlink()
        found = look(folder)

        assert found.base_bytes == 40 * MIB
        assert found.place.base is None
        assert plan_recover(found).steps

    @pytest.mark.parametrize(
        ("head", "kind", "tool"),
        [("xfs.head", "xfs", "xfs_repair"), ("btrfs.head", "btrfs", "btrfs check")],
    )
    def test_another_root_file_system(
        self, stick: Stick, tmp_path: Path, head: str, kind: str, tool: str
    ) -> None:
        folder = stick(PracticeState.INVALID)
        base = tmp_path / "image/LiveOS/rootfs.img"
        base.parent.mkdir(parents=True)
        data = (DATA / "images" / head).read_bytes()
        known = identify(data)
        assert known is not None
        base.write_bytes(data)
        os.truncate(base, known.declared_bytes or 0)
        image = folder / "LiveOS/squashfs.img"
        image.unlink()
        argv = ["mksquashfs", str(tmp_path / "image"), str(image), "-quiet", "-no-progress"]
        SystemRunner().run(argv, timeout=60)
        # The overlay of a root that was hardly written to: none of the first chunks.
        one = CowHeader(valid=False).to_bytes().ljust(CHUNK, b"\0") + struct.pack("<QQ", 9000, 2)
        overlay(folder).write_bytes(one.ljust(4 * CHUNK, b"\0"))
        found = look(folder)

        assert found.root_filesystem == kind
        assert fact(found, "Root").bad
        with pytest.raises(PlanRefusedError) as caught:
            plan_recover(found)
        assert kind in caught.value.message
        assert tool in caught.value.hint

    def test_no_file_system_is_seen(self, stick: Stick) -> None:
        folder = stick(PracticeState.INVALID)
        put(folder, where_is(folder, 0), b"\x55" * CHUNK)
        found = look(folder)

        assert found.root_filesystem is None
        assert fact(found, "Root").bad
        with pytest.raises(PlanRefusedError, match="No file system is seen"):
            plan_recover(found)


class TestRoot:
    def patched(
        self, folder: Path, offset: int, value: bytes, *, checksum: bool = True
    ) -> Diagnosis:
        """The diagnosis after a field of the superblock was changed, and its checksum with it."""
        start = where_is(folder, 0) + SUPERBLOCK
        block = bytearray(overlay(folder).read_bytes()[start : start + 1024])
        block[offset : offset + len(value)] = value
        if checksum:
            block[0x3FC:] = struct.pack("<I", crc32c(bytes(block[:0x3FC])))
        put(folder, start, bytes(block))
        return look(folder)

    def test_errors_in_a_healthy_store_are_an_illness(self, stick: Stick) -> None:
        found = self.patched(stick(PracticeState.HEALTHY), 0x3A, struct.pack("<H", 3))

        assert found.illness is Illness.ERRORS
        assert "found errors in itself" in fact(found, "Root").text
        assert plan_recover(found).steps

    def test_a_superblock_that_was_damaged_is_one_too(self, stick: Stick) -> None:
        found = self.patched(stick(PracticeState.HEALTHY), 0x78, b"other label", checksum=False)

        assert found.illness is Illness.ERRORS
        assert "contradicts its own checksum" in fact(found, "Root").text

    def test_a_journal_to_be_replayed_is_none(self, stick: Stick) -> None:
        folder = stick(PracticeState.HEALTHY)
        at = where_is(folder, 0) + SUPERBLOCK + 0x60
        flags = int.from_bytes(overlay(folder).read_bytes()[at : at + 4], "little")
        found = self.patched(folder, 0x60, struct.pack("<I", flags | 4))

        assert found.illness is Illness.NONE
        assert "journal holds changes" in fact(found, "Root").text
        assert bad(found) == []


def test_a_program_that_is_missing_is_told_as_that(
    sticks: dict[PracticeState, Path],
) -> None:
    class WithoutSquashfs(SystemRunner):
        def run(self, argv: Sequence[str], **options: Any) -> Finished:
            name = "not-installed-here" if argv[0] == "unsquashfs" else argv[0]
            return super().run([name, *argv[1:]], **options)

    probes = replace(Probes(), runner=WithoutSquashfs())
    found = look(sticks[PracticeState.INVALID], probes)

    assert found.illness is Illness.INVALID
    with pytest.raises(PlanRefusedError) as caught:
        plan_recover(found)
    assert "fits no other" not in caught.value.hint
