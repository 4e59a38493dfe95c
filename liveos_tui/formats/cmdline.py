"""The kernel command line: words as the kernel splits them, options as dracut reads them.

Splitting follows the kernel's `next_arg` (lib/cmdline.c), as dracut's `dracut-getarg` does
(src/util/util.c). What the options mean is read in dracut's modules.d/70dmsquash-live
(parse-dmsquash-live.sh, dmsquash-live-root.sh), 70overlayfs (overlayfs-lib.sh,
prepare-overlayfs.sh) and 70livenet, and in dracut 059 for the spellings that 104 dropped.

Three rules of `getarg` and `getargbool` (80base/dracut-lib.sh) decide between occurrences:

- Of one spelling, the last occurrence wins.
- Of several spellings, the newest that occurs wins, wherever it stands.
- `0`, `no` and `off` are false; everything else is true, the bare word and an empty value too.
  The oldest spellings (`live_ram`, `liveimg`, `readonly_overlay`, `reset_overlay`) are true by
  being there, whatever their value.
"""

from dataclasses import dataclass
from enum import StrEnum

from liveos_tui.errors import FormatError

_LIMIT = 65536  # the kernel's own COMMAND_LINE_SIZE is 2048 to 4096 where live systems run
_BLANK = frozenset(" \t\n\v\f\r")
_FALSE = frozenset({"0", "no", "off"})
_NETWORK = ("http:", "https:", "ftp:", "tftp:", "torrent:", "nfs:", "nfs4:")
_DEFAULT_LIVE_DIR = "LiveOS"
_DEFAULT_IMAGE = "squashfs.img"
_DEFAULT_OVERLAY_SIZE_MIB = 32768


@dataclass(frozen=True, slots=True)
class Option:
    """One word of the command line: `value` is None for a bare word, "" after a lone `=`."""

    key: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class KernelCommandLine:
    """All words in order, duplicates kept. They are raw: clean them before they are shown."""

    options: tuple[Option, ...] = ()

    def last(self, key: str) -> Option | None:
        """The last option of this very name, as `getarg KEY` finds it."""
        return next((each for each in reversed(self.options) if each.key == key), None)

    def has(self, key: str) -> bool:
        """Whether the option occurs at all, as `getarg -y KEY` finds it."""
        return self.last(key) is not None

    def text(self, *spellings: str) -> str | None:
        """The value of the first of these spellings that occurs; None for none and for empty."""
        for key in spellings:
            if option := self.last(key):
                return option.value or None
        return None

    def true(self, *spellings: str, present: str | None = None) -> bool:
        """Whether the first of these spellings that occurs is true, as `getargbool 0` says.

        Where none occurs, the spelling `present` is true by being there.
        """
        for key in spellings:
            if option := self.last(key):
                return option.value not in _FALSE
        return present is not None and self.has(present)


class BootKind(StrEnum):
    """Where dracut takes the live image from."""

    NOT_LIVE = "not live"
    DEVICE = "device"
    ISO_FILE = "ISO file"
    IMAGE_FILE = "image file"
    NETWORK = "network"


class OverlayOption(StrEnum):
    """What the command line asks for as overlay. What dracut found decides what there is."""

    ABSENT = "not asked for"
    """Changes are kept in memory."""
    DEVICE = "on a device"
    """A file or folder on the file system of `LiveOptions.overlay_device`."""
    MEMORY = "in memory"
    """An OverlayFS over tmpfs (`rd.overlay=tmpfs:...`)."""
    WRITABLE_BASE = "none, the base is written"
    """`none`: no overlay, an uncompressed base is written directly."""


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What dracut's live modules are told.

    `root` and `overlay` are raw values. `overlay_path` is the path on the overlay's device, from
    its top; None is the usual place, `LIVE_DIR/overlay-LABEL-UUID`. `overlay_size_mib` is the size
    of an overlay in memory. `overlay_overlayfs` asks for OverlayFS, yet a store that is found at
    the overlay's place is used as one, and a flat image is an OverlayFS without being asked.
    `live_dir` has no slash at its ends; "." is the top of the stick. `writable`: the stick is
    mounted read-write. `iso_scan` is the path of an ISO file that is searched for on all devices.
    """

    root: str | None = None
    live_image: bool = False
    overlay: str | None = None
    overlay_kind: OverlayOption = OverlayOption.ABSENT
    overlay_device: str | None = None
    overlay_path: str | None = None
    overlay_readonly: bool = False
    overlay_reset: bool = False
    overlay_overlayfs: bool = False
    overlay_size_mib: int = _DEFAULT_OVERLAY_SIZE_MIB
    thin: bool = False
    live_dir: str = _DEFAULT_LIVE_DIR
    squashimg: str = _DEFAULT_IMAGE
    ram: bool = False
    writable_image: bool = False
    writable: bool = False
    iso_scan: str | None = None
    boot_kind: BootKind = BootKind.NOT_LIVE

    @property
    def is_live(self) -> bool:
        """The command line boots an image by dracut's live modules."""
        return self.boot_kind is not BootKind.NOT_LIVE


