"""The kernel command line as the kernel and dracut read it."""

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.cmdline import (
    BootKind,
    KernelCommandLine,
    LiveOptions,
    Option,
    OverlayOption,
    live_options,
    other_live_system,
    parse_cmdline,
)

# The command line of a LiveOS stick booted in QEMU.
STICK = "console=ttyS0 root=live:LABEL=LIVE rd.live.image rw rd.live.overlay=LABEL=LIVE selinux=0\n"
FEDORA_16 = (
    "initrd=initrd0.img root=live:UUID=12AB-CDEF rootfstype=vfat rw liveimg "
    "overlay=UUID=12AB-CDEF quiet rhgb rd.luks=0 rd.md=0 rd.dm=0 BOOT_IMAGE=vmlinuz0"
)


def options(text: str) -> LiveOptions:
    return live_options(parse_cmdline(text))


def test_words_of_a_stick() -> None:
    assert parse_cmdline(STICK) == KernelCommandLine(
        (
            Option("console", "ttyS0"),
            Option("root", "live:LABEL=LIVE"),
            Option("rd.live.image"),
            Option("rw"),
            Option("rd.live.overlay", "LABEL=LIVE"),
            Option("selinux", "0"),
        )
    )


# The values that dracut's own dracut-getarg prints for these lines.
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('a="x y" b', (Option("a", "x y"), Option("b"))),
        ('"a=x y" b', (Option("a", "x y"), Option("b"))),
        ('"a b"', (Option("a b"),)),
        ('a=x"y z"w b', (Option("a", 'x"y z"w'), Option("b"))),
        ('a="', (Option("a", ""),)),
        ('"a="', (Option("a", ""),)),
        ('a="never closed b', (Option("a", "never closed b"),)),
        ("a==b", (Option("a", "=b"),)),
        ("=a=b", (Option("=a", "b"),)),
        ("  a\t\n b=  ", (Option("a"), Option("b", ""))),
        ('""', ()),
        ("", ()),
    ],
)
def test_quotes_and_blanks_as_the_kernel_takes_them(
    text: str, expected: tuple[Option, ...]
) -> None:
    assert parse_cmdline(text).options == expected


def test_duplicates_are_kept_and_the_last_one_wins() -> None:
    cmdline = parse_cmdline("rd.live.dir=One rd.live.dir=Two")
    assert len(cmdline.options) == 2
    assert live_options(cmdline).live_dir == "Two"


def test_options_of_a_stick() -> None:
    assert options(STICK) == LiveOptions(
        root="live:LABEL=LIVE",
        live_image=True,
        overlay="LABEL=LIVE",
        overlay_kind=OverlayOption.DEVICE,
        overlay_device="LABEL=LIVE",
        writable=True,
        boot_kind=BootKind.DEVICE,
    )


def test_options_of_fedora_16() -> None:
    assert options(FEDORA_16) == LiveOptions(
        root="live:UUID=12AB-CDEF",
        live_image=True,
        overlay="UUID=12AB-CDEF",
        overlay_kind=OverlayOption.DEVICE,
        overlay_device="UUID=12AB-CDEF",
        writable=True,
        boot_kind=BootKind.DEVICE,
    )


def test_an_installed_system_has_no_live_options() -> None:
    found = options(
        "BOOT_IMAGE=/vmlinuz-6.1 root=UUID=4c8f3b8e-8a0a-4f2b-9d53-6d3f5f1d2a11 ro quiet"
    )
    assert not found.is_live
    assert found.overlay_kind is OverlayOption.ABSENT


@pytest.mark.parametrize("key", ["rd.overlay", "rd.live.overlay", "overlay"])
def test_overlay_in_every_spelling(key: str) -> None:
    found = options(f"root=live:LABEL=LIVE {key}=/dev/sdb1:/persistent-overlay.img")
    assert found.overlay == "/dev/sdb1:/persistent-overlay.img"
    assert (found.overlay_device, found.overlay_path) == ("/dev/sdb1", "/persistent-overlay.img")


def test_the_newest_spelling_wins_wherever_it_stands() -> None:
    assert options("rd.overlay=LABEL=NEW overlay=LABEL=OLD").overlay == "LABEL=NEW"
    assert options("overlay=LABEL=OLD rd.overlay=LABEL=NEW").overlay == "LABEL=NEW"


@pytest.mark.parametrize("answer", ["rd.overlay", "rd.overlay=1", "rd.overlay=0", "rd.overlay=off"])
def test_a_yes_or_no_to_overlay_names_no_place(answer: str) -> None:
    assert options(answer).overlay is None
    assert options(f"{answer} rd.live.overlay=LABEL=LIVE").overlay == "LABEL=LIVE"


@pytest.mark.parametrize(
    ("value", "kind", "device", "path"),
    [
        ("LABEL=LIVE", OverlayOption.DEVICE, "LABEL=LIVE", None),
        ("LABEL=LIVE:auto", OverlayOption.DEVICE, "LABEL=LIVE", None),
        ("UUID=12AB-CDEF:/mine", OverlayOption.DEVICE, "UUID=12AB-CDEF", "/mine"),
        ("UUID=12AB-CDEF:mine", OverlayOption.DEVICE, "UUID=12AB-CDEF", "/mine"),
        ("none", OverlayOption.WRITABLE_BASE, None, None),
        ("NONE", OverlayOption.WRITABLE_BASE, None, None),
        ("tmpfs:size=4G", OverlayOption.MEMORY, None, None),
        ("", OverlayOption.ABSENT, None, None),
    ],
)
def test_where_the_overlay_is(
    value: str, kind: OverlayOption, device: str | None, path: str | None
) -> None:
    found = options(f"root=live:LABEL=LIVE rd.live.overlay={value}")
    assert (found.overlay_kind, found.overlay_device, found.overlay_path) == (kind, device, path)


