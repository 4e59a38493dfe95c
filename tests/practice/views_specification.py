"""What every `system.views.Joiner` does, the kernel's and the one in user space alike.

A test class inherits from `JoinerSpecification` and says how its joiner is made and what it leaves.
"""

import contextlib
import hashlib
import os
import random
import signal
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from liveos_tui.errors import CancelledError, LiveosError
from liveos_tui.formats import cow
from liveos_tui.formats.cow_writer import header_chunk, store_metadata
from liveos_tui.formats.dmtable import Persistence, SnapshotIll, SnapshotStatus
from liveos_tui.formats.mirror_status import MirrorFeed, MirrorProgress
from liveos_tui.practice.contents import File, Folder
from liveos_tui.practice.devicemapper import UserSpaceDeviceMapper, device_word
from liveos_tui.practice.images import change_ext4, make_ext4, make_squashfs
from liveos_tui.system.joining import ViewError
from liveos_tui.system.mirroring import mirror_to_file
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.views import Joiner, View

BASE_BYTES = 16 << 20
MEMBER = "LiveOS/rootfs.img"
NAME = "spec"
CHUNK_SIZES = [1, 8, 16, 64]
"""Sectors in a chunk; LiveOS has 8."""


@dataclass(frozen=True, slots=True)
class Images:
    """A base image, alone and in a squashfs."""

    base: Path
    squashfs: Path


def make_images(folder: Path) -> Images:
    """A small ext4 with some files, and a squashfs of it."""
    runner = SystemRunner()
    base = folder / "tree" / MEMBER
    base.parent.mkdir(parents=True)
    staging = folder / "staging"
    staging.mkdir()
    make_ext4(runner, base, BASE_BYTES, label="root", uuid="4c495645-4f53-4000-8000-0000000000aa")
    files = [File(f"/etc/{number}", random.Random(number).randbytes(9000)) for number in range(40)]
    change_ext4(runner, base, [Folder("/etc"), *files], staging)
    make_squashfs(runner, folder / "tree", folder / "squashfs.img")
    return Images(base, folder / "squashfs.img")


def make_store(path: Path, size_bytes: int, header: cow.CowHeader | None = None) -> Path:
    """An empty store that was in use: a header, and an area without exceptions."""
    path.write_bytes(bytes(size_bytes))
    with path.open("r+b") as file:
        for offset, data in store_metadata(header or cow.CowHeader(), []):
            file.seek(offset)
            file.write(data)
    return path


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def all_of(view: View) -> bytes:
    return view.read(0, view.size_bytes)


def damage(view: View) -> None:
    """Wipe the first block bitmap: errors that e2fsck finds and can repair."""
    (bitmap,) = struct.unpack("<I", view.read(4096, 4))
    view.write(bitmap * 4096, bytes(4096))
    view.sync()


def e2fsck(path: Path, *options: str) -> int:
    argv = ["e2fsck", "-f", *options, str(path)]
    return SystemRunner().run(argv, ok=range(64), timeout=120.0).returncode