def parse_cmdline(text: str) -> KernelCommandLine:
    """Split a command line into its words.

    A quote opens and closes a stretch in which blanks are part of the word; it cannot be escaped.
    Quotes around a value or a whole word are dropped, others stay. Raises FormatError when the
    text is longer than any kernel's command line.
    """
    if len(text) > _LIMIT:
        raise FormatError("The kernel command line is longer than a kernel accepts.")
    options: list[Option] = []
    position = 0
    while position < len(text):
        if text[position] in _BLANK:
            position += 1
            continue
        option, position = _next_option(text, position)
        if option.key or option.value is not None:
            options.append(option)
    return KernelCommandLine(tuple(options))


def _next_option(text: str, position: int) -> tuple[Option, int]:
    quoted = text[position] == '"'
    start = position + 1 if quoted else position
    end, equals, in_quotes = start, start, quoted
    while end < len(text) and (in_quotes or text[end] not in _BLANK):
        if text[end] == "=" and equals == start:
            equals = end  # one at the very start counts for nothing, as in the kernel
        elif text[end] == '"':
            in_quotes = not in_quotes
        end += 1
    has_value = equals > start
    opened = quoted or (has_value and text[equals + 1 : equals + 2] == '"')
    last = end - 1 if opened and end > start and text[end - 1] == '"' else end
    if not has_value:
        return Option(text[start:last]), end
    first = equals + 1
    if text[first:end].startswith('"'):
        first += 1
    return Option(text[start:equals], text[first:last]), end


def live_options(cmdline: KernelCommandLine) -> LiveOptions:
    """Read what dracut's live modules read, in all spellings since Fedora 11."""
    root = cmdline.text("root")
    live_image = cmdline.true("rd.live.image", present="liveimg")
    overlay = _overlay(cmdline)
    kind, device, path = _overlay_place(overlay)
    return LiveOptions(
        root=root,
        live_image=live_image,
        overlay=overlay,
        overlay_kind=kind,
        overlay_device=device,
        overlay_path=path,
        overlay_readonly=cmdline.true(
            "rd.overlay.readonly", "rd.live.overlay.readonly", present="readonly_overlay"
        ),
        overlay_reset=cmdline.true(
            "rd.overlay.reset", "rd.live.overlay.reset", present="reset_overlay"
        ),
        overlay_overlayfs=cmdline.true("rd.overlay", "rd.live.overlay.overlayfs"),
        overlay_size_mib=_overlay_size(cmdline),
        thin=cmdline.true("rd.live.overlay.thin"),
        live_dir=_live_dir(cmdline),
        squashimg=cmdline.text("rd.live.squashimg") or _DEFAULT_IMAGE,
        ram=cmdline.true("rd.live.ram", present="live_ram"),
        writable_image=cmdline.true("rd.writable.fsimg", present="writable_fsimg"),
        writable=_writable(cmdline),
        iso_scan=cmdline.text("iso-scan/filename"),
        boot_kind=_boot_kind(root, live_image),
    )


