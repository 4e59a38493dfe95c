"""What is in a practice stick: real files, the same in every build.

Nothing is copied from the machine: a practice stick can be given away, and screenshots of it are
the same everywhere.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass

LABEL = "PRACTICE"
STICK_UUID = "50AC-71CE"
"""Label and UUID of the stick's file system, as the overlay's name carries them (FAT's form)."""

# What tells whether this system's kernel could mount an image that is compressed otherwise.
_KERNEL_CONFIG = b"""\
CONFIG_SQUASHFS_XZ=y
CONFIG_SQUASHFS_ZLIB=y
CONFIG_SQUASHFS_ZSTD=y
"""

OS_RELEASE = b"""\
NAME="liveos-tui practice"
PRETTY_NAME="liveos-tui practice"
ID=liveos-tui-practice
VERSION_ID=1
HOME_URL="https://fedoraproject.org/wiki/LiveOS_image"
"""

_WORDS = (  # noqa: SIM905 - words are easier to read than a list of strings
    "overlay base image chunk sector exception store snapshot device mapper merge mirror stick "
    "root home file system journal block table area header metadata space room fill full write "
    "read boot kernel label mount loop squash live session change keep copy check repair grow"
).split()


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder to make."""

    path: str


@dataclass(frozen=True, slots=True)
class File:
    """A file to write; one of the same name is deleted before."""

    path: str
    data: bytes
    replaces: bool = False


@dataclass(frozen=True, slots=True)
class Deletion:
    """A file to delete."""

    path: str


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link to make."""

    path: str
    target: str


Change = Folder | File | Deletion | Link


def base() -> Iterator[Change]:
    """The base image: a small system's folders, some text, some programs' worth of bytes."""
    yield from _folders(
        "/boot /dev /etc /home /media /mnt /opt /proc /root /run /srv /sys /tmp /usr /usr/bin "
        "/usr/lib /usr/share /usr/share/doc /var /var/cache /var/cache/packages /var/lib /var/log"
    )
    for name in ("bin", "lib", "sbin"):
        yield Link(f"/{name}", "usr/bin" if name == "sbin" else f"usr/{name}")
    yield File("/boot/config-practice", _KERNEL_CONFIG)
    yield File("/etc/os-release", OS_RELEASE)
    yield File("/etc/hostname", b"practice\n")
    yield File("/etc/fstab", b"# The root is base and overlay, joined by the device-mapper.\n")
    yield File("/root/notes.txt", _text("notes", 60))
    for number in range(60):
        yield Folder(f"/usr/share/doc/package-{number:02}")
        for name, lines in (("README", 90), ("changelog", 40), ("copyright", 15)):
            yield File(f"{_doc(number)}/{name}", _text(f"{name} {number}", lines))
    for number in range(6):
        yield File(f"/usr/lib/libpractice-{number}.so", _bytes(f"library {number}", 384 << 10))


def first_boot() -> Iterator[Change]:
    """What a first session leaves: names, logs, a few settings."""
    yield File("/etc/machine-id", b"50ac71ce50ac71ce50ac71ce50ac71ce\n")
    yield File("/etc/hostname", b"my-stick\n", replaces=True)
    yield Folder("/etc/settings.d")
    for number in range(12):
        yield File(f"/etc/settings.d/{number:02}.conf", _text(f"settings {number}", 8))
    yield Folder("/var/log/sessions")
    yield File("/var/log/sessions/1.log", _text("log 1", 700))


def update() -> Iterator[Change]:
    """What an update of packages leaves: files changed, added and deleted."""
    for number in range(0, 60, 3):
        yield File(f"{_doc(number)}/README", _text(f"new README {number}", 95), replaces=True)
        yield File(f"{_doc(number)}/changelog", _text(f"new log {number}", 60), replaces=True)
    for number in range(1, 60, 7):
        yield Deletion(f"{_doc(number)}/copyright")
    for number in range(3):
        path = f"/usr/lib/libpractice-{number}.so"
        yield File(path, _bytes(f"new library {number}", 400 << 10), replaces=True)
    yield Folder("/usr/share/doc/added")
    yield File("/usr/share/doc/added/README", _text("added", 120))
    yield File("/var/log/sessions/2.log", _text("log 2", 900))


def downloads(name: str, size_bytes: int) -> Iterator[Change]:
    """Packages kept in the cache, together about `size_bytes` large."""
    yield Folder(f"/var/cache/packages/{name}")
    piece = 1 << 20
    for number, start in enumerate(range(0, size_bytes, piece)):
        data = _bytes(f"{name} {number}", min(piece, size_bytes - start))
        yield File(f"/var/cache/packages/{name}/{number:03}.rpm", data)


def last_writes(size_bytes: int) -> Iterator[Change]:
    """What a session was writing when the overlay had no room left.

    The large download comes first, so that the folders after it lie in blocks that are lost.
    """
    yield from downloads("upgrade", size_bytes)
    for number in range(8):
        yield Folder(f"/var/lib/unpacked-{number}")
        yield File(f"/var/lib/unpacked-{number}/control", _text(f"control {number}", 30))
        yield File(f"/var/lib/unpacked-{number}/list", _text(f"list {number}", 80))


def home() -> Iterator[Change]:
    """The files of home.img."""
    yield from _folders("/liveuser /liveuser/Documents /liveuser/Pictures")
    for number in range(20):
        yield File(f"/liveuser/Documents/letter-{number:02}.txt", _text(f"letter {number}", 120))
    for number in range(4):
        path = f"/liveuser/Pictures/picture-{number}.raw"
        yield File(path, _bytes(f"picture {number}", 640 << 10))


def _doc(number: int) -> str:
    return f"/usr/share/doc/package-{number:02}"


def _folders(paths: str) -> Iterator[Folder]:
    return (Folder(path) for path in paths.split())


def _text(seed: str, lines: int) -> bytes:
    source = random.Random(seed)  # noqa: S311 - the same text in every build is what is wanted
    return "".join(f"{' '.join(source.choices(_WORDS, k=10))}.\n" for _ in range(lines)).encode()


def _bytes(seed: str, size: int) -> bytes:
    return random.Random(seed).randbytes(size)  # noqa: S311 - as above
