"""`status --json` on a real stick, against the kernel, `df` and `ls` of the same moment."""

import json

import pytest
from kernel import PROGRAM, Boot, moment, snapshot_sectors
from stick import LIVE, NO_OVERLAY, OVERLAY, Stick


@pytest.fixture(scope="module")
def stick(looked_at: Stick) -> Stick:
    looked_at.install()
    # Once before: reading the system's Python for the first time notes access times on the root.
    looked_at.run(f"{PROGRAM} status; sync", check=False, timeout=180)
    return looked_at


def test_the_overlay_agrees_with_the_kernel_to_the_sector(stick: Stick) -> None:
    now = moment(stick)
    overlay = now.status["overlay"]

    sectors = snapshot_sectors(now.dmsetup["live-rw"])
    assert [overlay[key] for key in ("used_bytes", "total_bytes", "metadata_bytes")] == [
        sector * 512 for sector in sectors
    ]
    assert overlay["total_bytes"] == now.sizes[OVERLAY]
    assert (overlay["state"], overlay["table"], overlay["in_use"]) == ("ok", "PO", True)
    assert overlay["path"] == f"LiveOS/{OVERLAY}"
    assert now.exit_code == 0


def test_root_home_and_stick_agree_with_df(stick: Stick) -> None:
    now = moment(stick)

    for name, mount_point in (("root", "/"), ("home", "/home"), ("host", str(LIVE))):
        figures = now.status[name]
        assert (figures["total_bytes"], figures["used_bytes"]) == now.df[mount_point][:2], name
    assert now.status["host"]["free_bytes"] == now.df[str(LIVE)][2]
    assert now.status["home"]["state"] == "mounted"
    assert now.status["home"]["path"] == "LiveOS/home.img"


def test_the_stick_is_named(stick: Stick) -> None:
    now = moment(stick)
    target = now.status["target"]

    assert (target["kind"], target["label"], target["uuid"]) == ("live", "LIVE", "12AB-CDEF")
    assert (target["filesystem"], target["writable"]) == ("vfat", True)
    assert now.status["layout"] == {
        "kind": "snapshot",
        "image": "LiveOS/squashfs.img",
        "image_format": "squashfs",
        "base": "LiveOS/rootfs.img",
    }


def test_the_figures_follow_what_is_written(stick: Stick) -> None:
    before = moment(stick).status["overlay"]["used_bytes"]
    stick.run("dd if=/dev/urandom of=/root/new bs=1M count=4 conv=fsync && sync")
    now = moment(stick)

    used = now.status["overlay"]["used_bytes"]
    assert used == snapshot_sectors(now.dmsetup["live-rw"])[0] * 512
    assert used >= before + (4 << 20)


def test_without_root_the_stores_own_figures_are_the_kernels(stick: Stick) -> None:
    stick.run("sync")
    now = moment(stick, user="liveuser")

    overlay = now.status["overlay"]
    sectors = snapshot_sectors(now.dmsetup["live-rw"])
    assert overlay["used_bytes"] == sectors[0] * 512
    assert overlay["metadata_bytes"] == sectors[2] * 512
    assert overlay["table"] is None
    assert [finding["code"] for finding in now.status["findings"]] == ["not-root"]


def test_home_that_is_not_mounted_is_read_from_its_superblock(stick: Stick) -> None:
    mounted = moment(stick).df["/home"]
    stick.run("systemctl stop home.mount")
    try:
        home = json.loads(stick.run(f"{PROGRAM} status --json", timeout=120).stdout)["home"]
    finally:
        stick.run("systemctl start home.mount")

    assert home["state"] == "not mounted"
    assert (home["total_bytes"], home["used_bytes"]) == mounted[:2]


def test_a_home_that_is_encrypted_is_locked(stick: Stick) -> None:
    home = f"{LIVE}/LiveOS/home.img"
    stick.run(f"systemctl stop home.mount && mv {home} {home}.kept && truncate -s 32M {home}")
    try:
        stick.run(
            "cryptsetup luksFormat --batch-mode --pbkdf pbkdf2 --pbkdf-force-iterations 1000 "
            f"{home} -",
            stdin=b"secret",
            timeout=120,
        )
        found = json.loads(stick.run(f"{PROGRAM} status --json", timeout=120).stdout)["home"]
    finally:
        stick.run(f"mv {home}.kept {home} && systemctl start home.mount")

    assert (found["state"], found["used_bytes"]) == ("locked", None)


def test_a_dead_stick_is_told_within_seconds(stick: Stick) -> None:
    """A device that answers to nothing: every read of it waits for ever."""
    stick.attach(name="dead")
    try:
        stick.wait_until("test -b /dev/sda")
        stick.run(
            'dmsetup create dead --table "0 $(blockdev --getsz /dev/sda) linear /dev/sda 0" && '
            "mkdir -p /run/dead && mount -o ro /dev/mapper/dead /run/dead"
        )
        well = stick.run(f"{PROGRAM} status /run/dead", check=False, timeout=120)
        stick.run("dmsetup suspend dead && echo 3 > /proc/sys/vm/drop_caches")
        dead = stick.run(f"timeout 60 {PROGRAM} status /run/dead", check=False, timeout=120)
    finally:
        stick.run("dmsetup resume dead; umount /run/dead; dmsetup remove --retry dead", check=False)
        stick.detach("dead")

    assert "STICK2" in well.stdout
    assert dead.returncode == 20
    assert "does not answer" in dead.stdout + dead.stderr
    assert "Traceback" not in dead.stderr


def test_no_overlay_at_this_boot_while_one_lies_on_the_stick(boot: Boot) -> None:
    stick = boot(NO_OVERLAY)
    stick.install()
    now = moment(stick)

    overlay, unused = now.status["overlay"], now.status["unused_overlay"]
    assert (overlay["kind"], overlay["persistent"]) == ("memory", False)
    assert overlay["used_bytes"] == snapshot_sectors(now.dmsetup["live-rw"])[0] * 512
    assert unused["path"] == f"LiveOS/{OVERLAY}"
    assert (unused["in_use"], unused["total_bytes"]) == (False, now.sizes[OVERLAY])
    assert "unused-overlay" in [finding["code"] for finding in now.status["findings"]]

    # Nothing on the stick is written at this boot: it can be as an older dracut mounts it.
    stick.run(f"systemctl stop home.mount && mount -o remount,ro {LIVE}")
    status = json.loads(stick.run(f"{PROGRAM} status --json", timeout=120).stdout)
    assert status["target"]["writable"] is False
    assert "stick-read-only" in [finding["code"] for finding in status["findings"]]
