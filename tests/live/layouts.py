"""Every layout of a LiveOS, as a machine. Where dracut puts things: facts in each docstring."""

from machines import (
    DATA,
    FLAT_LISTING,
    GIB,
    MIB,
    SQUASHFS_LISTING,
    Content,
    MachineBuilder,
    store,
    used_sectors,
)

STICK = "/run/initramfs/live"
SQUASHFS_HEAD = (DATA / "images/squashfs-xz.head").read_bytes()
SQUASHFS_BYTES = 40 * MIB
EROFS_HEAD = (DATA / "images/erofs.head").read_bytes()
EXT4_HEAD = (DATA / "images/ext4.head").read_bytes()
LUKS_HEAD = (DATA / "images/luks2.head").read_bytes()
OVERLAY_BYTES = 512 * MIB
SECTORS = OVERLAY_BYTES // 512
USED = 20_000
"""Exceptions of the overlay of the machines below."""

LISTING = "unsquashfs -processors 1 -lln"


def stick(
    machine: MachineBuilder,
    mount_point: str = STICK,
    *,
    options: str = "rw,relatime",
    number: str = "8:17",
    name: str = "sdb1",
    label: str = "LIVE",
    uuid: str = "12AB-CDEF",
    base: str = "rootfs.img",
    overlay: Content | None = None,
) -> str:
    """A FAT32 stick with a squashed image and, if given, an overlay; returns the overlay's path."""
    machine.block(
        name[:-1],
        number.split(":", maxsplit=1)[0] + ":16",
        type="disk",
        model="Ultra Fit",
        tran="usb",
        rm=True,
        hotplug=True,
    )
    machine.block(
        name, number, fstype="vfat", label=label, uuid=uuid, pkname=name[:-1], hotplug=True, rm=True
    )
    machine.path(f"/dev/{name}").touch()
    machine.mount(number, mount_point, "vfat", f"/dev/{name}", (14 * GIB, 9 * GIB), options)
    machine.file(f"{mount_point}/LiveOS/squashfs.img", SQUASHFS_HEAD, SQUASHFS_BYTES)
    machine.answer(LISTING, SQUASHFS_LISTING.format(base=base))
    path = f"LiveOS/overlay-{label}-{uuid}"
    if overlay is not None:
        machine.file(f"{mount_point}/{path}", overlay, OVERLAY_BYTES)
    return path


def snapshot_root(
    machine: MachineBuilder,
    persistence: str,
    *,
    status: str | None = None,
    cow: str = "loop2",
    used: int = USED,
) -> None:
    """The root on live-rw, above a base in loop1 and the store in `cow`."""
    machine.text("/etc/os-release", 'NAME=Fedora\nPRETTY_NAME="Fedora Linux 39 (Workstation)"\n')
    machine.mount("254:0", "/", "ext4", "/dev/mapper/live-rw", (2 * GIB, 736 * MIB))
    number = f"7:{cow.removeprefix('loop')}"
    machine.dm(
        0,
        "live-rw",
        ["loop1", cow],
        f"0 4194304 snapshot 7:1 {number} {persistence} 8",
        f"0 4194304 snapshot {status or f'{used_sectors(used)}/{SECTORS} 640'}",
    )
    machine.dm(1, "live-base", ["loop1"], "0 4194304 linear 7:1 0", "0 4194304 linear ")


def dracut_cmdline(machine: MachineBuilder, extra: str = "rw rd.live.overlay=LABEL=LIVE") -> None:
    machine.cmdline(f"BOOT_IMAGE=/vmlinuz root=live:LABEL=LIVE rd.live.image {extra} quiet")


def fedora_30(
    machine: MachineBuilder, *, overlay: Content | None = None, status: str | None = None
) -> None:
    """dracut 049: a PO table; the stick mounted read-write; the loop's path without mount point."""
    dracut_cmdline(machine)
    path = stick(machine, overlay=store(USED) if overlay is None else overlay)
    machine.loop(0, f"{STICK}/LiveOS/squashfs.img")
    machine.loop(1, "/LiveOS/rootfs.img")
    machine.loop(2, f"/{path}", of=f"{STICK}/{path}", filesystem="8:17")
    snapshot_root(machine, "PO", status=status)


