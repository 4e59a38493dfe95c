"""Block devices as `lsblk --json` lists them (tests/data/lsblk)."""

import json
from pathlib import Path

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.blocklist import BlockDevice, parse_lsblk

DATA = Path(__file__).parents[1] / "data" / "lsblk"


def listed(name: str) -> dict[str, BlockDevice]:
    devices = parse_lsblk((DATA / f"{name}.json").read_text())
    return {device.name: device for device in devices}


def one(**fields: object) -> BlockDevice:
    (device,) = parse_lsblk(json.dumps({"blockdevices": [{"name": "sda", **fields}]}))
    return device


def test_a_captured_list() -> None:
    found = listed("2.38-loop")
    assert list(found) == ["loop0", "zram0", "vda"]
    assert found["loop0"] == BlockDevice(
        name="loop0",
        path="/dev/loop0",
        device="7:0",
        kind="loop",
        size_bytes=16777216,
        read_only=True,
        removable=False,
        hotplug=False,
        mount_points=("/mnt/two", "/mnt/one place"),
    )


def test_a_partition_of_a_stick() -> None:
    assert listed("stick")["sda1"] == BlockDevice(
        name="sda1",
        path="/dev/sda1",
        device="8:1",
        kind="part",
        filesystem="vfat",
        label="LIVE",
        uuid="12AB-CDEF",
        size_bytes=8014266368,
        read_only=False,
        removable=True,
        hotplug=True,
        mount_points=("/run/initramfs/live",),
        parents=("sda",),
    )


def test_a_disk_has_a_model_and_a_transport() -> None:
    disk = listed("stick")["sda"]
    assert (disk.model, disk.transport, disk.parent) == ("Cruzer Blade", "usb", None)


def test_a_device_on_two_others_is_listed_once_with_both() -> None:
    found = listed("stick")
    assert list(found) == ["sda", "sda1", "loop1", "dm-0", "loop2"]
    assert found["dm-0"].path == "/dev/mapper/live-rw"
    assert found["dm-0"].parents == ("loop1", "loop2")


def test_an_old_lsblk() -> None:
    found = listed("2.29")
    assert found["sda1"] == BlockDevice(
        name="sda1",
        path="/dev/sda1",
        device="8:1",
        kind="part",
        filesystem="vfat",
        size_bytes=8014266368,
        read_only=False,
        removable=True,
        hotplug=True,
        mount_points=("/mnt/live",),
        parents=("sda",),
    )


def test_swap_space_is_mounted_nowhere() -> None:
    assert listed("2.29")["sda2"].mount_points == ()


def test_the_nesting_tells_the_parent_where_the_column_is_missing() -> None:
    rows = [{"name": "sda", "children": [{"name": "sda1"}]}]
    assert parse_lsblk(json.dumps({"blockdevices": rows}))[1].parent == "sda"


def test_missing_columns_are_not_known() -> None:
    assert one() == BlockDevice(name="sda", path="/dev/sda")


@pytest.mark.parametrize("size", [-1, 1.5, True, "x", "-1", "9" * 400, 2**64, None, []])
def test_a_size_that_is_none_is_not_known(size: object) -> None:
    assert one(size=size).size_bytes is None


def test_labels_are_clean_and_paths_are_raw() -> None:
    device = one(label="a\x1b[2Jb", mountpoints=["/mnt/a\x1bb", None, 7, "/mnt/\0"])
    assert device.label == r"a\x1b[2Jb"
    assert device.mount_points == ("/mnt/a\x1bb",)


@pytest.mark.parametrize(
    "text",
    ["", "not json", "[]", "{}", '{"blockdevices": null}', "[" * 100_000, '{"blockdevices": {}}'],
)
def test_what_is_no_list_of_devices_is_refused(text: str) -> None:
    with pytest.raises(FormatError, match="list of block devices"):
        parse_lsblk(text)


def test_rows_that_are_no_devices_are_left_out() -> None:
    rows = [7, None, {}, {"name": None}, {"name": "sda", "children": [3, {"size": 1}]}]
    assert [d.name for d in parse_lsblk(json.dumps({"blockdevices": rows}))] == ["sda"]
