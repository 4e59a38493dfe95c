"""Why snapshots died, in the logs of a real kernel (tests/data/kernel-log)."""

from pathlib import Path

import pytest

from liveos_tui.formats.kernel_log import (
    Death,
    KernelEvent,
    KernelLine,
    parse_kernel_log,
    why_it_died,
)

DATA = Path(__file__).parents[1] / "data" / "kernel-log"
STORE = {"dm-0", "loop1"}


def log(name: str) -> bytes:
    return (DATA / f"{name}.dmesg").read_bytes()


def death(name: str, devices: set[str]) -> Death:
    found = why_it_died(parse_kernel_log(log(name)), devices)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("name", "event", "out_of_room"),
    [
        ("p-full", KernelEvent.NO_ROOM, True),
        ("po-full", KernelEvent.OVERFLOW, True),
        ("po-area-boundary", KernelEvent.IO_ERROR, True),
        ("po-sparse-host-full", KernelEvent.IO_ERROR, False),
        ("po-io-error", KernelEvent.IO_ERROR, False),
    ],
)
def test_the_cause_of_a_death(name: str, event: KernelEvent, out_of_room: bool) -> None:
    found = death(name, {"dm-0", "dm-1", "loop1"})
    assert (found.event, found.out_of_room, found.certain) == (event, out_of_room, True)


def test_a_store_that_is_invalid_when_loaded_died_in_another_boot() -> None:
    lines = parse_kernel_log(log("invalid-loaded"))
    assert [line.event for line in lines] == [KernelEvent.MARKED_INVALID]
    assert why_it_died(lines, STORE) is None


def test_the_next_metadata_area_behind_the_end_is_told_of_the_loop_device() -> None:
    found = death("po-area-boundary", STORE)
    assert KernelEvent.BEYOND_END in {cause.event for cause in found.causes}
    assert {cause.device for cause in found.causes if cause.event == KernelEvent.BEYOND_END} == {
        "loop1"
    }


def test_writes_that_the_host_refused_are_told_of_the_loop_device() -> None:
    writes = [cause for cause in death("po-sparse-host-full", STORE).causes if cause.writing]
    assert {cause.device for cause in writes} == {"loop1", None}


def test_of_several_deaths_the_one_beside_the_own_devices_counts() -> None:
    other = log("po-io-error")
    lines = parse_kernel_log(log("p-full") + other)
    assert why_it_died(lines, {"dm-0"}) == death("p-full", {"dm-0"})
    assert why_it_died(lines, {"dm-1"}) is not None
    assert why_it_died(lines, {"dm-1"}).event is KernelEvent.IO_ERROR  # type: ignore[union-attr]


def test_which_of_several_deaths_it_was_is_uncertain_without_a_device_beside_it() -> None:
    lines = parse_kernel_log(log("p-full") + log("po-io-error"))
    found = why_it_died(lines, {"dm-7"})
    assert found is not None
    assert not found.certain


def test_deaths_of_one_kind_are_certain_whatever_device_is_named() -> None:
    found = why_it_died(parse_kernel_log(log("po-full") * 2), set())
    assert found is not None
    assert (found.event, found.certain) == (KernelEvent.OVERFLOW, True)


@pytest.mark.parametrize(
    "line",
    [
        b"[ 1.857752] device-mapper: snapshots: Snapshot overflowed: Unable to allocate exception.",
        b"<3>[ 12.857752] device-mapper: snapshots: Snapshot overflowed: Unable to allocate excep",
        b"Jul 29 10:00:01 live kernel: device-mapper: snapshots: Snapshot overflowed: Unable to "
        b"allocate exception.",
        b"[Thu Jul  7 14:50:47 2022] device-mapper: snapshots: Snapshot overflowed: Unable to "
        b"allocate exception.",
    ],
)
def test_lines_as_dmesg_and_the_journal_print_them(line: bytes) -> None:
    events = [each.event for each in parse_kernel_log(line)]
    assert events == ([KernelEvent.OVERFLOW] if line.endswith(b"exception.") else [])


@pytest.mark.parametrize(
    ("line", "device", "writing"),
    [
        # linux 3.10, 5.10, 6.1
        (b"[1.000000] end_request: I/O error, dev sdb, sector 2048", "sdb", None),
        (
            b"blk_update_request: I/O error, dev sdb, sector 2048 op 0x0:(READ) flags 0x80700",
            "sdb",
            False,
        ),
        (b"I/O error, dev loop1, sector 16 op 0x1:(WRITE) flags 0x800 phys_seg 1", "loop1", True),
        (b"critical medium error, dev sdc, sector 9 op 0x0:(READ) flags 0x0", "sdc", False),
        (b"Buffer I/O error on dev dm-3, logical block 655344, async page read", "dm-3", None),
        (b"Buffer I/O error on dev sdb1, logical block 1, lost async page write", "sdb1", True),
    ],
)
def test_errors_of_devices(line: bytes, device: str, writing: bool | None) -> None:
    (found,) = parse_kernel_log(line)
    assert (found.event, found.device, found.writing) == (
        KernelEvent.DEVICE_ERROR,
        device,
        writing,
    )


def test_seconds_are_since_the_boot() -> None:
    assert parse_kernel_log(log("po-full"))[0].seconds == 12.857752


def test_what_a_line_says_cannot_reach_the_terminal() -> None:
    (found,) = parse_kernel_log(b"\x1b[2J I/O error, dev sdb, sector 1\x9b")
    assert found.text == r"\x1b[2J I/O error, dev sdb, sector 1\x9b"


def test_a_log_that_tells_nothing() -> None:
    assert parse_kernel_log(b"[    0.000000] Linux version 6.1.0\n\n") == ()
    assert why_it_died((), STORE) is None


def test_a_flood_is_kept_to_its_end() -> None:
    flood = b"".join(b"I/O error, dev sdb, sector %d op 0x0:(READ)\n" % n for n in range(5000))
    lines = parse_kernel_log(flood)
    assert len(lines) == 2000
    assert lines[-1] == KernelLine(
        KernelEvent.DEVICE_ERROR,
        "I/O error, dev sdb, sector 4999 op 0x0:(READ)",
        "sdb",
        None,
        False,
    )
