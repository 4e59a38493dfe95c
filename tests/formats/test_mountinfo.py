"""Mounts as the kernel lists them, and which one a path is on."""

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.mountinfo import (
    Mount,
    OverlayLayers,
    mount_at,
    mount_holding,
    overlay_layers,
    parse_mountinfo,
)

# Captured on Linux 6.18: an OverlayFS with odd names, one mount over another, a bind mount.
ODD_NAMES = r"""43 42 254:0 / / rw,relatime - ext4 /dev/vda rw,discard,resuid=65534
45 43 0:21 / /proc rw,relatime - proc proc rw
63 43 0:39 / /top rw,relatime - tmpfs tmpfs rw
67 63 0:40 / /top/m\040p rw,relatime - overlay LiveOS_rootfs rw,lowerdir=lo\134\054wer\134:1:low2,upperdir=up,workdir=wo\040rk,uuid=on
68 63 0:42 / /top/back\134sl rw,relatime - tmpfs a\043b rw
69 68 0:43 / /top/back\134sl rw,relatime - tmpfs over rw
70 67 0:39 /low2 /top/m\040p/deep ro,relatime - tmpfs tmpfs rw
"""  # noqa: E501

STICK = """\
1 1 0:2 / / rw shared:1 - rootfs rootfs rw
22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw
27 1 254:0 / / rw,relatime shared:1 - ext4 /dev/mapper/live-rw rw
30 27 0:26 / /run rw,nosuid,nodev shared:11 - tmpfs tmpfs rw,size=401508k,mode=755
33 30 252:0 / /run/initramfs/live ro,relatime shared:12 master:4 - vfat /dev/vda ro,fmask=0022
41 27 7:3 / /home rw,relatime - ext4 /dev/loop3 rw
"""


def test_every_field() -> None:
    (mount,) = parse_mountinfo(STICK.splitlines()[4])
    assert mount == Mount(
        mount_id=33,
        parent_id=30,
        device="252:0",
        root="/",
        mount_point="/run/initramfs/live",
        options=("ro", "relatime"),
        filesystem="vfat",
        source="/dev/vda",
        super_options=("ro", "fmask=0022"),
    )


def test_octal_escapes_are_decoded() -> None:
    mounts = parse_mountinfo(ODD_NAMES)
    assert mounts[3].mount_point == "/top/m p"
    assert mounts[4].mount_point == r"/top/back\sl"
    assert mounts[4].source == "a#b"
    assert mounts[6].root == "/low2"


def test_an_empty_source_is_a_field_too() -> None:
    (mount,) = parse_mountinfo("36 27 0:30 / /mnt rw - tmpfs  rw,size=4k")
    assert (mount.source, mount.super_options) == ("", ("rw", "size=4k"))


def test_names_that_are_not_utf8_survive() -> None:
    raw = b"36 27 0:30 / /mnt/\xff\\040x rw - tmpfs tmpfs rw"
    (mount,) = parse_mountinfo(raw.decode("utf-8", "surrogateescape"))
    assert mount.mount_point.encode("utf-8", "surrogateescape") == b"/mnt/\xff x"


def test_read_only_by_the_mount_or_by_the_file_system() -> None:
    mounts = parse_mountinfo(STICK + ODD_NAMES)
    assert [m.mount_point for m in mounts if m.read_only] == [
        "/run/initramfs/live",
        "/top/m p/deep",
    ]


@pytest.mark.parametrize(
    ("path", "mount_id"),
    [
        ("/", 27),
        ("/etc/passwd", 27),
        ("/run/initramfs/live", 33),
        ("/run/initramfs/live/LiveOS/squashfs.img", 33),
        ("/run/initramfs/liver", 30),
        ("/home/liveuser", 41),
        ("/homework", 27),
    ],
)
def test_the_mount_that_holds_a_path(path: str, mount_id: int) -> None:
    held = mount_holding(parse_mountinfo(STICK), path)
    assert held is not None
    assert held.mount_id == mount_id


def test_the_later_of_two_mounts_on_one_place_is_on_top() -> None:
    top = mount_at(parse_mountinfo(ODD_NAMES), r"/top/back\sl")
    assert top is not None
    assert top.source == "over"


def test_a_mount_under_a_covered_mount_is_out_of_reach() -> None:
    covered = (
        "1 0 8:1 / / rw - ext4 /dev/sda1 rw\n"
        "2 1 8:2 / /mnt rw - ext4 /dev/sdb1 rw\n"
        "3 2 8:3 / /mnt/inner rw - ext4 /dev/sdc1 rw\n"
        "4 2 8:4 / /mnt rw - ext4 /dev/sdd1 rw\n"
    )
    held = mount_holding(parse_mountinfo(covered), "/mnt/inner/file")
    assert held is not None
    assert held.source == "/dev/sdd1"


def test_only_a_mount_point_is_one() -> None:
    mounts = parse_mountinfo(STICK)
    assert mount_at(mounts, "/run/initramfs") is None
    assert mount_at(mounts, "/mnt/live") is None
    root = mount_at(mounts, "/")
    assert root is not None
    assert root.source == "/dev/mapper/live-rw"


def test_a_path_outside_all_mounts_is_held_by_none() -> None:
    assert mount_holding(parse_mountinfo("5 4 8:1 / /jail rw - ext4 /dev/sda1 rw"), "/etc") is None


def test_layers_of_an_overlay_with_protected_characters() -> None:
    mount = parse_mountinfo(ODD_NAMES)[3]
    assert overlay_layers(mount) == OverlayLayers(("lo,wer:1", "low2"), "up", "wo rk")


def test_layers_that_are_options_of_their_own() -> None:
    line = (
        "27 1 0:40 / / rw - overlay LiveOS_rootfs rw,lowerdir+=/run/overlayfs-r,"
        "lowerdir+=/run/root:base,datadir+=/run/data,upperdir=/run/overlayfs,workdir=/run/ovlwork"
    )
    assert overlay_layers(parse_mountinfo(line)[0]) == OverlayLayers(
        ("/run/overlayfs-r", "/run/root:base", "/run/data"), "/run/overlayfs", "/run/ovlwork"
    )


def test_an_overlay_without_an_upper_folder() -> None:
    line = "27 1 0:40 / / ro - overlay overlay ro,lowerdir=/a:/b::/data"
    assert overlay_layers(parse_mountinfo(line)[0]) == OverlayLayers(("/a", "/b", "/data"))


def test_other_file_systems_have_no_layers() -> None:
    assert overlay_layers(parse_mountinfo(STICK)[0]) is None


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "27 1 254:0 / / rw,relatime ext4 /dev/vda rw",
        "27 1 254:0 / / rw - ext4 /dev/vda",
        "27 one 254:0 / / rw - ext4 /dev/vda rw",
        "27 1 254 / / rw - ext4 /dev/vda rw",
        "99999999999 1 254:0 / / rw - ext4 /dev/vda rw",
    ],
)
def test_a_line_that_is_no_mount_is_refused(line: str) -> None:
    with pytest.raises(FormatError, match="mountinfo is not understood"):
        parse_mountinfo(line)
