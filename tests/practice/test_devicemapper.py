"""The device-mapper in user space behaves as the kernel's does."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from liveos_tui.errors import LiveosError
from liveos_tui.formats import cow
from liveos_tui.formats.dmtable import SnapshotIll
from liveos_tui.practice.devicemapper import (
    DeviceMapperError,
    UserSpaceDeviceMapper,
    device_path,
    device_word,
)
from liveos_tui.practice.files import BlockIoError

if TYPE_CHECKING:
    from liveos_tui.system.devicemapper import DeviceMapper

CHUNK = 4096
BASE_CHUNKS = 600


class Stick:
    """A base image and a store, and a snapshot of them in a device-mapper of its own."""

    def __init__(self, folder: Path, store_chunks: int) -> None:
        self.base = folder / "base image"
        self.store = folder / "overlay"
        self.base.write_bytes(b"".join(i.to_bytes(4, "big") * 1024 for i in range(BASE_CHUNKS)))
        self.resize(store_chunks)
        self.mapper = UserSpaceDeviceMapper()

    def resize(self, chunks: int) -> None:
        with self.store.open("ab") as file:
            file.truncate(chunks * CHUNK)

    def table(self, kind: str = "PO", chunk_sectors: int = 8) -> str:
        sectors = BASE_CHUNKS * 8
        origin, store = device_word(self.base), device_word(self.store)
        return f"0 {sectors} snapshot {origin} {store} {kind} {chunk_sectors}"

    def open(self, kind: str = "PO", *, read_only: bool = False) -> None:
        self.mapper.create("live-rw", self.table(kind), read_only=read_only)

    def reopen(self, kind: str = "PO") -> None:
        self.mapper.remove("live-rw")
        self.open(kind)

    def write(self, chunk: int, count: int = 1, fill: bytes = b"x") -> None:
        self.mapper.write("live-rw", chunk * CHUNK, fill * (CHUNK * count))

    def read(self, chunk: int) -> bytes:
        return self.mapper.read("live-rw", chunk * CHUNK, CHUNK)

    @property
    def status(self) -> str:
        (device,) = self.mapper.status()
        return str(device.lines[0])

    def summary(self) -> cow.CowSummary:
        data = self.store.read_bytes()
        return cow.summarise(lambda at, size: data[at : at + size], len(data))


@pytest.fixture
def stick(tmp_path: Path) -> Iterator[Stick]:
    stick = Stick(tmp_path, 64)
    with stick.mapper:
        yield stick


def test_it_is_a_device_mapper() -> None:
    mapper: DeviceMapper = UserSpaceDeviceMapper()
    assert mapper.status() == ()


def test_a_fresh_store_gets_its_header_and_first_area(stick: Stick) -> None:
    stick.open()
    assert stick.status == "0 4800 snapshot 16/512 16"
    assert stick.store.read_bytes()[:16] == cow.CowHeader().to_bytes()


def test_the_table_is_told_as_it_was_given(stick: Stick) -> None:
    stick.open()
    (device,) = stick.mapper.table()
    assert (device.name, str(device.lines[0])) == ("live-rw", stick.table())


def test_the_view_is_the_base_where_nothing_was_written(stick: Stick) -> None:
    stick.open()
    stick.write(7)
    assert stick.read(7) == b"x" * CHUNK
    assert stick.read(6) == stick.base.read_bytes()[6 * CHUNK : 7 * CHUNK]


def test_the_base_is_never_written(stick: Stick) -> None:
    before = stick.base.read_bytes()
    stick.open()
    stick.write(0, 20)
    assert stick.base.read_bytes() == before


def test_a_part_of_a_chunk_keeps_the_rest_of_the_base(stick: Stick) -> None:
    stick.open()
    stick.mapper.write("live-rw", 3 * CHUNK + 512, b"y" * 512)
    base = stick.base.read_bytes()[3 * CHUNK : 4 * CHUNK]
    assert stick.read(3) == base[:512] + b"y" * 512 + base[1024:]
    assert stick.status == "0 4800 snapshot 24/512 16"


def test_a_chunk_that_was_written_before_takes_no_new_room(stick: Stick) -> None:
    stick.open()
    stick.write(3)
    stick.write(3, fill=b"z")
    assert stick.status == "0 4800 snapshot 24/512 16"
    assert stick.read(3) == b"z" * CHUNK


def test_what_was_written_is_there_after_reopening(stick: Stick) -> None:
    stick.open()
    stick.write(30)
    stick.write(20)
    stick.reopen()
    assert stick.read(30) == stick.read(20) == b"x" * CHUNK
    assert stick.status == "0 4800 snapshot 32/512 16"


def test_a_full_po_store_overflows_and_stays_readable(stick: Stick) -> None:
    stick.open("PO")
    stick.write(0, 62)
    with pytest.raises(BlockIoError, match="overflowed"):
        stick.write(100)
    assert stick.status == "0 4800 snapshot Overflow"
    assert stick.read(61) == b"x" * CHUNK
    assert stick.summary().valid


def test_an_overflowed_store_takes_no_writes_at_all(stick: Stick) -> None:
    stick.open("PO")
    stick.write(0, 62)
    with pytest.raises(BlockIoError):
        stick.write(100)
    with pytest.raises(BlockIoError, match="overflowed"):
        stick.write(0)


def test_the_overflow_is_forgotten_by_the_next_boot(stick: Stick) -> None:
    stick.open("PO")
    with pytest.raises(BlockIoError):
        stick.write(0, 63)
    stick.reopen()
    assert stick.status == "0 4800 snapshot 512/512 16"
    assert stick.summary().full


def test_a_grown_store_goes_on_after_a_reboot(stick: Stick) -> None:
    stick.open("PO")
    with pytest.raises(BlockIoError):
        stick.write(0, 63)
    stick.resize(70)
    assert stick.status == "0 4800 snapshot Overflow"
    stick.reopen()
    stick.write(62)
    assert stick.status == "0 4800 snapshot 520/560 16"


def test_a_store_that_is_grown_in_time_never_overflows(stick: Stick) -> None:
    stick.open("PO")
    stick.write(0, 62)
    stick.resize(70)
    stick.write(62)
    assert stick.status == "0 4800 snapshot 520/560 16"


def test_a_full_p_store_becomes_invalid_on_disk(stick: Stick) -> None:
    stick.open("P")
    with pytest.raises(BlockIoError, match="invalid"):
        stick.write(0, 63)
    assert stick.status == "0 4800 snapshot Invalid"
    with pytest.raises(BlockIoError):
        stick.read(0)
    summary = stick.summary()
    assert (summary.valid, summary.exceptions) == (False, 62)


def test_an_invalid_store_stays_invalid(stick: Stick) -> None:
    stick.open("P")
    with pytest.raises(BlockIoError):
        stick.write(0, 63)
    stick.reopen("PO")
    (device,) = stick.mapper.status()
    assert device.lines[0].status is SnapshotIll.INVALID
    with pytest.raises(BlockIoError):
        stick.write(0)


def test_a_po_store_of_1_and_257_chunks_becomes_invalid_when_it_fills(stick: Stick) -> None:
    stick.resize(1 + 257)
    stick.open("PO")
    for chunk in range(255):
        stick.write(chunk)
    with pytest.raises(BlockIoError):
        stick.write(255)
    assert stick.status == "0 4800 snapshot Invalid"
    # The area was not written: its last exception is lost.
    assert (stick.summary().exceptions, stick.summary().valid) == (255, False)


@pytest.mark.parametrize("chunks", [257, 259, 260])
def test_a_po_store_of_another_size_overflows(stick: Stick, chunks: int) -> None:
    stick.resize(chunks)
    stick.open("PO")
    with pytest.raises(BlockIoError):
        stick.write(0, 300)
    assert stick.status == "0 4800 snapshot Overflow"


def test_the_place_of_the_second_area_is_skipped(stick: Stick) -> None:
    stick.resize(400)
    stick.open()
    stick.write(0, 257)
    assert stick.status == "0 4800 snapshot 2080/3200 24"
    assert stick.summary().in_metadata == 0


def test_the_headers_chunk_size_wins_over_the_tables(stick: Stick) -> None:
    stick.mapper.create("live-rw", stick.table(chunk_sectors=16))
    stick.write(1)
    stick.reopen()
    (device,) = stick.mapper.table()
    assert str(device.lines[0]).endswith("PO 16")
    assert stick.read(1) == b"x" * CHUNK


@pytest.mark.parametrize(
    ("start", "error"),
    [
        (b"hsqs", cow.CowForeignError),
        (b"SnAp\1\0\0\0\2\0\0\0\x08\0\0\0", cow.CowVersionError),
        (b"SnAp\1\0\0\0\1\0\0\0\x07\0\0\0", cow.CowChunkSizeError),
    ],
)
def test_a_store_that_the_kernel_refuses_is_refused(
    stick: Stick, start: bytes, error: type[cow.CowError]
) -> None:
    stick.store.write_bytes(start.ljust(64 * CHUNK, b"\0"))
    before = stick.store.read_bytes()
    with pytest.raises(error):
        stick.open()
    assert stick.store.read_bytes() == before
    assert stick.mapper.status() == ()


def test_a_cut_list_is_refused(stick: Stick) -> None:
    stick.resize(400)
    stick.open()
    stick.write(0, 300)
    stick.mapper.remove("live-rw")
    stick.resize(258)
    with pytest.raises(cow.CowTruncatedError):
        stick.open()


def test_read_only_never_writes(stick: Stick) -> None:
    stick.open()
    stick.write(3)
    stick.mapper.remove("live-rw")
    before = stick.store.read_bytes()
    stick.open(read_only=True)
    assert stick.read(3) == b"x" * CHUNK
    with pytest.raises(BlockIoError, match="read-only"):
        stick.write(4)
    assert stick.store.read_bytes() == before


def test_a_store_has_one_writer(stick: Stick) -> None:
    stick.open()
    with (
        UserSpaceDeviceMapper() as other,
        pytest.raises(LiveosError, match="in use"),
    ):
        other.create("live-rw", stick.table())


def test_a_device_without_a_table_waits_for_one(stick: Stick) -> None:
    stick.mapper.create("live-rw")
    assert stick.mapper.status()[0].lines == ()
    with pytest.raises(DeviceMapperError, match="no table"):
        stick.mapper.resume("live-rw")
    stick.mapper.load("live-rw", stick.table())
    assert stick.mapper.table()[0].lines == ()
    stick.mapper.resume("live-rw")
    assert stick.status == "0 4800 snapshot 16/512 16"


def test_a_suspended_device_takes_nothing(stick: Stick) -> None:
    stick.open()
    stick.mapper.suspend("live-rw")
    with pytest.raises(BlockIoError, match="suspended"):
        stick.read(0)
    stick.mapper.resume("live-rw")
    assert len(stick.read(0)) == CHUNK


def test_devices_lie_on_each_other(stick: Stick) -> None:
    # The rehearsal of facts.md: another header in front of the rest of the overlay.
    header = stick.base.with_name("header")
    header.write_bytes(bytes(CHUNK))
    store, words = device_word(stick.store), device_word(header)
    stick.mapper.create("joined", f"0 8 linear {words} 0\n8 504 linear {store} 8")
    stick.mapper.create(
        "view", f"0 4800 snapshot {device_word(stick.base)} /dev/mapper/joined PO 8"
    )
    stick.mapper.write("view", 0, b"x" * CHUNK)
    assert header.read_bytes()[:4] == b"SnAp"
    assert stick.store.read_bytes()[:CHUNK] == bytes(CHUNK)
    with pytest.raises(DeviceMapperError, match="in use"):
        stick.mapper.remove("joined")
    stick.mapper.remove("view")
    stick.mapper.remove("joined")


@pytest.mark.parametrize(
    "table",
    [
        "",
        "0 8 striped 1 2",
        "8 8 linear /dev/zero 0",
        "0 4800 snapshot same same PO 8",
        "0 4800 snapshot a b N 8",
        "0 8 mirror core 2 8 nosync 2 /dev/zero 0 /dev/null 0 1 handle_errors",
        "0 8 mirror core 2 8 sync 2 /dev/zero 0 /dev/null 0",
    ],
)
def test_a_table_that_cannot_be_is_refused(stick: Stick, table: str) -> None:
    with pytest.raises(LiveosError):
        stick.mapper.create("live-rw", table)
    assert stick.mapper.status() == ()


def test_nothing_lies_behind_the_end(stick: Stick) -> None:
    stick.open()
    with pytest.raises(BlockIoError):
        stick.read(BASE_CHUNKS)
    with pytest.raises(BlockIoError):
        stick.write(BASE_CHUNKS)


def test_changes_made_in_a_materialised_file_are_written_back(stick: Stick, tmp_path: Path) -> None:
    stick.open()
    stick.write(5)
    view = tmp_path / "view"
    stick.mapper.materialise("live-rw", view)
    assert view.read_bytes()[5 * CHUNK : 6 * CHUNK] == b"x" * CHUNK
    with view.open("r+b") as file:
        file.seek(9 * CHUNK + 10)
        file.write(b"changed")
    assert stick.mapper.write_back("live-rw", view) == 1
    assert stick.mapper.read("live-rw", 0, BASE_CHUNKS * CHUNK) == view.read_bytes()
    assert stick.status == "0 4800 snapshot 32/512 16"


def test_zeros_of_a_materialised_file_are_holes(stick: Stick, tmp_path: Path) -> None:
    stick.base.write_bytes(bytes(BASE_CHUNKS * CHUNK))
    stick.open()
    stick.write(5)
    stick.mapper.materialise("live-rw", tmp_path / "view")
    status = (tmp_path / "view").stat()
    assert status.st_size == BASE_CHUNKS * CHUNK
    assert status.st_blocks * 512 <= 64 * 1024


@pytest.mark.parametrize("name", ["plain", "with space", "back\\slash", "é…", "a\nb", "\udcff"])
def test_any_path_is_one_word_of_a_table(name: str) -> None:
    word = device_word(Path("/tmp") / name)
    assert word.isascii()
    assert len(word.split()) == 1
    assert device_path(word) == Path("/tmp") / name
