"""Merge an attached stick: what was in its overlay is in the new image, which the kernel mounts.

Nothing of it is judged by the program itself, as in `test_rescue`.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kernel import PROGRAM, Boot, told
from machine import wait_for
from rescue import SECOND, Files, examine, joined, second_mounted
from states import copy_sparse
from stick import LIVE, Stick

WORKS = 400
RAW = "LiveOS/rootfs.img"


def mtools(image: Path, *argv: object) -> None:
    command, *rest = map(str, argv)
    subprocess.run([command, "-i", str(image), *rest], check=True, capture_output=True)


def used_second(stick: Stick, folder: Path) -> tuple[Path, Files]:
    """The second stick, its overlay used and let go of cleanly; what was written."""
    stick.attach()
    with second_mounted(stick):
        stick.run(f"dd if=/dev/zero of={SECOND.store} bs=512 count=1 conv=notrunc,fsync")
        files = written(stick)
    image = copy_sparse(stick.attached(), folder / "used.img")
    stick.detach()
    return image, files


def written(stick: Stick) -> Files:
    """Write files through the overlay until about a third of it is used."""
    with joined(stick, SECOND) as device:
        stick.run(f"mkdir -p /run/by-hand && mount {device} /run/by-hand")
        stick.run(
            "cd /run/by-hand && mkdir -p etc srv && echo ID=second > etc/os-release && "
            "for n in $(seq 60); do head -c 20000 /dev/urandom > srv/$n; done && rm srv/3? && sync"
        )
        listed = stick.run("cd /run/by-hand && sha256sum srv/* etc/os-release").stdout
        stick.run("umount /run/by-hand")
    return {name: known for known, name in (line.split() for line in listed.splitlines())}


@pytest.fixture(scope="module")
def second(looked_at: Stick, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Files]:
    looked_at.install()
    return used_second(looked_at, tmp_path_factory.mktemp("second"))


@pytest.fixture
def attached(looked_at: Stick, second: tuple[Path, Files], tmp_path: Path) -> Iterator[Stick]:
    looked_at.attach(second[0])
    looked_at.wait_until("test -b /dev/sda && udevadm settle")
    yield looked_at
    looked_at.detach()


def merge_job(stick: Stick, device: str = "/dev/sda") -> str:
    listed = stick.run(f"{PROGRAM} jobs list --target {device} --json", timeout=120).stdout
    return str(next(job["id"] for job in json.loads(listed)["jobs"] if "merge" in job["id"]))


def test_all_that_was_in_the_overlay_is_in_the_new_image(
    attached: Stick, second: tuple[Path, Files]
) -> None:
    said = attached.run(f"{PROGRAM} merge /dev/sda --yes", check=False, timeout=WORKS)

    assert said.returncode == 0, said.stdout + said.stderr
    with second_mounted(attached):
        assert attached.run(f"head -c 512 {SECOND.store} | tr -d '\\0' | wc -c").stdout == "0\n"
        found = examine(attached, SECOND, second[1])
        assert attached.run("ls /run/second/LiveOS").stdout.split() == [
            "overlay-STICK2-2222-BBBB",
            "squashfs.alt",
            "squashfs.img",
        ]
    assert (found.fsck, found.lost) == (0, ())
    # Nearly nothing is in it: the two metadata chunks.
    assert found.status.split()[3].split("/")[0] == "16"
    assert "liveos-tui" not in attached.run("dmsetup ls; losetup --list; mount").stdout


@pytest.mark.thorough
def test_going_back_gives_the_exact_bytes(attached: Stick) -> None:
    command = f"sha256sum {SECOND.store} /run/second/LiveOS/squashfs.img"
    with second_mounted(attached, "/dev/sda", "-r"):
        before = attached.run(command).stdout
    attached.run(f"{PROGRAM} merge /dev/sda --yes", timeout=WORKS)

    job = merge_job(attached)
    attached.run(f"{PROGRAM} jobs rollback {job} --target /dev/sda --yes", timeout=WORKS)

    with second_mounted(attached, "/dev/sda", "-r"):
        assert attached.run(command).stdout == before
        assert "squashfs.alt" not in attached.run("ls /run/second/LiveOS").stdout


@pytest.mark.thorough
def test_a_merge_goes_on_when_ssh_is_dropped(attached: Stick, second: tuple[Path, Files]) -> None:
    ssh = subprocess.Popen(
        [*attached.ssh_command(), f"{PROGRAM} merge /dev/sda --yes --json"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert ssh.stdout is not None
    for line in ssh.stdout:
        if '"step": 2' in line:
            break
    ssh.kill()
    ssh.communicate()

    wait_for(
        lambda: "DONE" in attached.run(f"{PROGRAM} jobs list", timeout=120).stdout.split("\n")[0],
        "the merge to end by itself",
        WORKS,
    )
    with second_mounted(attached):
        found = examine(attached, SECOND, second[1])
    assert (found.fsck, found.lost) == (0, ())


def test_a_stick_whose_image_is_not_compressed_gets_such_a_one(
    looked_at: Stick, second: tuple[Path, Files], tmp_path: Path
) -> None:
    """A FAT without holes, with the root file system itself as its image."""
    squashfs, root, image = (tmp_path / name for name in ("squashfs", "root", "raw.img"))
    mtools(second[0], "mcopy", "::/LiveOS/squashfs.img", squashfs)
    mtools(second[0], "mcopy", "::/LiveOS/overlay-STICK2-2222-BBBB", tmp_path / "overlay")
    subprocess.run(["unsquashfs", "-q", "-n", "-d", root, squashfs], check=True)
    image.touch()
    subprocess.run(["truncate", "-s", "160M", image], check=True)
    subprocess.run(["mkfs.vfat", "-F", "32", "-n", "STICK2", "-i", "2222BBBB", image], check=True)
    mtools(image, "mmd", "::/LiveOS")
    mtools(image, "mcopy", root / RAW, f"::/{RAW}")
    mtools(image, "mcopy", tmp_path / "overlay", "::/LiveOS/overlay-STICK2-2222-BBBB")
    looked_at.attach(image)
    looked_at.wait_until("test -b /dev/sda && udevadm settle")
    try:
        ends = [
            event
            for event in told(looked_at, "merge /dev/sda --yes --json")
            if event.get("event") == "end"
        ]
        assert [event["state"] for event in ends] == ["done"], ends
        looked_at.run("mkdir -p /run/raw && mount /dev/sda /run/raw")
        try:
            listed = looked_at.run("ls /run/raw/LiveOS").stdout.split()
            assert listed == ["overlay-STICK2-2222-BBBB", "rootfs.alt", "rootfs.img"]
            new = f"/run/raw/{RAW}"
            looked_at.run(f"e2fsck -f -n {new}", timeout=WORKS)
            looked_at.run(f"mkdir -p /run/by-hand && mount -o loop,ro,noload {new} /run/by-hand")
            listing = "".join(f"{known}  {name}\n" for name, known in second[1].items())
            looked_at.run("cd /run/by-hand && sha256sum --check --quiet -", stdin=listing.encode())
            looked_at.run("umount /run/by-hand")
        finally:
            looked_at.run("umount /run/raw")
    finally:
        looked_at.detach()


APART = f"{LIVE}/apart"
"""A folder on another disk: the stick that the system was booted from."""


@pytest.fixture
def full(attached: Stick) -> Iterator[Stick]:
    """The second stick has no room for two images."""
    fill_up(attached)
    yield attached
    attached.run(f"rm -r {APART}")


def fill_up(stick: Stick) -> None:
    """Leave the second stick 4 MiB; make the folder on the other disk."""
    with second_mounted(stick):
        stick.run(
            "free=$(df --output=avail -k /run/second | tail -1); "
            "fallocate -l $(( (free - 4096) * 1024 )) /run/second/filler"
        )
    stick.run(f"mkdir -p {APART}")


def expect_replaced(stick: Stick, files: Files, device: str = "/dev/sda") -> None:
    """The new image alone is on the stick, and all that was in the overlay is in it."""
    with second_mounted(stick, device):
        listed = stick.run("ls /run/second/LiveOS").stdout.split()
        assert listed == ["overlay-STICK2-2222-BBBB", "squashfs.img"]
        found = examine(stick, SECOND, files)
    assert (found.fsck, found.lost) == (0, ())
    assert found.status.split()[3].split("/")[0] == "16"
    assert "liveos-tui" not in stick.run("dmsetup ls; losetup --list; mount").stdout


@pytest.mark.thorough
def test_a_stick_without_room_for_two_images_is_merged_with_another_disk(
    full: Stick, second: tuple[Path, Files]
) -> None:
    command = f"sha256sum {SECOND.store} /run/second/LiveOS/squashfs.img"
    with second_mounted(full, "/dev/sda", "-r"):
        before = full.run(command).stdout
    refused = full.run(f"{PROGRAM} merge /dev/sda --yes", check=False, timeout=WORKS)
    assert "--work DIR" in refused.stderr

    said = full.run(f"{PROGRAM} merge /dev/sda --yes --work {APART}", check=False, timeout=WORKS)

    assert said.returncode == 0, said.stdout + said.stderr
    full.run(f"{PROGRAM} jobs rollback {merge_job(full)} --target /dev/sda --yes", timeout=WORKS)
    with second_mounted(full, "/dev/sda", "-r"):
        assert full.run(command).stdout == before
    full.run(f"{PROGRAM} merge /dev/sda --yes --work {APART}", timeout=WORKS)
    expect_replaced(full, second[1])


@pytest.mark.thorough
def test_pulled_out_while_it_has_no_image_a_stick_is_mended_later(
    boot: Boot, tmp_path: Path
) -> None:
    """It comes back as another device, and the other disk is mounted elsewhere by then."""
    stick, pulled = boot(), tmp_path / "pulled.img"
    stick.install()
    used, files = used_second(stick, tmp_path)
    stick.attach(used)
    stick.wait_until("test -b /dev/sda && udevadm settle")
    fill_up(stick)
    stick.detach(keep=used)
    stick.wait_until("! test -e /sys/block/sda")
    stick.attach(used, slow=True)
    stick.wait_until("test -b /dev/sda && udevadm settle")
    for event in told(stick, f"merge /dev/sda --yes --json --work {APART}"):
        if "writing the new image" in event.get("phase", "") and not pulled.exists():
            stick.detach(keep=pulled)
    stick.run(f"mv {APART} {APART}-elsewhere && mkdir {APART}")
    stick.attach(pulled)
    stick.wait_until("blkid -L STICK2 && udevadm settle")
    device = stick.run("blkid -L STICK2").stdout.strip()

    status = stick.run(f"{PROGRAM} status {device}", check=False, timeout=WORKS).stdout
    assert "There is no image in LiveOS" in status
    assert "was not ended" in status
    job = merge_job(stick, device)
    said = stick.run(
        f"{PROGRAM} jobs resume {job} --yes --target {device} --work {APART}-elsewhere",
        check=False,
        timeout=WORKS,
    )

    assert said.returncode == 0, said.stdout + said.stderr
    expect_replaced(stick, files, device)
