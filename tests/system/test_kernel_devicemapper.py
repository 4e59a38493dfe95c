"""What `dmsetup` is asked; that the kernel does it is seen in the dm lane."""

from collections.abc import Callable

import pytest
from runners import says

from liveos_tui.formats.dmtable import SnapshotStatus, SnapshotTable
from liveos_tui.system.devicemapper import KernelDeviceMapper, dmsetup_words
from liveos_tui.system.runner import CommandError, Finished

TABLE = "0 4194304 snapshot 7:1 7:2 PO 8"


@pytest.mark.parametrize(
    ("action", "argv", "stdin"),
    [
        (lambda dm: dm.create("x", TABLE), ("create", "x"), TABLE),
        (
            lambda dm: dm.create("x", TABLE, read_only=True),
            ("create", "--readonly", "x"),
            TABLE,
        ),
        (lambda dm: dm.create("x"), ("create", "--notable", "x"), ""),
        (lambda dm: dm.load("x", TABLE), ("load", "x"), TABLE),
        (lambda dm: dm.suspend("x"), ("suspend", "x"), ""),
        (lambda dm: dm.resume("x"), ("resume", "x"), ""),
        (lambda dm: dm.remove("x"), ("remove", "--retry", "x"), ""),
    ],
)
def test_what_dmsetup_is_asked(
    action: Callable[[KernelDeviceMapper], None], argv: tuple[str, ...], stdin: str
) -> None:
    runner = says()
    action(KernelDeviceMapper(runner))

    assert (runner.asked, runner.inputs) == ([("dmsetup", *argv)], [stdin.encode()])


def test_looking_does_not_flush_the_overlay() -> None:
    runner = says(b"live-rw: 0 4194304 snapshot 3784/131072 24\n")
    (status,) = KernelDeviceMapper(runner).status()

    assert runner.asked[0] == ("dmsetup", "status", "--noflush")
    assert status.lines[0].status == SnapshotStatus(3784, 131072, 24)


def test_the_table_of_every_device() -> None:
    runner = says(f"live-rw: {TABLE}\n".encode())
    (device,) = KernelDeviceMapper(runner).table()

    assert device.lines[0].table == SnapshotTable("7:1", "7:2", "PO", 8)


@pytest.mark.parametrize(
    ("stderr", "words"),
    [
        (
            b"device-mapper: reload ioctl on it failed: Invalid argument\nCommand failed.\n",
            "device-mapper: reload ioctl on it failed: Invalid argument",
        ),
        (b"Device it not found\n", "Device it not found"),
        (b"Command failed.\n", "it ended with 1"),
        (b"", "it ended with 1"),
    ],
)
def test_why_it_failed_is_not_that_it_failed(stderr: bytes, words: str) -> None:
    finished = Finished(("dmsetup",), 1, b"", stderr)
    assert dmsetup_words(CommandError("it ended with 1", finished)) == words