def _boot_kind(root: str | None, live_image: bool) -> BootKind:
    source = (root or "").removeprefix("live:")
    if source.startswith(_NETWORK):
        # livenet takes a bare http(s) address as a live image too (parse-livenet.sh).
        live = live_image or source != root or source.startswith(("http:", "https:"))
        return BootKind.NETWORK if live else BootKind.NOT_LIVE
    if not live_image and source == (root or ""):
        return BootKind.NOT_LIVE
    if source.startswith("/") and not source.startswith("/dev/"):
        match source[-4:].lower():
            case ".iso":
                return BootKind.ISO_FILE
            case ".img":
                return BootKind.IMAGE_FILE
    return BootKind.DEVICE


def _overlay(cmdline: KernelCommandLine) -> str | None:
    """The overlay's value as `get_rd_overlay` finds it: a yes or no is not a place."""
    value = cmdline.text("rd.overlay")
    if value is None or value in _FALSE or value == "1":
        return cmdline.text("rd.live.overlay", "overlay")
    return value


def _overlay_place(overlay: str | None) -> tuple[OverlayOption, str | None, str | None]:
    """Kind, device and path, as do_live_overlay in dmsquash-live-root.sh takes them apart."""
    if overlay is None:
        return OverlayOption.ABSENT, None, None
    if overlay in {"none", "None", "NONE"}:
        return OverlayOption.WRITABLE_BASE, None, None
    if overlay.startswith("tmpfs:"):
        return OverlayOption.MEMORY, None, None
    device = overlay.partition(":")[0]
    path = overlay.rpartition(":")[2] if ":" in overlay else ""
    if path in {"", "auto"}:
        return OverlayOption.DEVICE, device, None
    return OverlayOption.DEVICE, device, path if path.startswith("/") else f"/{path}"


def _overlay_size(cmdline: KernelCommandLine) -> int:
    value = cmdline.text("rd.live.overlay.size") or ""
    if value.isascii() and value.isdigit() and len(value) <= 12:
        return int(value)
    return _DEFAULT_OVERLAY_SIZE_MIB


def _live_dir(cmdline: KernelCommandLine) -> str:
    value = cmdline.text("rd.live.dir", "live_dir")
    return _DEFAULT_LIVE_DIR if value is None else value.strip("/") or "."


def _writable(cmdline: KernelCommandLine) -> bool:
    """The last bare `ro` or `rw` decides; without one the stick is mounted read-only."""
    words = [each.key for each in cmdline.options if each.value is None]
    return next((word == "rw" for word in reversed(words) if word in {"ro", "rw"}), False)


def other_live_system(cmdline: KernelCommandLine) -> str | None:
    """The name of another kind of live system that this command line boots; None for none known.

    Only options that no other system uses are taken as a sign; `root=live:` is not one, KIWI has
    it too. Sources: the manual pages casper(7) and live-boot(7), the boot menus of the systems.
    """
    match cmdline.text("boot"):
        case "casper":
            return "Ubuntu live (casper)"
        case "live":
            return "Debian live (live-boot)"
    for key, name in _SIGNS.items():
        if cmdline.has(key):
            return name
    for option in cmdline.options:
        for prefix, name in _SIGN_PREFIXES.items():
            if option.key.startswith(prefix):
                return name
    return _by_folder(cmdline)


_SIGNS = {
    "archisobasedir": "Arch Linux live (archiso)",
    "archisolabel": "Arch Linux live (archiso)",
    "archisodevice": "Arch Linux live (archiso)",
    "misobasedir": "Manjaro live (miso)",
    "misolabel": "Manjaro live (miso)",
    "pmedia": "Puppy Linux",
    "psubdir": "Puppy Linux",
    "bdir": "antiX or MX Linux",
    "persist_all": "antiX or MX Linux",
    "persist_root": "antiX or MX Linux",
    "persist_home": "antiX or MX Linux",
    "persist_static": "antiX or MX Linux",
    "persist_static_root": "antiX or MX Linux",
}
_SIGN_PREFIXES = {"rd.kiwi.": "KIWI live", "slax.": "Slax"}


def _by_folder(cmdline: KernelCommandLine) -> str | None:
    """Slax and Porteus name their own folder in options that others use for something else."""
    for key in ("from", "changes"):
        value = (cmdline.text(key) or "").lower()
        folders = value.strip("/").split("/")
        if "porteus" in folders:
            return "Porteus"
        if "slax" in folders:
            return "Slax"
    return None