def fedora_20(machine: MachineBuilder) -> None:
    """dracut 034: a P table; osmin.img still on the image; the stick at /run/initramfs/live."""
    machine.cmdline(
        "initrd=initrd0.img root=live:LABEL=LIVE rootfstype=auto rw rd.live.image "
        "overlay=LABEL=LIVE rd.luks=0"
    )
    path = stick(machine, overlay=store(USED), base="ext3fs.img")
    machine.loop(1, "/LiveOS/ext3fs.img")
    machine.loop(2, f"/{path}", of=f"{STICK}/{path}", filesystem="8:17")
    snapshot_root(machine, "P")
    machine.dm(
        2,
        "live-osimg-min",
        ["loop1", "loop3"],
        "0 8388608 snapshot 7:1 7:3 P 8",
        "0 8388608 snapshot 2464/2464 24",
    )


def fedora_16(machine: MachineBuilder) -> None:
    """dracut 013: the stick at /mnt/live, ext3fs.img as base, osmin.img, a P table, `liveimg`."""
    machine.cmdline(
        "initrd=initrd0.img root=live:LABEL=LIVE rootfstype=auto rw liveimg "
        "overlay=LABEL=LIVE quiet rhgb rd.luks=0"
    )
    path = stick(machine, "/mnt/live", overlay=store(USED), base="ext3fs.img")
    machine.file("/mnt/live/LiveOS/osmin.img", size=MIB)
    machine.loop(1, "/LiveOS/ext3fs.img")
    machine.loop(2, f"/mnt/live/{path}", of=f"/mnt/live/{path}", filesystem="8:17")
    machine.loop(3, "/osmin")
    snapshot_root(machine, "P")
    machine.dm(
        2,
        "live-osimg-min",
        ["loop1", "loop3"],
        "0 8388608 snapshot 7:1 7:3 P 8",
        "0 8388608 snapshot 2464/2464 24",
    )


def memory_overlay(machine: MachineBuilder) -> None:
    """No rd.live.overlay=: changes are kept in a file of the initramfs, deleted by now."""
    dracut_cmdline(machine, "")
    stick(machine, options="ro,relatime")
    machine.loop(1, "/LiveOS/rootfs.img")
    machine.loop(2, "/overlay (deleted)")
    snapshot_root(machine, "PO", status="3784/67108864 24")


def unused_overlay(machine: MachineBuilder, overlay: Content) -> None:
    """The same, while a persistent overlay lies on the stick."""
    dracut_cmdline(machine, "")
    stick(machine, options="ro,relatime", overlay=overlay)
    machine.loop(1, "/LiveOS/rootfs.img")
    machine.loop(2, "/overlay (deleted)")
    snapshot_root(machine, "PO", status="3784/67108864 24")


def frozen_overlay(machine: MachineBuilder) -> None:
    """rd.live.overlay.readonly: live-ro is base and overlay, live-rw is memory above it."""
    dracut_cmdline(machine, "rw rd.live.overlay=LABEL=LIVE rd.live.overlay.readonly")
    path = stick(machine, overlay=store(USED))
    machine.loop(1, "/LiveOS/rootfs.img")
    machine.loop(2, f"/{path}", of=f"{STICK}/{path}", filesystem="8:17")
    machine.loop(3, "/overlay (deleted)")
    machine.mount("254:2", "/", "ext4", "/dev/mapper/live-rw", (2 * GIB, 736 * MIB))
    machine.dm(
        1,
        "live-ro",
        ["loop1", "loop2"],
        "0 4194304 snapshot 7:1 7:2 P 8",
        f"0 4194304 snapshot {used_sectors(USED)}/{SECTORS} 640",
    )
    machine.dm(
        2,
        "live-rw",
        ["dm-1", "loop3"],
        "0 4194304 snapshot 254:1 7:3 PO 8",
        "0 4194304 snapshot 3784/67108864 24",
    )


def uncompressed(machine: MachineBuilder) -> None:
    """rootfs.img directly on the stick."""
    dracut_cmdline(machine)
    path = stick(machine, overlay=store(USED))
    machine.path(f"{STICK}/LiveOS/squashfs.img").unlink()
    machine.file(f"{STICK}/LiveOS/rootfs.img", EXT4_HEAD, 2 * GIB)
    machine.loop(1, "/LiveOS/rootfs.img", of=f"{STICK}/LiveOS/rootfs.img", filesystem="8:17")
    machine.loop(2, f"/{path}", of=f"{STICK}/{path}", filesystem="8:17")
    snapshot_root(machine, "PO")


