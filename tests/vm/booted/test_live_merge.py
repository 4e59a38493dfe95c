"""The running root of a booted stick is frozen and switched, under a program that writes to it.

First by the functions of the system layer alone, and a squashfs that is made by hand; then by the
program.
"""

import re
from pathlib import Path

import numbered
import pytest
import records
from kernel import PROGRAM, Boot, snapshot_sectors, told
from laboratory import Laboratory
from live_cuts import OLD_MIB, WORKS, LiveMerge, newest
from numbered import NumberedWriter
from rescue import OWN, examine, lost, writing
from stick import LIVE, NO_OVERLAY, OVERLAY, PERSISTENT, Stick
from writelog import first_gap

PYTHON = (
    "PYTHONDONTWRITEBYTECODE=1 PYTHONPATH=/run/liveos/code:/run/liveos/lib python3 /run/driver.py"
)
SCRATCH_BYTES = 128 << 20

_DRIVER = f"""
import os, subprocess, sys
from pathlib import Path
from liveos_tui.system.dm_control import DmControl
from liveos_tui.system.frozen_view import FrozenView
from liveos_tui.system.root_base import new_base
from liveos_tui.system.root_devices import root_names
from liveos_tui.system.root_freeze import freeze, thaw
from liveos_tui.system.root_switch import finish, switch
from liveos_tui.system.runner import SystemRunner
from liveos_tui.system.stick_writing import StickFolder

runner, control, names = SystemRunner(), DmControl(), root_names("live-rw", "by-hand")
live, stick = Path("{LIVE}/LiveOS"), Path("{LIVE}")

def do_freeze():
    print("pause", freeze(control, runner, names, {SCRATCH_BYTES}))

def do_signal():
    def instant(name):
        if name == sys.argv[2]:
            os.kill(os.getpid(), int(sys.argv[3]))
    freeze(control, runner, names, {SCRATCH_BYTES}, instant=instant, seconds=3)

def do_image():
    with FrozenView(control, names) as view:
        argv = ["mksquashfs", "/run/empty", str(live / "squashfs.alt"), "-noappend",
                "-exit-on-error", "-comp", "zstd", "-Xcompression-level", "1", "-no-progress",
                "-p", "LiveOS d 755 0 0",
                "-p", f"LiveOS/rootfs.img f 644 0 0 dd if={{view.path}} bs=1M status=none"]
        Path("/run/empty").mkdir(exist_ok=True)
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        print("fill", view.fill())
    with StickFolder(stick) as folder:
        with folder.edit("LiveOS/squashfs.alt") as image:
            image.sync()
        folder.exchange("LiveOS/squashfs.img", "LiveOS/squashfs.alt")

def do_switch():
    with open(live / "overlay.alt", "xb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
        file.flush()
        os.fsync(file.fileno())
    with new_base(runner, "by-hand", live / "squashfs.img", "LiveOS/rootfs.img") as base:
        print(switch(control, runner, names, base, live, "{OVERLAY}", "overlay.alt",
                     {SCRATCH_BYTES}))
    print(finish(control, runner, names, live / "squashfs.alt"))

def do_thaw():
    print("pause", thaw(control, names))

globals()["do_" + sys.argv[1]]()
"""


def drive(stick: Stick, what: str, scratch_bytes: int = SCRATCH_BYTES) -> str:
    """Do a step of the merge in the booted system; what it said."""
    driver = _DRIVER.replace(str(SCRATCH_BYTES), str(scratch_bytes))
    stick.run("cat > /run/driver.py", stdin=driver.encode())
    said = stick.run(f"{PYTHON} {what}", check=False, timeout=WORKS)
    assert said.returncode == 0, said.stdout + said.stderr
    print(what, said.stdout.strip())
    return said.stdout


def expect_one_overlay(stick: Stick) -> None:
    """The tables are as dracut makes them, and nothing else is left."""
    tables = stick.run("dmsetup table").stdout
    assert re.search(r"^live-rw: 0 \d+ snapshot 7:\d+ 7:\d+ PO 8$", tables, re.MULTILINE)
    assert tables.count("\n") == 2, "live-rw and live-base"
    (origin,) = re.findall(r"live-rw: 0 \d+ snapshot (7:\d+)", tables)
    assert f"linear {origin} 0" in tables, "live-base is the base in use"
    assert "liveos-tui" not in stick.run("cat /proc/self/mountinfo; losetup --list").stdout


@pytest.fixture
def stick(boot: Boot) -> Stick:
    booted = boot()
    booted.install()
    return booted