class JoinerSpecification:
    """Tests of a joiner. `joiner` and `left_over` are the class's own."""

    @pytest.fixture
    def joiner(self) -> Joiner:
        raise NotImplementedError

    def left_over(self) -> list[str]:
        """Devices, loops, mounts and files that are there because of a joiner."""
        raise NotImplementedError

    @pytest.fixture(scope="class")
    @classmethod
    def images(cls, tmp_path_factory: pytest.TempPathFactory) -> Images:
        return make_images(tmp_path_factory.mktemp("images"))

    @pytest.fixture(autouse=True)
    def nothing_left(self, joiner: Joiner) -> Iterator[None]:
        before = self.left_over()
        yield
        assert self.left_over() == before

    @pytest.fixture
    def store(self, tmp_path: Path) -> Path:
        return make_store(tmp_path / "overlay store", 4 << 20)

    # The base

    def test_the_base_is_the_file_inside_the_image(self, joiner: Joiner, images: Images) -> None:
        with joiner.base(images.squashfs, MEMBER, NAME) as base:
            assert sha256(base) == sha256(images.base)

    def test_the_base_may_lie_beside_the_overlay(self, joiner: Joiner, images: Images) -> None:
        with joiner.base(images.base, None, NAME) as base:
            assert sha256(base) == sha256(images.base)

    def test_a_base_that_is_not_in_the_image_is_told(self, joiner: Joiner, images: Images) -> None:
        with (
            pytest.raises(LiveosError, match="ext3fs"),
            joiner.base(images.squashfs, "LiveOS/ext3fs.img", NAME),
        ):
            pass

    def test_an_image_that_was_cut_off_is_told(
        self, joiner: Joiner, images: Images, tmp_path: Path
    ) -> None:
        cut = tmp_path / "cut.img"
        cut.write_bytes(images.squashfs.read_bytes()[:100_000])
        with pytest.raises(LiveosError), joiner.base(cut, MEMBER, NAME):
            pass

    # Reading and writing

    def test_a_view_of_an_empty_store_is_the_base(
        self, joiner: Joiner, images: Images, store: Path
    ) -> None:
        with (
            joiner.base(images.squashfs, MEMBER, NAME) as base,
            joiner.view(base, store, NAME, read_only=True) as view,
        ):
            assert view.size_bytes == BASE_BYTES
            assert all_of(view) == images.base.read_bytes()
            assert view.status() == SnapshotStatus(16, 8192, 16)

    @pytest.mark.parametrize("persistence", ["P", "PO"])
    @pytest.mark.parametrize("chunk_sectors", CHUNK_SIZES)
    def test_writes_leave_the_very_store_that_the_format_says(
        self,
        joiner: Joiner,
        images: Images,
        tmp_path: Path,
        chunk_sectors: int,
        persistence: Persistence,
    ) -> None:
        header = cow.CowHeader(chunk_sectors=chunk_sectors)
        store = make_store(tmp_path / "store", 4 << 20, header)
        other = make_store(tmp_path / "other", 4 << 20, header)
        source = random.Random(chunk_sectors)
        writes = [
            (source.randrange(0, BASE_BYTES - 65536), source.randbytes(source.randrange(1, 60000)))
            for _ in range(30)
        ]
        with joiner.view(images.base, store, NAME, persistence=persistence) as view:
            for offset, data in writes:
                view.write(offset, data)
            view.sync()
            seen = all_of(view)
        expected = bytearray(images.base.read_bytes())
        table = f"0 {BASE_BYTES // 512} snapshot {device_word(images.base)} {device_word(other)}"
        with UserSpaceDeviceMapper() as mapper:
            mapper.create("other", f"{table} {persistence} {chunk_sectors}")
            for offset, data in writes:
                expected[offset : offset + len(data)] = data
                # Whole sectors, as every block device takes them.
                start, end = offset // 512 * 512, -(-(offset + len(data)) // 512) * 512
                mapper.write("other", start, bytes(expected[start:end]))
        assert seen == bytes(expected)
        assert store.read_bytes() == other.read_bytes()

    def test_what_was_written_is_there_when_it_is_joined_again(
        self, joiner: Joiner, images: Images, store: Path
    ) -> None:
        with joiner.view(images.base, store, NAME) as view:
            view.write(5 * 4096 + 100, b"word")
            view.sync()
        with joiner.view(images.base, store, NAME, read_only=True) as view:
            before = images.base.read_bytes()[5 * 4096 : 6 * 4096]
            assert view.read(5 * 4096, 4096) == before[:100] + b"word" + before[104:]

    def test_the_base_is_never_written(self, joiner: Joiner, images: Images, store: Path) -> None:
        before = sha256(images.base)
        with joiner.view(images.base, store, NAME) as view:
            view.write(0, b"x" * 100_000)
            view.sync()
        assert sha256(images.base) == before

    def test_programs_see_what_the_view_holds(
        self, joiner: Joiner, images: Images, store: Path
    ) -> None:
        with joiner.view(images.base, store, NAME) as view:
            assert sha256(view.path) == sha256(images.base)
            view.write(9 * 4096, b"y" * 4096)
            assert view.path.read_bytes() == all_of(view)
            assert all_of(view)[9 * 4096 : 10 * 4096] == b"y" * 4096

    def test_a_view_ends_where_its_base_ends(
        self, joiner: Joiner, images: Images, store: Path
    ) -> None:
        with joiner.view(images.base, store, NAME) as view:
            with pytest.raises(ViewError):
                view.read(BASE_BYTES - 10, 11)
            with pytest.raises(ViewError):
                view.write(BASE_BYTES, b"z")

    def test_a_file_that_has_grown_is_seen(
        self, joiner: Joiner, images: Images, store: Path
    ) -> None:
        with store.open("ab") as file:
            file.write(bytes(1 << 20))
        with joiner.view(images.base, store, NAME) as view:
            assert view.status() == SnapshotStatus(16, 10240, 16)

    # Stores that are ill

    @pytest.mark.parametrize(
        ("persistence", "ill"), [("P", SnapshotIll.INVALID), ("PO", SnapshotIll.OVERFLOW)]
    )
    def test_a_store_that_becomes_full_refuses_the_write(
        self,
        joiner: Joiner,
        images: Images,
        tmp_path: Path,
        persistence: Persistence,
        ill: SnapshotIll,
    ) -> None:
        store = make_store(tmp_path / "store", 40 * 4096)
        with joiner.view(images.base, store, NAME, persistence=persistence) as view:
            view.write(0, b"a" * (38 * 4096))
            with pytest.raises(ViewError) as caught:
                view.write(100 * 4096, b"b" * 4096)
            assert caught.value.status is ill
            assert view.status() is ill
        header = cow.parse_header(store.read_bytes()[:16])
        assert header is not None
        assert header.valid == (ill is SnapshotIll.OVERFLOW)

    def test_an_overflowed_view_is_still_read(
        self, joiner: Joiner, images: Images, tmp_path: Path
    ) -> None:
        store = make_store(tmp_path / "store", 40 * 4096)
        with joiner.view(images.base, store, NAME) as view:
            with pytest.raises(ViewError, match="full"):
                view.write(0, b"a" * (39 * 4096))
            assert view.read(0, 38 * 4096) == b"a" * (38 * 4096)

    def test_an_invalid_store_says_so_and_cannot_be_read(
        self, joiner: Joiner, images: Images, tmp_path: Path
    ) -> None:
        store = make_store(tmp_path / "store", 40 * 4096, cow.CowHeader(valid=False))
        with joiner.view(images.base, store, NAME) as view:
            assert view.status() is SnapshotIll.INVALID
            with pytest.raises(ViewError, match="invalid"):
                view.read(0, 4096)
            with pytest.raises(ViewError, match="invalid"):
                view.write(0, b"c" * 4096)

    @pytest.mark.parametrize("chunk_sectors", CHUNK_SIZES)
    def test_an_invalid_store_is_read_under_another_header_without_a_byte_written(
        self, joiner: Joiner, images: Images, tmp_path: Path, chunk_sectors: int
    ) -> None:
        header = cow.CowHeader(chunk_sectors=chunk_sectors)
        store = make_store(tmp_path / "store", 1 << 20, header)
        with joiner.view(images.base, store, NAME) as view:
            view.write(70_000, b"d" * 300_000)
            view.sync()
            whole = all_of(view)
        invalid = cow.CowHeader(valid=False, chunk_sectors=chunk_sectors)
        with store.open("r+b") as file:
            file.write(header_chunk(invalid))
        store.chmod(0o400)
        before = sha256(store)
        with joiner.view(images.base, store, NAME, read_only=True, header=header) as view:
            assert isinstance(view.status(), SnapshotStatus)
            assert all_of(view) == whole
            with pytest.raises(LiveosError):
                view.write(0, b"e" * 512)
        assert sha256(store) == before

    @pytest.mark.parametrize(
        ("start", "words"),
        [
            (bytes(16), "all zeros"),
            (b"hsqs" + bytes(12), "a COW store"),
            (b"SnAp\1\0\0\0\2\0\0\0\x08\0\0\0", "version 2"),
            (b"SnAp\1\0\0\0\1\0\0\0\x07\0\0\0", "chunks of 7 sectors"),
        ],
    )
    @pytest.mark.parametrize("read_only", [False, True])
    def test_a_header_that_cannot_be_is_refused_and_left_as_it_is(
        self,
        joiner: Joiner,
        images: Images,
        store: Path,
        start: bytes,
        words: str,
        *,
        read_only: bool,
    ) -> None:
        with store.open("r+b") as file:
            file.write(start)
        before = sha256(store)
        with (
            pytest.raises(LiveosError, match=words),
            joiner.view(images.base, store, NAME, read_only=read_only),
        ):
            pass
        assert sha256(store) == before

    def test_a_store_that_was_cut_off_is_refused_and_left_as_it_is(
        self, joiner: Joiner, images: Images, store: Path
    ) -> None:
        with joiner.view(images.base, store, NAME) as view:
            view.write(0, b"f" * (300 * 4096))
        with store.open("r+b") as file:
            file.truncate(258 * 4096)
        before = sha256(store)
        with (
            pytest.raises(LiveosError, match="cut off"),
            joiner.view(images.base, store, NAME),
        ):
            pass
        assert sha256(store) == before

    def test_a_link_is_not_followed(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        link = tmp_path / "link"
        link.symlink_to(store)
        with pytest.raises(LiveosError, match="link"), joiner.view(images.base, link, NAME):
            pass

    # Trials

    @pytest.mark.parametrize("chunk_sectors", CHUNK_SIZES)
    def test_a_repair_that_is_tried_changes_nothing_until_it_is_taken(
        self, joiner: Joiner, images: Images, tmp_path: Path, chunk_sectors: int
    ) -> None:
        header = cow.CowHeader(chunk_sectors=chunk_sectors)
        store = make_store(tmp_path / "store", 4 << 20, header)
        with joiner.view(images.base, store, NAME) as view:
            damage(view)
            before, stored = all_of(view), sha256(store)
            with joiner.trial(view, tmp_path, NAME) as trial:
                assert e2fsck(trial.path, "-n") == 4
                assert e2fsck(trial.path, "-y") == 1
                assert e2fsck(trial.path, "-n") == 0
                repaired = trial.path.read_bytes()
                changes = list(trial.changes())
                assert not trial.path.exists()
            assert all_of(view) == before != repaired
            assert sha256(store) == stored
            for offset, data in changes:
                view.write(offset, data)
            view.sync()
            assert all_of(view) == repaired
            assert e2fsck(view.path, "-n") == 0
        assert [offset for offset, _ in changes] == sorted({offset for offset, _ in changes})
        assert all(offset % 4096 == 0 and len(data) == 4096 for offset, data in changes)

    def test_a_chunk_rewritten_with_what_it_held_is_no_change(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        with (
            joiner.view(images.base, store, NAME) as view,
            joiner.trial(view, tmp_path, NAME) as trial,
        ):
            same = view.read(40 * 4096, 8192)
            with trial.path.open("r+b") as file:
                file.seek(40 * 4096)
                file.write(same)
                file.seek(50 * 4096 + 7)
                file.write(b"g")
            ((offset, data),) = trial.changes()
        assert (offset, data[7:8]) == (50 * 4096, b"g")

    def test_a_trial_sees_what_was_written_just_before(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        with joiner.view(images.base, store, NAME) as view:
            view.write(60 * 4096, b"h" * 4096)
            with joiner.trial(view, tmp_path, NAME) as trial:
                assert trial.path.read_bytes()[60 * 4096 : 61 * 4096] == b"h" * 4096
                assert list(trial.changes()) == []

    def test_a_trial_that_is_dropped_changes_nothing(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        before = sha256(store)
        with joiner.view(images.base, store, NAME) as view:
            with joiner.trial(view, tmp_path, NAME) as trial, trial.path.open("r+b") as file:
                file.write(b"i" * 100_000)
            assert all_of(view) == images.base.read_bytes()
        assert sha256(store) == before

    def test_a_rehearsal_over_an_invalid_store_writes_nothing_to_it(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        with joiner.view(images.base, store, NAME) as view:
            damage(view)
        with store.open("r+b") as file:
            file.write(header_chunk(cow.CowHeader(valid=False)))
        before = sha256(store)
        with (
            joiner.base(images.squashfs, MEMBER, NAME) as base,
            joiner.view(base, store, NAME, read_only=True, header=cow.CowHeader()) as view,
            joiner.trial(view, tmp_path, NAME) as trial,
        ):
            assert e2fsck(trial.path, "-y") == 1
            assert e2fsck(trial.path, "-n") == 0
            assert list(trial.changes())
        assert sha256(store) == before

    # Mirrors

    @pytest.mark.parametrize("chunk_sectors", CHUNK_SIZES)
    def test_a_mirror_copies_the_view_and_nothing_but_the_view(
        self, joiner: Joiner, images: Images, tmp_path: Path, chunk_sectors: int
    ) -> None:
        header = cow.CowHeader(chunk_sectors=chunk_sectors)
        store = make_store(tmp_path / "store", 4 << 20, header)
        with joiner.view(images.base, store, NAME) as view:
            view.write(9 * 4096 + 5, b"j" * 500_000)
        before = sha256(store)
        seen: list[MirrorProgress] = []
        target = tmp_path / "a copy"
        with joiner.view(images.base, store, NAME, read_only=True) as view:
            copied = mirror_to_file(joiner, view, target, NAME, told=seen.append)
            assert target.read_bytes() == all_of(view)
        assert copied.size_bytes == BASE_BYTES
        assert seen[-1].complete
        assert all(progress.failed is None for progress in seen)
        assert sha256(store) == before
        assert target.stat().st_mode & 0o777 == 0o600

    def test_a_copy_takes_no_room_for_the_zeros_of_a_view(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        with joiner.view(images.base, store, NAME, read_only=True) as view:
            copied = mirror_to_file(joiner, view, tmp_path / "c", NAME, told=lambda _: None)
        assert copied.allocated_bytes == (tmp_path / "c").stat().st_blocks * 512
        assert copied.allocated_bytes < BASE_BYTES / 4

    def test_a_mirror_counts_regions_as_the_kernel_prints_them(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "target"
        target.touch()
        os.truncate(target, BASE_BYTES)
        feed = MirrorFeed()
        with joiner.view(images.base, store, NAME, read_only=True) as view:
            with joiner.mirror(view, target, NAME, 1024) as mirror:
                while True:
                    (status,) = feed.feed(mirror.wait(0.01))
                    if status.complete:
                        break
            assert status.total_regions == BASE_BYTES // 512 // 1024
            assert (status.health, status.log, len(status.devices)) == ("AA", "core", 2)
            assert target.read_bytes() == all_of(view)

    def test_a_target_that_is_smaller_than_the_view_is_refused(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "target"
        target.write_bytes(bytes(BASE_BYTES - 4096))
        with (
            joiner.view(images.base, store, NAME, read_only=True) as view,
            pytest.raises(LiveosError, match="smaller"),
            joiner.mirror(view, target, NAME, 1024),
        ):
            pass

    def test_a_mirror_that_is_cancelled_leaves_no_copy(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "target"
        answers = iter([False, True])
        with (
            joiner.view(images.base, store, NAME, read_only=True) as view,
            pytest.raises(CancelledError),
        ):
            mirror_to_file(
                joiner,
                view,
                target,
                NAME,
                told=lambda _: None,
                cancelled=lambda: next(answers, True),
            )
        assert not target.exists()

    def test_a_copy_of_an_interrupted_run_is_made_anew(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        elsewhere, target = tmp_path / "elsewhere", tmp_path / "target"
        elsewhere.write_bytes(b"of somebody else")
        target.symlink_to(elsewhere)
        with joiner.view(images.base, store, NAME, read_only=True) as view:
            mirror_to_file(joiner, view, target, NAME, told=lambda _: None)
            assert target.read_bytes() == all_of(view)
        assert not target.is_symlink()
        assert elsewhere.read_bytes() == b"of somebody else"

    def test_a_killed_mirror_is_taken_down_by_its_name(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        target = tmp_path / "target"

        def work(stack: contextlib.ExitStack) -> None:
            base = stack.enter_context(joiner.base(images.squashfs, MEMBER, NAME))
            view = stack.enter_context(joiner.view(base, store, NAME, read_only=True))
            target.touch()
            os.truncate(target, BASE_BYTES)
            stack.enter_context(joiner.mirror(view, target, NAME, 8)).wait(0.01)

        killed_while(work)
        assert joiner.clean_up(NAME) != ()
        assert joiner.clean_up(NAME) == ()
        with joiner.view(images.base, store, NAME, read_only=True) as view:
            mirror_to_file(joiner, view, target, NAME, told=lambda _: None)
            assert target.read_bytes() == all_of(view)

    # Leaving nothing behind (`nothing_left` looks after every test)

    def test_an_error_takes_everything_down(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path
    ) -> None:
        with (
            pytest.raises(ZeroDivisionError),
            joiner.base(images.squashfs, MEMBER, NAME) as base,
            joiner.view(base, store, NAME) as view,
            joiner.trial(view, tmp_path, NAME),
        ):
            raise ZeroDivisionError

    @pytest.mark.parametrize("depth", [1, 2, 3])
    @pytest.mark.parametrize("patched", [False, True])
    def test_what_a_killed_job_has_left_is_taken_down_by_its_name(
        self, joiner: Joiner, images: Images, store: Path, tmp_path: Path, depth: int, patched: bool
    ) -> None:
        header = cow.CowHeader() if patched else None

        def work(stack: contextlib.ExitStack) -> None:
            base = stack.enter_context(joiner.base(images.squashfs, MEMBER, NAME))
            if depth == 1:
                return
            view = stack.enter_context(joiner.view(base, store, NAME, header=header))
            if depth == 2:
                return
            stack.enter_context(joiner.trial(view, self.scratch(tmp_path), NAME))

        killed_while(work)
        assert self.left_over() != []
        # Those of a job whose name begins alike, and those of others, stay.
        with joiner.base(images.base, None, f"{NAME}-view"):
            assert joiner.clean_up("other") == ()
            assert joiner.clean_up(NAME) != ()
        assert joiner.clean_up(NAME) == ()
        with (
            joiner.base(images.squashfs, MEMBER, NAME) as base,
            joiner.view(base, store, NAME) as view,
        ):
            assert all_of(view) == images.base.read_bytes()

    def scratch(self, tmp_path: Path) -> Path:
        """The folder in which trials are to be made."""
        return tmp_path

    def test_a_job_that_ended_well_leaves_nothing_to_clean_up(
        self, joiner: Joiner, images: Images, store: Path
    ) -> None:
        with joiner.view(images.base, store, NAME):
            pass
        assert joiner.clean_up(NAME) == ()

    @pytest.mark.parametrize("name", ["", "..", ".", "a/b", "a b"])
    def test_a_name_that_leads_elsewhere_is_refused(self, joiner: Joiner, name: str) -> None:
        with pytest.raises(LiveosError):
            joiner.clean_up(name)

    def test_two_jobs_work_side_by_side(
        self, joiner: Joiner, images: Images, tmp_path: Path
    ) -> None:
        stores = [make_store(tmp_path / f"store-{number}", 1 << 20) for number in range(2)]
        with (
            joiner.view(images.base, stores[0], "one") as one,
            joiner.view(images.base, stores[1], "two") as two,
        ):
            one.write(0, b"1" * 4096)
            two.write(0, b"2" * 4096)
            assert (one.read(0, 1), two.read(0, 1)) == (b"1", b"2")

    def test_a_store_is_not_opened_twice_for_writing(
        self, joiner: Joiner, images: Images, store: Path
    ) -> None:
        with (
            joiner.view(images.base, store, "one"),
            pytest.raises(LiveosError, match="in use"),
            joiner.view(images.base, store, "two"),
        ):
            pass


def killed_while(work: Callable[[contextlib.ExitStack], None]) -> None:
    """Do `work` in a child process, and kill that before it can leave any context."""
    child = os.fork()
    if child == 0:
        try:
            with contextlib.ExitStack() as stack:
                work(stack)
                os.kill(os.getpid(), signal.SIGKILL)
        finally:
            os._exit(1)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), "the child failed before it was killed"