def _overlay_root(machine: MachineBuilder, upper: str | None) -> None:
    """The root on an OverlayFS; /run/overlayfs leads to `upper`, or is in memory itself."""
    machine.text("/etc/os-release", 'PRETTY_NAME="Fedora Linux 42 (Workstation)"\n')
    machine.mount(
        "0:40",
        "/",
        "overlay",
        "LiveOS_rootfs",
        (14 * GIB, 9 * GIB),
        super_options=("rw,lowerdir=/run/rootfsbase,upperdir=/run/overlayfs,workdir=/run/ovlwork"),
    )
    machine.mount("0:22", "/run", "tmpfs", "tmpfs", (GIB, 100 * MIB))
    machine.path("/run/rootfsbase/.").mkdir(parents=True)
    if upper is None:
        machine.path("/run/overlayfs/.").mkdir(parents=True)
    else:
        machine.path("/run/overlayfs").symlink_to(upper)


def flat_directory(machine: MachineBuilder, image: bytes = SQUASHFS_HEAD) -> None:
    """Fedora 42: a flat image, the upper directory on an ext4 stick beside `ovlwork`."""
    dracut_cmdline(machine)
    path = stick(machine)
    machine.file(f"{STICK}/LiveOS/squashfs.img", image, SQUASHFS_BYTES)
    machine.answer(LISTING, FLAT_LISTING)
    machine.path(f"{STICK}/{path}/.").mkdir(parents=True)
    machine.path(f"{STICK}/LiveOS/ovlwork/.").mkdir(parents=True)
    _overlay_root(machine, f"/run/initramfs/overlayfs/{path}")
    machine.mount("8:17", "/run/initramfs/overlayfs", "ext4", "/dev/sdb1", (14 * GIB, 9 * GIB))


def flat_embedded(machine: MachineBuilder) -> None:
    """A flat image, the upper directory in a file with a file system."""
    dracut_cmdline(machine)
    path = stick(machine, overlay=EXT4_HEAD)
    machine.answer(LISTING, FLAT_LISTING)
    machine.loop(2, f"/{path}", of=f"{STICK}/{path}", filesystem="8:17")
    _overlay_root(machine, "/run/initramfs/overlayfs/overlayfs")
    machine.mount("7:2", "/run/initramfs/overlayfs", "ext4", "/dev/loop2", (480 * MIB, 400 * MIB))


def flat_temporary(machine: MachineBuilder) -> None:
    """A flat image, the upper directory in /run."""
    dracut_cmdline(machine, "")
    stick(machine)
    machine.answer(LISTING, FLAT_LISTING)
    _overlay_root(machine, None)


def flat_erofs(machine: MachineBuilder) -> None:
    """The same as an EROFS under the name squashfs.img."""
    flat_directory(machine, EROFS_HEAD)


def ubuntu(machine: MachineBuilder) -> None:
    machine.cmdline("BOOT_IMAGE=/casper/vmlinuz boot=casper quiet splash ---")
    machine.mount(
        "0:25",
        "/",
        "overlay",
        "/cow",
        (GIB, MIB),
        super_options=("rw,lowerdir=/filesystem.squashfs,upperdir=/cow/upper,workdir=/cow/work"),
    )
    machine.mount("11:0", "/cdrom", "iso9660", "/dev/sr0", (3 * GIB, 3 * GIB), "ro")


def debian_live(machine: MachineBuilder) -> None:
    machine.cmdline("BOOT_IMAGE=/live/vmlinuz boot=live components quiet splash")
    machine.mount(
        "0:25",
        "/",
        "overlay",
        "overlay",
        (GIB, MIB),
        super_options=(
            "rw,lowerdir=/run/live/rootfs/filesystem.squashfs/,upperdir=/run/live/overlay/rw,"
            "workdir=/run/live/overlay/work"
        ),
    )


def installed(machine: MachineBuilder) -> None:
    """No live system at all."""
    machine.mount("8:1", "/", "ext4", "/dev/sda1", (400 * GIB, 100 * GIB))
    machine.block("sda", "8:0", type="disk", size=500 * GIB)
    machine.block("sda1", "8:1", fstype="ext4", label="root", pkname="sda")