@pytest.mark.thorough
def test_a_root_that_runs_is_switched_and_every_file_is_kept(stick: Stick) -> None:
    stick.run("dd if=/dev/urandom of=/srv/old bs=1M count=20 conv=fsync")
    with writing(stick) as files:
        drive(stick, "freeze")
        drive(stick, "image")
        real = stick.run("sync; dmsetup status liveos-tui-by-hand-real").stdout
        before, _, _ = snapshot_sectors(real)
        drive(stick, "switch")
        stick.run("sleep 2")
    expect_one_overlay(stick)
    loops = stick.run("losetup --list -n -O BACK-FILE").stdout.split()
    assert sum("squashfs" in name for name in loops) == 1, loops
    allocated, total, _ = snapshot_sectors(stick.run("dmsetup status live-rw").stdout)
    assert total == 64 << 11
    assert allocated < before - (16 << 11), "what was there before the freeze is in the image"
    assert len(files) > 50
    stick.run("sync; echo 3 > /proc/sys/vm/drop_caches")
    assert lost(stick, files) == []
    stick.run("echo after > /root/after; sync -f /root/after")

    stick.kill()
    stick.boot(PERSISTENT)

    assert lost(stick, files) == []
    assert stick.read("/root/after") == "after\n"
    assert snapshot_sectors(stick.run("dmsetup status live-rw").stdout)[0] < before
    stick.reboot(NO_OVERLAY)
    kept = {name.removeprefix("/"): known for name, known in files.items()}
    found = examine(stick, OWN, kept)
    assert (found.fsck, found.lost) == (0, ())


@pytest.mark.thorough
def test_a_frozen_root_is_thawed_without_a_reboot(stick: Stick) -> None:
    before = stick.run("dmsetup table live-rw").stdout
    with writing(stick) as files:
        drive(stick, "freeze")
        stick.run("sleep 2")
        drive(stick, "thaw")
        stick.run("sleep 1")
    assert stick.run("dmsetup table live-rw").stdout == before
    expect_one_overlay(stick)
    stick.run("sync; echo 3 > /proc/sys/vm/drop_caches")
    assert lost(stick, files) == []

    stick.kill()
    stick.boot(PERSISTENT)

    assert lost(stick, files) == []


def test_a_scratch_store_that_fills_is_not_noticed_by_the_running_system(stick: Stick) -> None:
    with writing(stick) as files:
        drive(stick, "freeze", 1 << 20)
        stick.run("dd if=/dev/urandom of=/srv/much bs=1M count=8 conv=fsync")
        assert "Invalid" in stick.run("dmsetup status liveos-tui-by-hand-frozen").stdout
        drive(stick, "thaw")
        stick.run("sleep 1")
    expect_one_overlay(stick)
    stick.run("sync; echo 3 > /proc/sys/vm/drop_caches")
    assert lost(stick, files) == []


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("instant", "signal"), [("suspended", "KILL"), ("handed over", "KILL"), ("suspended", "STOP")]
)
def test_the_running_system_goes_on_when_the_process_that_holds_it_does_not(
    stick: Stick, instant: str, signal: str
) -> None:
    """Killed, or stopped until the watchdog's patience is at its end."""
    before = stick.run("dmsetup table live-rw").stdout
    stick.run("cat > /run/driver.py", stdin=_DRIVER.encode())
    with writing(stick) as files:
        killed = f"{PYTHON} signal '{instant}' $(kill -l {signal}); echo $?"
        assert stick.run(killed, timeout=120).stdout == "137\n"
        stick.run("echo alive > /root/alive; sync -f /root/alive")
        drive(stick, "thaw")
    assert stick.run("dmsetup table live-rw").stdout == before
    expect_one_overlay(stick)
    assert lost(stick, files) == []


def test_the_running_system_is_merged_and_every_file_is_kept(live_merge: LiveMerge) -> None:
    """The whole job, as a person orders it; ssh was dropped in the middle."""
    stick, everything = live_merge.stick, [line.words for line in live_merge.recording.lines]
    stick.resume()
    job = newest(stick)
    assert job is not None
    expect_one_overlay(stick)
    used, total, _ = snapshot_sectors(stick.run("dmsetup status live-rw").stdout)
    # What the writer has written since is there, too: the faster the machine, the more.
    moved = (OLD_MIB << 11) // 2
    assert used < live_merge.before_sectors - moved, "that is in the image now"
    assert numbered.lost(stick, everything) == []
    listed = stick.run(f"ls {LIVE}/LiveOS").stdout.split()
    assert {"squashfs.alt", "squashfs.img", OVERLAY, f"{OVERLAY}.alt"} <= set(listed)
    stick.run("echo after > /root/after; sync -f /root/after")

    stick.kill()
    stick.boot(PERSISTENT)
    assert numbered.lost(stick, everything) == []
    assert stick.read("/root/after") == "after\n"

    stick.install()
    stick.run(f"{PROGRAM} jobs forget {job['id']} --yes", timeout=WORKS)
    listed = stick.run(f"ls {LIVE}/LiveOS").stdout.split()
    assert sorted(listed) == sorted(["home.img", OVERLAY, "squashfs.img"])

    stick.reboot(NO_OVERLAY)
    found = examine(stick, OWN, {})
    assert found.fsck == 0, "e2fsck -f -n finds nothing"
    kept, size, _ = snapshot_sectors(found.status)
    assert size == total
    assert kept < live_merge.before_sectors - moved


