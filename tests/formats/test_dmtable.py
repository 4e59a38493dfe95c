"""`dmsetup status` and `table`: lines captured on a booted LiveOS stick and in the dm lane."""

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.dmtable import (
    DeviceStatus,
    DeviceTable,
    LinearTable,
    MirrorLeg,
    MirrorStatus,
    MirrorTable,
    NoStatus,
    OtherStatus,
    OtherTable,
    SnapshotIll,
    SnapshotOriginTable,
    SnapshotStatus,
    SnapshotTable,
    StatusLine,
    TableLine,
    TargetStatus,
    TargetTable,
    parse_status,
    parse_table,
)

STICK_STATUS = (
    "live-osimg-min: 0 8388608 snapshot 2464/2464 24\n"
    "live-rw: 0 4194304 snapshot 3784/131072 24\n"
    "live-base: 0 4194304 linear \n"
)
STICK_TABLE = (
    "live-base: 0 4194304 linear 7:1 0\n"
    "live-real: 0 4194304 snapshot 7:1 7:2 PO 8\n"
    "live-rw: 0 4194304 snapshot-origin 254:2\n"
    "frozen: 0 4194304 snapshot 254:2 7:5 P 8\n"
)


def only_status(line: str) -> TargetStatus:
    (device,) = parse_status(line)
    (status,) = device.lines
    return status.status


def only_table(line: str) -> TargetTable:
    (device,) = parse_table(line)
    (table,) = device.lines
    return table.table


def test_status_of_a_sticks_devices() -> None:
    assert parse_status(STICK_STATUS) == (
        DeviceStatus(
            "live-osimg-min",
            (StatusLine(0, 8388608, "snapshot", SnapshotStatus(2464, 2464, 24)),),
        ),
        DeviceStatus(
            "live-rw", (StatusLine(0, 4194304, "snapshot", SnapshotStatus(3784, 131072, 24)),)
        ),
        DeviceStatus("live-base", (StatusLine(0, 4194304, "linear", NoStatus()),)),
    )


def test_status_of_one_device_has_no_name() -> None:
    assert parse_status("0 32768 snapshot 816/2048 16\n") == (
        DeviceStatus(None, (StatusLine(0, 32768, "snapshot", SnapshotStatus(816, 2048, 16)),)),
    )


@pytest.mark.parametrize("ill", list(SnapshotIll))
def test_an_ill_snapshot_says_why(ill: SnapshotIll) -> None:
    assert only_status(f"live-rw: 0 32768 snapshot {ill.value}") is ill


def test_a_merging_snapshot_has_figures() -> None:
    line = "0 32768 snapshot-merge 16/2048 16"
    assert only_status(line) == SnapshotStatus(16, 2048, 16)


def test_mirror_on_the_way() -> None:
    status = only_status("0 32768 mirror 2 7:0 7:2 26/32 1 AA 1 core")
    assert status == MirrorStatus(("7:0", "7:2"), 26, 32, "AA", "core")
    assert status.healthy
    assert not status.complete


@pytest.mark.parametrize(
    ("line", "complete"),
    [
        ("0 4194304 mirror 2 254:2 7:6 4096/4096 1 AA 1 core", True),
        ("0 4194304 mirror 2 254:2 7:6 4096/4096 1 AD 1 core", False),
        ("0 4194304 mirror 2 254:2 7:6 4094/4096 1 SA 1 core", False),
        ("0 4194304 mirror 2 254:2 7:6 947/4096 1 AS 1 core", False),
    ],
)
def test_a_mirror_is_complete_only_when_counts_and_health_agree(line: str, complete: bool) -> None:
    status = only_status(line)
    assert isinstance(status, MirrorStatus)
    assert status.complete is complete


def test_mirror_with_a_disk_log() -> None:
    status = only_status("0 8192 mirror 2 254:4 254:5 8/8 1 AA 3 disk 254:3 A")
    assert status == MirrorStatus(("254:4", "254:5"), 8, 8, "AA", "disk 254:3 A")


def test_table_of_a_sticks_devices() -> None:
    assert parse_table(STICK_TABLE) == (
        DeviceTable("live-base", (TableLine(0, 4194304, LinearTable("7:1", 0)),)),
        DeviceTable("live-real", (TableLine(0, 4194304, SnapshotTable("7:1", "7:2", "PO", 8)),)),
        DeviceTable("live-rw", (TableLine(0, 4194304, SnapshotOriginTable("254:2")),)),
        DeviceTable("frozen", (TableLine(0, 4194304, SnapshotTable("254:2", "7:5", "P", 8)),)),
    )


