"""The stick lane itself: the stick boots as a person's does, and the harness does what it says."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from kernel import Boot
from stick import LIVE, NO_OVERLAY, OVERLAY, SECOND_STICK, Stick


def test_the_root_is_a_snapshot_whose_store_is_the_sticks_overlay(looked_at: Stick) -> None:
    table = looked_at.run("dmsetup table live-rw").stdout.strip()
    status = looked_at.run("dmsetup status live-rw").stdout.strip()

    assert re.fullmatch(r"0 4194304 snapshot 7:\d+ 7:\d+ PO 8", table)
    assert re.fullmatch(r"0 4194304 snapshot \d+/131072 \d+", status)
    assert looked_at.run("findmnt -n -o SOURCE /").stdout.strip() == "/dev/mapper/live-rw"


def test_the_sticks_files_are_below_the_loop_devices(looked_at: Stick) -> None:
    devices = json.loads(looked_at.run("losetup --json --list").stdout)["loopdevices"]

    names = {Path(device["back-file"]).name for device in devices}
    assert names == {"squashfs.img", "rootfs.img", OVERLAY, "home.img"}


def test_home_img_is_mounted(looked_at: Stick) -> None:
    assert looked_at.read("/home/liveuser/notes.txt") == "kept on the stick\n"


def test_without_its_overlay_the_stick_boots_and_the_overlay_lies_on_it(boot: Boot) -> None:
    stick = boot(NO_OVERLAY)

    assert "/overlay" in stick.run("losetup --list --noheadings -O BACK-FILE").stdout
    assert stick.run(f"stat -c %s {LIVE}/LiveOS/{OVERLAY}").stdout == f"{64 << 20}\n"


def test_a_power_cut_keeps_what_was_synced(boot: Boot) -> None:
    stick = boot()
    stick.run("echo kept > /srv/notes/mine && sync")

    stick.kill()
    stick.boot()

    assert stick.read("/srv/notes/mine") == "kept\n"


def test_a_second_stick_comes_and_goes(looked_at: Stick) -> None:
    looked_at.attach(SECOND_STICK)
    found = looked_at.wait_until("lsblk --json -o PATH,LABEL,TRAN,RM /dev/disk/by-label/STICK2")
    looked_at.detach()

    (device,) = json.loads(found)["blockdevices"]
    assert (device["label"], device["tran"], device["rm"]) == ("STICK2", "usb", True)
    looked_at.wait_until("! test -e /dev/disk/by-label/STICK2")


def test_a_terminal_has_the_size_that_was_asked_for(looked_at: Stick) -> None:
    with looked_at.terminal("sh -c 'stty size; read line; echo got $line'") as terminal:
        terminal.wait_for(r"^25 80$")
        terminal.type("a line")
        terminal.send("Enter")

        assert terminal.wait_end() == 0
        assert terminal.lines()[:3] == ["25 80", "a line", "got a line"]


def test_liveos_tui_is_there_and_nothing_of_it_is_on_the_root(looked_at: Stick) -> None:
    looked_at.install()

    version = looked_at.run("/run/liveos/liveos-tui --version", timeout=120).stdout
    assert "liveos-tui" in version
    assert looked_at.run("findmnt -n -o FSTYPE -T /run/liveos").stdout == "tmpfs\n"


@pytest.fixture(scope="module")
def lsblk(looked_at: Stick) -> list[dict[str, Any]]:
    columns = "NAME,PATH,TYPE,FSTYPE,LABEL,UUID,SIZE,RO,RM,MODEL,TRAN,MOUNTPOINTS"
    tree = json.loads(looked_at.run(f"lsblk --json --bytes --list -o {columns}").stdout)
    devices: list[dict[str, Any]] = tree["blockdevices"]
    return devices


def test_the_stick_is_found_by_its_label(lsblk: list[dict[str, Any]]) -> None:
    (disk,) = [device for device in lsblk if device["label"] == "LIVE"]

    assert (disk["fstype"], disk["uuid"]) == ("vfat", "12AB-CDEF")
    assert disk["mountpoints"] == [str(LIVE)]