def test_a_merge_that_is_cancelled_leaves_one_overlay_and_every_file(stick: Stick) -> None:
    with writing(stick) as files:
        for event in told(stick, "merge --yes --json"):
            if (event.get("step"), event.get("state")) == (3, "running"):
                job = newest(stick)
                assert job is not None
                stick.run(f"{PROGRAM} jobs cancel {job['id']}", timeout=120)
        job = newest(stick)
        assert job is not None
        stick.run(f"{PROGRAM} jobs rollback {job['id']} --yes", timeout=WORKS)
    assert job["state"] == "cancelled"
    expect_one_overlay(stick)
    assert "squashfs.alt" not in stick.run(f"ls {LIVE}/LiveOS").stdout
    assert lost(stick, files) == []


@pytest.mark.thorough
@pytest.mark.parametrize("run", [1, 2, 3])
def test_no_file_is_corrupt_that_was_replaced_as_fast_as_possible(tmp_path: Path, run: int) -> None:
    """60 files, replaced over and over (write, fsync, rename), while the system is merged."""
    log = tmp_path / "writes.log"
    with Stick(tmp_path / "stick", log=log) as booted:
        recording = LiveMerge.of(booted, log, heavy=True).recording
        told_by_it = [line.words for line in recording.lines]
        booted.run("sync; echo 3 > /proc/sys/vm/drop_caches")
        assert numbered.lost(booted, told_by_it) == []
        expect_one_overlay(booted)
        booted.kill()

        # Then whatever the power leaves of it, at some moments and at the end.
        laboratory = Laboratory(tmp_path, recording)
        *_, at_the_end = recording.around_points()
        cuts = sorted([*recording.at_random(5), at_the_end], key=lambda cut: first_gap(cut.kept))
        looks = [laboratory.look(cut) for cut in cuts]
    replaced = sum(words[0] == "done" for words in told_by_it)
    print(f"run {run}: {records.count(told_by_it)} records, {replaced} files replaced: 0 corrupt")
    print(f"run {run}: {len(looks)} cuts: 0 corrupt")


@pytest.mark.thorough
def test_the_published_way_loses_files_that_are_replaced_meanwhile(stick: Stick) -> None:
    """The control: the device is copied while it is written, checked, and the overlay emptied.

    What a boot would find then is the copy alone, which a squashfs only packs.
    """
    disk = stick.folder / "empty.img"
    with disk.open("xb") as file:
        file.truncate(int(stick.run("blockdev --getsize64 /dev/mapper/live-rw").stdout))
    stick.attach(disk, "copy", virtio=True)
    copy = "/dev/disk/by-id/virtio-copy"
    stick.wait_until(f"test -b {copy}")
    stick.run(f"{PROGRAM} grow --to 256M --yes", timeout=WORKS)
    with NumberedWriter(stick, pause=0.0, per_file=1) as writer:
        stick.run(f"dd if=/dev/mapper/live-rw of={copy} bs=1M conv=fsync", timeout=WORKS)
        by_the_end_of_the_copy = writer.told
        writer.stop()
    stick.run("sync")
    fsck = stick.run(f"e2fsck -f -y {copy}", check=False, timeout=WORKS)
    stick.run(f"mkdir -p /run/by-hand && mount -o ro {copy} /run/by-hand")

    later = writer.told[len(by_the_end_of_the_copy) :]
    lost = numbered.lost(stick, by_the_end_of_the_copy, later, root="/run/by-hand")

    never = numbered.never_written(stick, writer.told, root="/run/by-hand")
    files = sum(name.startswith("file") for name in lost)
    print(
        f"e2fsck -f -y ended with {fsck.returncode}; of {records.count(by_the_end_of_the_copy)} "
        f"records {len(lost) - files} are lost, of 60 files {files} are not as they were, "
        f"{len(never)} have bytes that nobody has written: {never}"
    )
    assert lost
