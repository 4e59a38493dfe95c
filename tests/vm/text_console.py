"""A program on a text console of the booted system: real keys in, glyphs and colours out.

What stands on the screen is what the kernel says of it: /dev/vcsu has the characters that were
written, /dev/vcsa the glyphs and colours that stand there for them. With `Stick(..., vga=True)` the
first one, tty1, can be photographed, and has QEMU's keyboard. Without a graphics card only the
others can be read, because the kernel keeps what tty1 shows in the memory of the card.
"""

import itertools
import json
import shlex
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

from machine import MachineError, wait_for
from stick import Stick
from terminal import shows, wait_for_lines

_FOLDER = "/run/liveos"
_TOOL = f"{_FOLDER}/text_console.py"

# Loads a PSF1 font, as setfont does, and tells which glyph is shown for which character.
_IN_THE_SYSTEM = r"""
import ctypes, fcntl, json, struct, sys

KDFONTOP, PIO_UNIMAP, PIO_UNIMAPCLR, GIO_UNIMAP, VT_GETHIFONTMASK = (
    0x4B72, 0x4B67, 0x4B68, 0x4B66, 0x560D)
ROWS = 32  # of each glyph, as the kernel takes it

def load(tty, data):
    magic, mode, height = data[:2], data[2], data[3]
    assert magic == b"\x36\x04" and mode & 2, "a PSF1 font with a table of characters"
    count = 512 if mode & 1 else 256
    end = 4 + count * height
    glyphs = b"".join(
        data[at : at + height].ljust(ROWS, b"\0") for at in range(4, end, height))
    buffer = ctypes.create_string_buffer(glyphs, len(glyphs))
    fcntl.ioctl(tty, KDFONTOP, struct.pack(
        "5I4xQ", 0, 0, 8, height, count, ctypes.addressof(buffer)))
    pairs, glyph, alone = [], 0, True
    for (unit,) in struct.iter_unpack("<H", data[end:]):
        if unit == 0xFFFF:
            glyph, alone = glyph + 1, True
        elif unit == 0xFFFE:
            alone = False  # what follows are sequences, which the kernel does not know
        elif alone:
            pairs.append((unit, glyph))
    table = b"".join(struct.pack("HH", *pair) for pair in pairs)
    buffer = ctypes.create_string_buffer(table, len(table))
    fcntl.ioctl(tty, PIO_UNIMAPCLR, struct.pack("HHH", 0, 0, 0))
    fcntl.ioctl(tty, PIO_UNIMAP, struct.pack("H6xQ", len(pairs), ctypes.addressof(buffer)))

def tell(tty):
    room = 4096
    buffer = ctypes.create_string_buffer(room * 4)
    asked = bytearray(struct.pack("H6xQ", room, ctypes.addressof(buffer)))
    fcntl.ioctl(tty, GIO_UNIMAP, asked)
    count = struct.unpack_from("H", asked)[0]
    mask = struct.unpack("H", fcntl.ioctl(tty, VT_GETHIFONTMASK, bytes(2)))[0]
    pairs = list(struct.iter_unpack("HH", buffer.raw[: count * 4]))
    print(json.dumps({"mask": mask, "glyphs": pairs}))

with open(sys.argv[1], "rb+", buffering=0) as tty:
    if len(sys.argv) > 2:
        with open(sys.argv[2], "rb") as file:
            load(tty, file.read())
    tell(tty)
"""

# A person's names of keys, as QEMU calls them.
_KEYS = {"Enter": "ret", "Escape": "esc", "PageDown": "pgdn", "PageUp": "pgup", " ": "spc"}
_numbers = itertools.count(1)

_PALETTE = (
    *((0, 0, 0), (0, 0, 170), (0, 170, 0), (0, 170, 170)),
    *((170, 0, 0), (170, 0, 170), (170, 85, 0), (170, 170, 170)),
    *((85, 85, 85), (85, 85, 255), (85, 255, 85), (85, 255, 255)),
    *((255, 85, 85), (255, 85, 255), (255, 255, 85), (255, 255, 255)),
)
"""The console's colours, by the number that VGA has for them: blue is 1 and red 4."""


@dataclass(frozen=True, slots=True)
class Font:
    """A font as the kernel has it: the glyph of each character, and which bit of a cell is the
    ninth of its glyph's number (0 for a font of 256 glyphs)."""

    glyphs: Mapping[str, int]
    mask: int


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of the screen: the character that was written, the number of the glyph that is shown,
    and VGA's numbers of its colours."""

    text: str
    glyph: int
    ink: int
    ground: int

    @property
    def contrast(self) -> float:
        """WCAG's ratio of the two colours, from 1 (the same) to 21."""
        lights = sorted(map(_luminance, (self.ink, self.ground)))
        return (lights[1] + 0.05) / (lights[0] + 0.05)


def _luminance(colour: int) -> float:
    parts = (part / 255 for part in _PALETTE[colour])
    linear = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def start_on(
    stick: Stick, device: str, command: str, environment: Mapping[str, str], name: str
) -> None:
    """Start a program on a terminal of the booted system, as a login there does.

    The number of its session is in the file NAME.pid, at its end its exit code in NAME.exit.
    """
    settings = {"HOME": "/root", "PATH": "/usr/sbin:/usr/bin", **environment}
    words = ["env", "-i", *(f"{key}={value}" for key, value in settings.items())]
    script = f"echo $$ > {name}.pid; {command}; echo $? > {name}.exit"
    started = shlex.join(["setsid", "--fork", "--ctty", *words, "sh", "-c", script])
    stick.run(f"{started} < {device} > {device} 2>&1")