@pytest.mark.parametrize(
    ("line", "table"),
    [
        (
            "0 9 snapshot 7:1 7:2 P 8 2 discard_zeroes_cow discard_passdown_origin",
            SnapshotTable("7:1", "7:2", "P", 8, ("discard_zeroes_cow", "discard_passdown_origin")),
        ),
        ("0 9 snapshot-merge 7:1 7:2 P 8", SnapshotTable("7:1", "7:2", "P", 8, merging=True)),
        (
            "0 9 mirror core 2 1024 sync 2 7:0 0 7:2 16 1 handle_errors",
            MirrorTable(
                (MirrorLeg("7:0"), MirrorLeg("7:2", 16)),
                ("1024", "sync"),
                features=("handle_errors",),
            ),
        ),
        (
            "0 9 mirror disk 2 254:3 1024 2 254:4 0 254:5 0",
            MirrorTable((MirrorLeg("254:4"), MirrorLeg("254:5")), ("254:3", "1024"), "disk"),
        ),
        ("0 9 zero ", OtherTable("zero", "")),
        ("0 9 thin 254:1 0 7:1", OtherTable("thin", "254:1 0 7:1")),
        (
            "0 9 crypt aes-xts-plain64 :64:logon:cryptsetup:x-d0 0 7:0 32768",
            OtherTable("crypt", "aes-xts-plain64 :64:logon:cryptsetup:x-d0 0 7:0 32768"),
        ),
    ],
)
def test_table_is_read_and_written_alike(line: str, table: TargetTable) -> None:
    assert only_table(line) == table
    assert str(TableLine(0, 9, table)) == line


def test_region_size_is_told_by_either_log() -> None:
    core = MirrorTable((), ("1024", "sync"))
    disk = MirrorTable((), ("254:3", "2048"), "disk")
    assert (core.region_sectors, disk.region_sectors) == (1024, 2048)


@pytest.mark.parametrize(
    "line",
    [
        "0 9 snapshot 816/2048",
        "0 9 snapshot 816/2048 16 more",
        "0 9 snapshot -",
        "0 9 mirror 2 7:0 7:2 26/32 1 AAA 1 core",
        "0 9 mirror 2 7:0 26/32 1 AA 1 core",
        "0 9 mirror 999999 7:0",
        "0 9 thin-pool 0 141/4161600 0/163840 - rw discard_passdown queue_if_no_space - 1024",
    ],
)
def test_figures_that_are_not_as_described_are_kept_as_text(line: str) -> None:
    assert only_status(line) == OtherStatus(line.split(" ", 3)[3])


@pytest.mark.parametrize(
    "parameters",
    ["7:1 7:2 X 8", "7:1 7:2 P", "7:1 7:2 P 8 3 one", "7:1 7:2 P eight", "7:1 7:2 P 08x"],
)
def test_a_snapshot_table_that_is_not_as_described_is_kept_as_text(parameters: str) -> None:
    assert only_table(f"0 9 snapshot {parameters}") == OtherTable("snapshot", parameters)


def test_names_may_hold_colons_and_blanks() -> None:
    (device,) = parse_status("a: b:c: 0 9 zero ")
    assert device.name == "a: b:c"


def test_lines_of_one_device_belong_together() -> None:
    (device,) = parse_table("joined: 0 8 linear 7:3 0\njoined: 8 4088 linear 7:2 8\n")
    assert [str(line) for line in device.lines] == ["0 8 linear 7:3 0", "8 4088 linear 7:2 8"]


def test_a_device_without_a_table_has_no_lines() -> None:
    assert parse_status("fresh: \n") == (DeviceStatus("fresh", ()),)


@pytest.mark.parametrize("text", ["", "\n", "No devices found\n"])
def test_no_devices(text: str) -> None:
    assert parse_status(text) == ()
    assert parse_table(text) == ()


@pytest.mark.parametrize(
    "text",
    ["snapshot", "0 snapshot 1/2 3", "-1 9 linear 7:1 0", "live-rw: 0 4194304\n", "x" * 70_000],
)
def test_what_dmsetup_never_prints_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="Line 1 of dmsetup's answer"):
        parse_status(text)


def test_a_name_cannot_reach_the_terminal() -> None:
    (device,) = parse_status("\x1b[31mred: 0 9 zero \n")
    assert device.name == r"\x1b[31mred"


@pytest.mark.parametrize(
    "line",
    [
        "0 4194304 snapshot 3784/131072 24",
        "0 4194304 snapshot Overflow",
        "0 32768 mirror 2 7:0 7:2 26/32 1 AA 1 core",
        "0 4194304 linear ",
    ],
)
def test_status_is_written_as_the_kernel_writes_it(line: str) -> None:
    (device,) = parse_status(line)
    assert [str(each) for each in device.lines] == [line]
