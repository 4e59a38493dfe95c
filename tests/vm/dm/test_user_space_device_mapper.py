"""The kernel's snapshot target and the one in user space, on the same stores.

Runs in the dm lane (root, loop devices, dm-snapshot). Each write goes to both, one after the other
and straight to the device; then both must read the same bytes, say the same status, and have the
same store on disk, up to its end and beyond.
"""

import mmap
import os
import random
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from liveos_tui.errors import LiveosError
from liveos_tui.formats import cow
from liveos_tui.formats.cow_writer import store_metadata
from liveos_tui.practice.devicemapper import UserSpaceDeviceMapper, device_word
from liveos_tui.practice.files import BlockIoError
from liveos_tui.system.devicemapper import DeviceMapper, KernelDeviceMapper
from liveos_tui.system.runner import SystemRunner

NAME = "liveos-test"
KINDS = ["P", "PO"]
# Sectors in a chunk; LiveOS has 8.
CHUNK_SIZES = [1, 8, 16, 64]


class Side:
    """A base, a store, and a snapshot of them on one of the two device-mappers."""

    mapper: DeviceMapper

    def __init__(self, folder: Path, base: bytes, store: bytes) -> None:
        folder.mkdir(parents=True)
        self.base, self.store = folder / "base", folder / "store"
        self.base.write_bytes(base)
        self.store.write_bytes(store)
        self.sectors = len(base) // 512

    def devices(self) -> tuple[str, str]:
        """Base and store as a table names them."""
        raise NotImplementedError

    def read(self, offset: int, size: int) -> bytes | None:
        """Bytes of the view; None where the device gives an error."""
        raise NotImplementedError

    def write(self, offset: int, data: bytes) -> bool:
        """Whether the write succeeded."""
        raise NotImplementedError

    def open(self, kind: str, chunk_sectors: int) -> bool:
        """Whether the device-mapper takes the store."""
        base, store = self.devices()
        try:
            self.mapper.create(
                NAME, f"0 {self.sectors} snapshot {base} {store} {kind} {chunk_sectors}"
            )
        except LiveosError:
            return False
        return True

    def close(self) -> None:
        self.mapper.remove(NAME)

    def grow(self, size_bytes: int) -> None:
        with self.store.open("r+b") as file:
            file.truncate(size_bytes)

    @property
    def status(self) -> str:
        (device,) = [device for device in self.mapper.status() if device.name == NAME]
        return str(device.lines[0])


class KernelSide(Side):
    def __init__(self, folder: Path, base: bytes, store: bytes) -> None:
        super().__init__(folder, base, store)
        self.runner = SystemRunner()
        self.mapper = KernelDeviceMapper(self.runner)
        self.descriptor = -1
        self.loops = [self._loop("-r", self.base), self._loop(self.store)]

    def _loop(self, *arguments: str | Path) -> str:
        words = [str(word) for word in arguments]
        return self.runner.run(["losetup", "-f", "--show", *words]).stdout.decode().strip()

    def devices(self) -> tuple[str, str]:
        return self.loops[0], self.loops[1]

    def open(self, kind: str, chunk_sectors: int) -> bool:
        if not super().open(kind, chunk_sectors):
            return False
        if not Path(f"/dev/mapper/{NAME}").exists():
            self.runner.run(["dmsetup", "mknodes"])
        # Past the page cache: each write reaches the target at once, and alone.
        self.descriptor = os.open(f"/dev/mapper/{NAME}", os.O_RDWR | os.O_DIRECT)
        return True

    def close(self) -> None:
        os.close(self.descriptor)
        self.descriptor = -1
        super().close()

    def grow(self, size_bytes: int) -> None:
        super().grow(size_bytes)
        self.runner.run(["losetup", "-c", self.loops[1]])

    def read(self, offset: int, size: int) -> bytes | None:
        with mmap.mmap(-1, size) as buffer:
            try:
                done = os.preadv(self.descriptor, [buffer], offset)
            except OSError:
                return None
            return buffer[:done]

    def write(self, offset: int, data: bytes) -> bool:
        with mmap.mmap(-1, len(data)) as buffer:
            buffer[:] = data
            try:
                return os.pwritev(self.descriptor, [buffer], offset) == len(data)
            except OSError:
                return False

    def end(self) -> None:
        """Leave nothing behind, however the test went."""
        with suppress(OSError):
            os.close(self.descriptor)
        self.runner.run(["dmsetup", "remove", "--retry", NAME], ok=(0, 1))
        self.runner.run(["losetup", "-d", *self.loops])


class UserSide(Side):
    def __init__(self, folder: Path, base: bytes, store: bytes) -> None:
        super().__init__(folder, base, store)
        self.mapper: UserSpaceDeviceMapper = UserSpaceDeviceMapper()

    def devices(self) -> tuple[str, str]:
        return device_word(self.base), device_word(self.store)

    def read(self, offset: int, size: int) -> bytes | None:
        try:
            return self.mapper.read(NAME, offset, size)
        except BlockIoError:
            return None

    def write(self, offset: int, data: bytes) -> bool:
        try:
            self.mapper.write(NAME, offset, data)
        except BlockIoError:
            return False
        return True


