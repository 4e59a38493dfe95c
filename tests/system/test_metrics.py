"""The figures of the bundle, which has no psutil, against psutil's own."""

import os
from pathlib import Path

import psutil
import pytest

from liveos_tui.system import proc_metrics

MEMINFO = """\
MemTotal:        2031300 kB
MemFree:          145320 kB
MemAvailable:    1523004 kB
Buffers:           52304 kB
Cached:          1404616 kB
Active:           912344 kB
Inactive:         702112 kB
Shmem:              1184 kB
HugePages_Total:       0
"""


@pytest.mark.parametrize("place", ["/", "/proc", "/dev/shm"])
def test_a_file_system_has_the_same_figures(place: str) -> None:
    # Others may write to it between the two questions.
    for _ in range(20):
        before = psutil.disk_usage(place)
        found = proc_metrics.disk_usage(place)
        if before == psutil.disk_usage(place):
            assert found == (before.total, before.used, before.free)
            return
    raise AssertionError(f"{place} does not stand still long enough to be asked")


def test_blocks_that_are_kept_for_root_are_not_left_for_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = os.statvfs_result((4096, 1024, 1000, 300, 250, 0, 0, 0, 0, 255))
    monkeypatch.setattr(os, "statvfs", lambda _: kept)

    assert proc_metrics.disk_usage("/") == (1000 * 1024, 700 * 1024, 250 * 1024)
    assert proc_metrics.disk_usage("/") == psutil.disk_usage("/")[:3]


def test_memory_has_the_same_figure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO)
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    found = proc_metrics.virtual_memory(tmp_path / "meminfo").available

    assert found == psutil.virtual_memory().available == 1523004 << 10


def test_memory_of_a_container_is_what_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text(MEMINFO.replace("1523004", "9523004"))
    monkeypatch.setattr(psutil, "PROCFS_PATH", str(tmp_path))
    found = proc_metrics.virtual_memory(tmp_path / "meminfo").available

    assert found == psutil.virtual_memory().available == 145320 << 10


def test_the_memory_of_this_machine() -> None:
    here = psutil.virtual_memory()

    assert 0 < proc_metrics.virtual_memory().available <= here.total
