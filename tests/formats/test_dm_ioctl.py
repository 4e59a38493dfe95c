"""Requests and answers of the device-mapper, held to those of a kernel that froze a root.

`freezing.txt` has the answers of Linux 6.1 in the dm lane, in order: command, device, and the bytes
that the kernel left in the buffer (zlib, base64). A load leaves its table there as it was sent.
"""

import base64
import struct
import zlib
from pathlib import Path

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.dm_ioctl import (
    ANSWER_BYTES,
    HEAD_BYTES,
    Command,
    Flag,
    answer,
    request,
    target_lines,
)
from liveos_tui.formats.dmtable import (
    LinearTable,
    SnapshotOriginTable,
    SnapshotTable,
    TableLine,
    parse_table,
)

CAPTURED = Path(__file__).parents[1] / "data/dm-ioctl/freezing.txt"
REAL, FROZEN = "liveos-tui-lane-merge-real", "liveos-tui-lane-merge-frozen"


def answers(command: str, name: str) -> list[bytes]:
    words = (line.split() for line in CAPTURED.read_text().splitlines())
    return [zlib.decompress(base64.b64decode(w[2])) for w in words if w[:2] == [command, name]]


def test_the_numbers_of_the_requests_are_those_of_the_kernel() -> None:
    """As strace shows them for dmsetup."""
    assert Command.VERSION.request == 0xC138FD00
    assert Command.DEV_SUSPEND.request == 0xC138FD06
    assert Command.TABLE_STATUS.request == 0xC138FD0C


def test_a_root_in_use() -> None:
    root = answer(answers("DEV_STATUS", "lane-rw")[0])
    assert (root.number, root.name, root.open_count, root.targets) == ("254:0", "lane-rw", 1, 1)
    assert root.active
    assert not root.suspended
    assert not root.waiting


def test_a_device_without_a_table() -> None:
    created = answer(answers("DEV_CREATE", REAL)[0])
    assert created.number == "254:1"
    assert not created.active


def test_a_table_that_waits() -> None:
    loaded = answer(answers("TABLE_LOAD", "lane-rw")[0])
    assert loaded.active
    assert loaded.waiting


def test_a_root_that_is_suspended_and_one_that_was_resumed() -> None:
    suspended, resumed = map(answer, answers("DEV_SUSPEND", "lane-rw"))
    assert suspended.suspended
    assert suspended.waiting
    assert not resumed.suspended
    assert not resumed.waiting


@pytest.mark.parametrize(
    ("name", "table"),
    [
        (REAL, SnapshotTable("7:1", "7:2", "PO", 8)),
        (FROZEN, SnapshotTable("254:1", "7:3", "P", 8)),
        ("lane-rw", SnapshotOriginTable("254:1")),
    ],
)
def test_a_load_is_what_the_kernel_has_taken(
    name: str, table: SnapshotTable | SnapshotOriginTable
) -> None:
    taken = answers("TABLE_LOAD", name)[0]
    sent = request(name, table=[TableLine(0, 524288, table)])
    assert len(sent) == ANSWER_BYTES
    assert sent[HEAD_BYTES:] == taken[HEAD_BYTES:]


def test_tables_and_states() -> None:
    assert [target_lines(each) for each in answers("TABLE_STATUS", "lane-rw")[-2:]] == [
        ["0 524288 snapshot-origin 254:1"],
        ["0 524288 snapshot-origin "],
    ]
    assert [target_lines(each) for each in answers("TABLE_STATUS", REAL)] == [
        ["0 524288 snapshot 7:1 7:2 PO 8"],
        ["0 524288 snapshot 24/98304 16"],
    ]
    assert target_lines(answers("TABLE_STATUS", FROZEN)[-1]) == ["0 524288 snapshot Invalid"]


def test_a_device_without_a_table_has_no_lines() -> None:
    assert target_lines(answers("DEV_CREATE", REAL)[0]) == []


def test_tables_of_several_lines_are_sent_one_after_the_other() -> None:
    table = [TableLine(0, 8, LinearTable("7:1", 0)), TableLine(8, 100, LinearTable("7:22", 8))]
    sent = request("two", table=table)
    count, data = answer(sent).targets, sent[HEAD_BYTES:]
    assert count == 2
    (following,) = struct.unpack_from("=I", data, 20)
    assert following % 8 == 0
    assert data[following + 24 : following + 30] == b"linear"
    assert data[following + 40 :].startswith(b"7:22 8\0")


def test_an_answer_is_read_by_the_places_that_the_kernel_tells() -> None:
    """In answers a line's place is counted from the first line's; in requests from its own."""
    lines = [(0, 8, b"linear", b"7:1 0"), (8, 100, b"linear", b"7:22 8")]
    data = b""
    for first, length, target, words in lines:
        following = len(data) + 40 + 16
        data += struct.pack("=QQiI16s16s", first, length, 0, following, target, words)
    head = bytearray(request("two", Flag.TABLE)[:HEAD_BYTES])
    struct.pack_into("=I", head, 12, HEAD_BYTES + len(data))
    struct.pack_into("=I", head, 20, len(lines))
    (device,) = parse_table("\n".join(target_lines(head + data)))
    assert device.lines == (
        TableLine(0, 8, LinearTable("7:1", 0)),
        TableLine(8, 100, LinearTable("7:22", 8)),
    )


def test_large_minor_numbers() -> None:
    data = bytearray(answers("DEV_STATUS", "lane-rw")[0])
    struct.pack_into("=Q", data, 40, (254 << 8) | 0x2A | (0x123 << 20))
    assert answer(data).number == f"254:{0x1232A}"


@pytest.mark.parametrize("size", [0, 100, HEAD_BYTES - 1])
def test_an_answer_that_is_cut_off_is_told(size: int) -> None:
    with pytest.raises(FormatError, match="cut off"):
        answer(answers("DEV_STATUS", "lane-rw")[0][:size])


def test_lines_that_are_cut_off_are_told() -> None:
    whole = answers("TABLE_STATUS", REAL)[0]
    with pytest.raises(FormatError, match="cut off"):
        target_lines(whole[: HEAD_BYTES + 30])


def test_a_longer_answer_than_there_is_room_for_is_told() -> None:
    full = bytearray(answers("TABLE_STATUS", REAL)[0])
    struct.pack_into("=I", full, 28, Flag.BUFFER_FULL)
    with pytest.raises(FormatError, match="longer"):
        target_lines(full)


@pytest.mark.parametrize("name", ["", "x" * 128])
def test_a_name_that_the_kernel_would_cut_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no name"):
        request(name)
