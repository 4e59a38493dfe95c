"""The mirror of the user-space device-mapper behaves as the kernel's does."""

import os
from pathlib import Path

import pytest

from liveos_tui.formats.mirror_status import mirror_table
from liveos_tui.practice.devicemapper import (
    DeviceMapperError,
    UserSpaceDeviceMapper,
    device_word,
)
from liveos_tui.practice.files import BlockFile, BlockIoError
from liveos_tui.practice.mirror import Mirror

SECTORS = 2000
REGION_SECTORS = 256


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "the source"
    path.write_bytes(b"".join(number.to_bytes(4, "big") * 128 for number in range(SECTORS)))
    return path


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "target"
    path.write_bytes(bytes(SECTORS * 512))
    return path


def table(source: Path, target: Path, region_sectors: int = REGION_SECTORS) -> str:
    return mirror_table(SECTORS, device_word(source), device_word(target), region_sectors)


def status(mapper: UserSpaceDeviceMapper) -> str:
    (device,) = mapper.status()
    return str(device.lines[0])


def test_it_copies_a_region_at_least_each_time(source: Path, target: Path) -> None:
    words = f"2 {device_word(source)} {device_word(target)}"
    with UserSpaceDeviceMapper() as mapper:
        mapper.create("copy", table(source, target), read_only=True)
        assert status(mapper) == f"0 {SECTORS} mirror {words} 0/8 1 AA 1 core"
        mapper.copy("copy", 0.0)
        assert status(mapper) == f"0 {SECTORS} mirror {words} 1/8 1 AA 1 core"
        assert target.read_bytes()[: REGION_SECTORS * 512] == source.read_bytes()[: 256 * 512]
        assert not any(target.read_bytes()[REGION_SECTORS * 512 :])
        mapper.copy("copy", 60.0)
        assert status(mapper) == f"0 {SECTORS} mirror {words} 8/8 1 AA 1 core"
        mapper.copy("copy", 60.0)
    assert target.read_bytes() == source.read_bytes()


def test_its_table_is_told_as_it_was_loaded(source: Path, target: Path) -> None:
    with UserSpaceDeviceMapper() as mapper:
        mapper.create("copy", table(source, target), read_only=True)
        (device,) = mapper.table()
    assert str(device.lines[0]) == table(source, target)


def test_it_is_read_as_its_source_and_writes_both(source: Path, target: Path) -> None:
    with UserSpaceDeviceMapper() as mapper:
        mapper.create("copy", table(source, target))
        assert mapper.read("copy", 512, 4) == (1).to_bytes(4, "big")
        mapper.write("copy", 512, b"both" * 128)
        mapper.copy("copy", 60.0)
    assert target.read_bytes() == source.read_bytes()
    assert source.read_bytes()[512:516] == b"both"


def test_a_read_only_mirror_copies_and_takes_no_writes(source: Path, target: Path) -> None:
    source.chmod(0o400)
    with UserSpaceDeviceMapper() as mapper:
        mapper.create("copy", table(source, target), read_only=True)
        with pytest.raises(BlockIoError, match="read-only"):
            mapper.write("copy", 0, bytes(512))
        mapper.copy("copy", 60.0)
    assert target.read_bytes() == source.read_bytes()


@pytest.mark.parametrize(("cut", "health"), [("source", "SA"), ("target", "AS")])
def test_a_region_that_cannot_be_copied_is_never_counted(
    source: Path, target: Path, cut: str, health: str
) -> None:
    with UserSpaceDeviceMapper() as mapper:
        mapper.create("copy", table(source, target), read_only=True)
        os.truncate({"source": source, "target": target}[cut], 5 * REGION_SECTORS * 512)
        mapper.copy("copy", 60.0)
        assert status(mapper).endswith(f" 5/8 1 {health} 1 core")
        mapper.copy("copy", 60.0)
        assert status(mapper).endswith(f" 5/8 1 {health} 1 core")


@pytest.mark.parametrize("region_sectors", [1, 3, 4096])
def test_regions_are_a_power_of_two_and_not_larger_than_the_mirror(
    source: Path, target: Path, region_sectors: int
) -> None:
    with UserSpaceDeviceMapper() as mapper, pytest.raises(DeviceMapperError, match="regions"):
        mapper.create("copy", table(source, target, region_sectors), read_only=True)


def test_a_target_that_is_too_small_is_refused_and_free_again(source: Path, target: Path) -> None:
    os.truncate(target, SECTORS * 512 - 512)
    with UserSpaceDeviceMapper() as mapper:
        with pytest.raises(DeviceMapperError, match="smaller"):
            mapper.create("copy", table(source, target), read_only=True)
        os.truncate(target, SECTORS * 512)
        mapper.create("copy", table(source, target), read_only=True)


def test_a_mirror_is_of_bytes_of_any_number(source: Path, target: Path) -> None:
    """The last region may be shorter than the others."""
    legs = BlockFile(source, writable=False), BlockFile(target, writable=True)
    mirror = Mirror(*legs, ("a", "b"), 1000 * 512, 300 * 512)
    mirror.copy(60.0)
    mirror.sync()
    mirror.close()
    assert mirror.status.total_regions == mirror.status.in_sync_regions == 4
    assert target.read_bytes()[: 1000 * 512] == source.read_bytes()[: 1000 * 512]
    assert not any(target.read_bytes()[1000 * 512 :])