class TextConsole:
    """One program on a text console; `close`, or leaving the `with` block, ends it."""

    def __init__(
        self,
        stick: Stick,
        command: str,
        environment: Mapping[str, str] = MappingProxyType({"LANG": "C.UTF-8"}),
        *,
        tty: int = 1,
    ) -> None:
        self._stick, self._tty = stick, tty
        name = f"{_FOLDER}/tty{tty}-{next(_numbers)}"
        self._process, self._exit = f"{name}.pid", f"{name}.exit"
        stick.run(f"mkdir -p {_FOLDER}; cat > {_TOOL}", stdin=_IN_THE_SYSTEM.encode())
        # From the first look at it on, the kernel keeps the characters of a screen.
        stick.run(
            f"systemctl stop getty@tty{tty}; printf '\\033c' > /dev/tty{tty}; "
            f"cat /dev/vcsu{tty} > /dev/null"
        )
        start_on(stick, f"/dev/tty{tty}", command, {"TERM": "linux", **environment}, name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- keys ---

    def send(self, *keys: str) -> None:
        """Press keys: "q", "Enter", "Escape", "Tab", "Down", "F1"."""
        for key in keys:
            self._stick.monitor(f"sendkey {_KEYS.get(key, key.lower())}")

    def type(self, text: str) -> None:
        """Type letters and digits, on a keyboard of the United States."""
        for letter in text:
            key = _KEYS.get(letter, letter.lower())
            self._stick.monitor(f"sendkey {'shift-' if letter.isupper() else ''}{key}")

    # --- what is seen ---

    def lines(self) -> list[str]:
        """The screen from top to bottom, without the spaces at the ends of its lines."""
        return ["".join(cell.text for cell in row).rstrip() for row in self.rows(Font({}, 0))]

    def rows(self, font: Font) -> list[list[Cell]]:
        """The cells of the screen, row by row, at a moment at which it stands still."""

        def look() -> bytes | None:
            cells, text = f"/dev/vcsa{self._tty}", f"/dev/vcsu{self._tty}"
            seen = self._stick.run_bytes(f"cat {cells} {text} {cells}")
            size = 4 + 2 * seen[0] * seen[1]
            return seen[:-size] if seen[:size] == seen[-size:] else None

        seen = wait_for(look, "a screen that stands still", 30)
        height, width = seen[0], seen[1]
        count = height * width
        raw = struct.unpack_from(f"<{count}H", seen, 4)
        text = seen[4 + 2 * count :].decode("utf-32-le")
        if len(text) != count:
            raise MachineError(f"{width}x{height} cells have {len(text)} characters")
        cells = [_cell(*pair, font.mask) for pair in zip(text, raw, strict=True)]
        return [cells[at : at + width] for at in range(0, count, width)]

    def font(self, file: Path | None = None) -> Font:
        """The font that is shown, after loading `file` (PSF1), if one is given.

        What stands on the screen has to be drawn again after it.
        """
        loaded = ""
        if file is not None:
            loaded = f"{_FOLDER}/{file.name}"
            self._stick.run(f"cat > {loaded}", stdin=file.read_bytes())
        told = json.loads(self._stick.run(f"python3 {_TOOL} /dev/tty{self._tty} {loaded}").stdout)
        # Of two characters with one glyph, and of two glyphs for a character, the last one counts.
        return Font({chr(code): glyph for code, glyph in told["glyphs"]}, told["mask"])

    def photograph(self, picture: Path) -> None:
        """Write what the screen shows to a PNG."""
        self._stick.photograph(picture)

    def wait_for(self, pattern: str, seconds: float = 30) -> list[str]:
        """Wait until a line of the screen has this regular expression; the screen's lines."""
        return wait_for_lines(self.lines, shows(pattern), pattern, seconds)

    # --- its end ---

    @property
    def exit_code(self) -> int | None:
        """The exit code of the program; None while it runs."""
        code = self._stick.run(f"cat {self._exit}", check=False).stdout.strip()
        return int(code) if code else None

    def wait_end(self, seconds: float = 30) -> int:
        """Wait until the program has ended; its exit code."""
        return wait_for(lambda: self.exit_code, "the program's end", seconds)

    def close(self) -> None:
        """End the program, however it is."""
        self._stick.run(f"pkill -KILL -s $(cat {self._process})", check=False)


def _cell(text: str, raw: int, mask: int) -> Cell:
    glyph = raw & 0xFF | (0x100 if raw & mask else 0)
    if mask == 0x100:
        # A frame buffer: the colours move up to make room for the ninth bit.
        attribute = raw >> 9
        return Cell(text, glyph, attribute & 0xF, attribute >> 4 & 7)
    attribute = (raw & ~mask) >> 8
    return Cell(text, glyph, attribute & 0xF, attribute >> 4 & 7)


def faults(rows: Sequence[Sequence[Cell]], font: Font) -> Iterator[str]:
    """What is wrong with a screen: characters that the font lacks, ink that cannot be seen."""
    for number, row in enumerate(rows, 1):
        for column, cell in enumerate(row, 1):
            where = f"row {number}, column {column}: {cell.text!r}"
            if font.glyphs.get(cell.text) != cell.glyph:
                yield f"{where} is shown as glyph {cell.glyph}"
            elif cell.text != " " and cell.contrast < LEAST_CONTRAST:
                yield f"{where} has ink {cell.ink} on {cell.ground}"


LEAST_CONTRAST = 2.5
"""Dark grey and dark red on black have it; blue on black (1.6), black on black do not."""