@pytest.mark.parametrize(
    "word",
    ["rd.overlay.readonly", "rd.live.overlay.readonly", "rd.live.overlay.readonly=1",
     "rd.live.overlay.readonly=", "readonly_overlay", "readonly_overlay=0"],
)  # fmt: skip
def test_read_only_overlay_in_every_spelling(word: str) -> None:
    assert options(word).overlay_readonly


@pytest.mark.parametrize("no", ["0", "no", "off"])
def test_no_is_no(no: str) -> None:
    found = options(
        f"rd.live.image={no} rd.live.overlay.readonly={no} rd.live.overlay.reset={no} "
        f"rd.live.overlay.overlayfs={no} rd.live.overlay.thin={no} rd.live.ram={no}"
    )
    assert found == LiveOptions()


def test_a_no_in_the_newest_spelling_outweighs_an_older_yes() -> None:
    assert not options("readonly_overlay rd.live.overlay.readonly=0").overlay_readonly


@pytest.mark.parametrize("word", ["rd.overlay.reset", "rd.live.overlay.reset", "reset_overlay"])
def test_reset_in_every_spelling(word: str) -> None:
    assert options(word).overlay_reset


@pytest.mark.parametrize(
    "word", ["rd.live.overlay.overlayfs=1", "rd.overlay", "rd.overlay=LABEL=LIVE"]
)
def test_overlayfs_is_asked_for(word: str) -> None:
    assert options(word).overlay_overlayfs


@pytest.mark.parametrize("word", ["rd.live.ram=1", "rd.live.ram", "live_ram"])
def test_image_in_memory_in_every_spelling(word: str) -> None:
    assert options(word).ram


def test_names_of_folder_and_image() -> None:
    assert options("rd.live.dir=/Fedora/ rd.live.squashimg=my.img").live_dir == "Fedora"
    assert options("live_dir=Old").live_dir == "Old"
    assert options("rd.live.dir=/").live_dir == "."
    assert options("rd.live.dir=").live_dir == "LiveOS"
    assert options("rd.live.squashimg=my.img").squashimg == "my.img"


@pytest.mark.parametrize(
    ("value", "mib"), [("512", 512), ("", 32768), ("lots", 32768), ("9" * 5000, 32768)]
)
def test_size_of_an_overlay_in_memory(value: str, mib: int) -> None:
    assert options(f"rd.live.overlay.size={value}").overlay_size_mib == mib


@pytest.mark.parametrize(
    ("words", "writable"),
    [("rw", True), ("ro", False), ("rw ro", False), ("ro quiet rw", True), ("rw=1", False),
     ("", False)],
)  # fmt: skip
def test_the_last_of_ro_and_rw_decides(words: str, writable: bool) -> None:
    assert options(words).writable is writable


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("root=live:CDLABEL=Fedora-WS-Live-41-1-4", BootKind.DEVICE),
        ("root=live:/dev/sdb1", BootKind.DEVICE),
        ("root=CDLABEL=Fedora-17-Live rd.live.image", BootKind.DEVICE),
        ("liveimg", BootKind.DEVICE),
        ("root=live:/isos/Fedora.ISO", BootKind.ISO_FILE),
        ("root=live:/run/rootfs.img", BootKind.IMAGE_FILE),
        ("root=live:http://example.com/liveboot.img", BootKind.NETWORK),
        ("root=https://example.com/root.squashfs", BootKind.NETWORK),
        ("root=live:nfs://10.0.0.1/live.img", BootKind.NETWORK),
        ("root=nfs:10.0.0.1:/srv/root", BootKind.NOT_LIVE),
        ("root=/dev/sda1", BootKind.NOT_LIVE),
        ("", BootKind.NOT_LIVE),
    ],
)
def test_where_the_live_image_comes_from(text: str, kind: BootKind) -> None:
    assert options(text).boot_kind is kind


def test_an_iso_file_that_is_searched_for() -> None:
    text = "iso-scan/filename=/boot/Fedora.iso root=live:CDLABEL=Fedora-WS-Live rd.live.image"
    assert options(text).iso_scan == "/boot/Fedora.iso"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("BOOT_IMAGE=/casper/vmlinuz boot=casper quiet splash ---", "Ubuntu live (casper)"),
        ("BOOT_IMAGE=/live/vmlinuz boot=live components quiet", "Debian live (live-boot)"),
        ("root=live:CDLABEL=CDROM rd.live.image rd.kiwi.live.pxe", "KIWI live"),
        ("vga=normal rw printk.time=0 slax.flags=perch,automount", "Slax"),
        ("changes=/porteus/changes.dat", "Porteus"),
        ("pmedia=usbflash psubdir=puppy", "Puppy Linux"),
        ("quiet bdir=/antiX persist_all", "antiX or MX Linux"),
        ("archisobasedir=arch archisosearchuuid=2024-01-01", "Arch Linux live (archiso)"),
    ],
)
def test_other_live_systems_are_named(text: str, name: str) -> None:
    assert other_live_system(parse_cmdline(text)) == name


@pytest.mark.parametrize(
    "text",
    [STICK, FEDORA_16, "boot=isolinux root=live:LABEL=X rd.live.image", "from=/dev/sda1", "", "x"],
)
def test_a_liveos_is_no_other_live_system(text: str) -> None:
    assert other_live_system(parse_cmdline(text)) is None


def test_a_command_line_that_no_kernel_takes_is_refused() -> None:
    with pytest.raises(FormatError, match="longer than a kernel accepts"):
        parse_cmdline("a " * 40_000)