class Pair:
    """Both sides, which must never differ."""

    def __init__(self, folder: Path, base_bytes: int, store: bytes) -> None:
        base = random.Random(7).randbytes(base_bytes)
        self.kernel = KernelSide(folder / "kernel", base, store)
        self.user = UserSide(folder / "user", base, store)
        self.size_bytes = base_bytes
        self.written = 0

    def open(self, kind: str, chunk_sectors: int = 8) -> bool:
        opened = self.kernel.open(kind, chunk_sectors)
        assert self.user.open(kind, chunk_sectors) is opened
        return opened

    def reopen(self, kind: str, chunk_sectors: int = 8) -> None:
        self.close()
        assert self.open(kind, chunk_sectors)

    def close(self) -> None:
        self.kernel.close()
        self.user.close()

    def write(self, offset: int, data: bytes) -> bool:
        done = self.kernel.write(offset, data)
        assert self.user.write(offset, data) is done
        self.written += 1
        # dmsetup takes much longer than the write: not after each of them.
        if self.written % 64 == 0:
            assert self.user.status == self.kernel.status
        return done

    def grow(self, size_bytes: int) -> None:
        self.kernel.grow(size_bytes)
        self.user.grow(size_bytes)
        assert self.user.status == self.kernel.status

    def compare(self) -> None:
        assert self.user.status == self.kernel.status
        assert self.user.read(0, self.size_bytes) == self.kernel.read(0, self.size_bytes)
        self.compare_stores()

    def compare_stores(self) -> None:
        user, kernel = self.user.store.read_bytes(), self.kernel.store.read_bytes()
        if user != kernel:
            sectors = range(max(len(user), len(kernel)) // 512)
            different = [n for n in sectors if user[n * 512 :][:512] != kernel[n * 512 :][:512]]
            pytest.fail(f"the stores differ in sectors {different[:50]}")

    def summary(self) -> cow.CowSummary:
        data = self.kernel.store.read_bytes()
        return cow.summarise(lambda at, size: data[at : at + size], len(data))

    @property
    def status(self) -> str:
        return self.kernel.status.split(" ", 3)[3]


@pytest.fixture
def pairs(tmp_path: Path) -> Iterator["Pairs"]:
    made = Pairs(tmp_path)
    yield made
    for pair in made.made:
        pair.user.mapper.__exit__(None, None, None)
        pair.kernel.end()


class Pairs:
    """Makes pairs; the fixture takes them down."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: list[Pair] = []

    def __call__(self, store: int | bytes, base_bytes: int) -> Pair:
        data = bytes(store) if isinstance(store, int) else store
        pair = Pair(self.folder / f"pair-{len(self.made)}", base_bytes, data)
        self.made.append(pair)
        return pair


def writes(pair: Pair, chunk_bytes: int, count: int, seed: int) -> Iterator[tuple[int, bytes]]:
    """Writes of a part of a chunk, of a chunk, and across a boundary, anywhere in the device."""
    source = random.Random(seed)
    for _ in range(count):
        sectors = source.choice([1, max(1, chunk_bytes // 1024), chunk_bytes // 512])
        start = source.randrange(pair.size_bytes // 512 - sectors + 1)
        if source.random() < 0.7:
            start -= start % (chunk_bytes // 512)
        yield start * 512, source.randbytes(sectors * 512)


def fill(pair: Pair, chunk_bytes: int) -> int:
    """Write one chunk after the other, up to the first that is refused; returns its number."""
    for chunk in range(pair.size_bytes // chunk_bytes):
        if not pair.write(chunk * chunk_bytes, bytes([chunk % 251 + 1]) * chunk_bytes):
            return chunk
    raise AssertionError("the store did not fill")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("chunk_sectors", CHUNK_SIZES)
def test_any_writes_and_reopenings_leave_the_same_store(
    pairs: Pairs, kind: str, chunk_sectors: int
) -> None:
    chunk_bytes = chunk_sectors * 512
    pair = pairs(200 * chunk_bytes, 150 * chunk_bytes)
    assert pair.open(kind, chunk_sectors)
    pair.compare()
    for session in range(2):
        for offset, data in writes(pair, chunk_bytes, 60, session):
            assert pair.write(offset, data)
        pair.compare()
        pair.reopen(kind, chunk_sectors)
    pair.compare()
    summary = pair.summary()
    assert pair.status == summary.status
    assert summary.damage is None


@pytest.mark.parametrize(
    ("kind", "chunk_sectors", "chunks", "rest"),
    [
        ("P", 8, 40, 0),
        ("PO", 8, 40, 512),
        ("PO", 16, 40, 0),
        ("P", 64, 40, 0),
        # Around 1 + k * stride chunks, where the last data chunk fills an area. Small chunks have
        # small strides: 33 chunks for a chunk of one sector, 257 for LiveOS.
        ("PO", 1, 33, 0),
        ("P", 1, 34, 0),
        ("PO", 1, 34, 0),
        ("P", 1, 35, 0),
        ("PO", 1, 35, 0),
        ("PO", 1, 36, 0),
        ("PO", 1, 66, 0),
        ("PO", 1, 67, 0),
        ("PO", 2, 131, 512),
        ("PO", 8, 258, 0),
        ("PO", 8, 259, 0),
    ],
)
def test_a_store_that_fills_ends_the_same_way(
    pairs: Pairs, kind: str, chunk_sectors: int, chunks: int, rest: int
) -> None:
    chunk_bytes = chunk_sectors * 512
    pair = pairs(chunks * chunk_bytes + rest, (chunks + 5) * chunk_bytes)
    assert pair.open(kind, chunk_sectors)
    fragile = pair.summary().fragile_size
    last = fill(pair, chunk_bytes)
    pair.compare()
    assert pair.status == ("Invalid" if kind == "P" or fragile else "Overflow")
    # A chunk that has an exception, and one that has none.
    assert not pair.write(0, b"a" * 512)
    assert not pair.write((last + 1) * chunk_bytes, b"b" * 512)
    pair.compare()
    pair.reopen(kind, chunk_sectors)
    pair.compare()
    assert pair.status == pair.summary().status


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_that_is_grown_in_time_goes_on(pairs: Pairs, kind: str) -> None:
    pair = pairs(16 * 4096, 100 * 4096)
    assert pair.open(kind)
    for chunk in range(14):
        assert pair.write(chunk * 4096, b"c" * 4096)
    pair.grow(24 * 4096)
    for chunk in range(14, 22):
        assert pair.write(chunk * 4096, b"d" * 4096)
    pair.compare()


def test_an_overflowed_store_that_is_grown_goes_on_after_reopening(pairs: Pairs) -> None:
    pair = pairs(16 * 4096, 100 * 4096)
    assert pair.open("PO")
    fill(pair, 4096)
    pair.grow(24 * 4096)
    assert not pair.write(0, b"e" * 4096)
    assert pair.status == "Overflow"
    pair.reopen("PO")
    assert pair.write(50 * 4096, b"e" * 4096)
    pair.compare()


def test_the_headers_chunk_size_wins(pairs: Pairs) -> None:
    pair = pairs(64 * 8192, 64 * 8192)
    assert pair.open("PO", 16)
    assert pair.write(8192, b"f" * 8192)
    pair.reopen("PO", 8)
    assert pair.write(5 * 8192, b"g" * 512)
    pair.compare()


def test_a_base_that_ends_within_a_chunk(pairs: Pairs) -> None:
    pair = pairs(64 * 4096, 20 * 4096 + 1536)
    assert pair.open("PO")
    assert pair.write(20 * 4096 + 1024, b"h" * 512)
    pair.compare()


def test_a_store_with_a_hole_goes_on_behind_it(pairs: Pairs) -> None:
    store = bytearray(64 * 4096)
    for offset, data in store_metadata(cow.CowHeader(), [(3, 2), (9, 30)]):
        store[offset : offset + len(data)] = data
    pair = pairs(bytes(store), 64 * 4096)
    assert pair.open("PO")
    assert pair.status == "248/512 16"
    assert pair.write(0, b"i" * 4096)
    pair.compare()


@pytest.mark.parametrize(
    "damage",
    [
        [(1, 2), (2, 5000)],
        [(1, 2), (1, 3)],
        [(1, 2), (2, (1 << 40))],
        [(1, 257)],
        [(1, 258)],
    ],
)
def test_a_damaged_list_has_the_kernels_status(pairs: Pairs, damage: list[tuple[int, int]]) -> None:
    store = bytearray(300 * 4096)
    for offset, data in store_metadata(cow.CowHeader(), damage):
        store[offset : offset + len(data)] = data
    pair = pairs(bytes(store), 64 * 4096)
    assert pair.open("PO")
    assert pair.status == pair.summary().status
    for chunk in range(4):
        assert pair.user.read(chunk * 4096, 4096) == pair.kernel.read(chunk * 4096, 4096)


@pytest.mark.parametrize(
    "start",
    [
        b"hsqs",
        b"SnAp\1\0\0\0\2\0\0\0\x08\0\0\0",
        b"SnAp\1\0\0\0\1\0\0\0\x07\0\0\0",
        b"SnAp\1\0\0\0\1\0\0\0\0\0\0\0",
    ],
)
def test_both_refuse_the_same_stores(pairs: Pairs, start: bytes) -> None:
    pair = pairs(start.ljust(64 * 4096, b"\0"), 64 * 4096)
    assert not pair.open("PO")
    pair.compare_stores()


@pytest.mark.parametrize("chunks", [1, 258])
def test_both_refuse_a_store_that_was_cut(pairs: Pairs, chunks: int) -> None:
    whole = pairs(400 * 4096, 400 * 4096)
    assert whole.open("PO")
    assert whole.write(0, b"j" * 4096 * 300)
    whole.compare()
    whole.close()
    cut = pairs(whole.kernel.store.read_bytes()[: chunks * 4096], 400 * 4096)
    assert not cut.open("PO")
    cut.compare_stores()
