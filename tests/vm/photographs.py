"""Photographs every screen on the text console (tty1) of a booted stick, with two fonts.

    tests/vm/run photographs [FOLDER]       default: screenshots/

tty1-NAME.png has Debian's default font, tty1-NAME-eurlatgr.png the one that Fedora sets, whose 512
glyphs cost VGA its bright colours. Before each picture the kernel is asked what it shows: a glyph
that is not that of its character, or a colour that cannot be seen, is told, and the exit code is 1.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from kernel import PROGRAM
from machine import CACHE, CHECKOUT, MachineError, wait_for
from stick import PERSISTENT, Stick
from text_console import Font, TextConsole, faults

STARTS = 120
"""Seconds that Textual may need to start on an emulated machine that others use too."""
WORKS = 400

FONTS = {"": "Lat15-Fixed16.psf", "-eurlatgr": "eurlatgr.psf"}
"""Files of fonts, by what the names of their pictures end with."""
_GLYPH_BYTES = 16


def font_file(ending: str) -> Path:
    """The file of a font of `FONTS`."""
    return CACHE / "fonts" / FONTS[ending]


def twice_as_high(font: Path, target: Path) -> Path:
    """A font with every row doubled, for weak eyes: a screen has twelve rows then."""
    data = font.read_bytes()
    count = 512 if data[2] & 1 else 256
    end = 4 + count * _GLYPH_BYTES
    rows = b"".join(bytes([row, row]) for row in data[4:end])
    target.write_bytes(data[:3] + bytes([2 * _GLYPH_BYTES]) + rows + data[end:])
    return target


@dataclass
class Photographer:
    """Takes the pictures of one console; `told` is what was wrong in them."""

    console: TextConsole
    folder: Path
    told: list[str] = field(default_factory=list)
    _font: Font | None = None
    _ending: str = ""

    def screen(self, name: str, pattern: str, seconds: float = STARTS) -> None:
        """A screen that stays, with each font; it shows this regular expression."""
        self.console.wait_for(pattern, seconds)
        for ending in FONTS:
            self._load(ending)
            self.console.send("F3")
            self._take(name, pattern)
        self._load("")
        self.console.send("F3")

    def moment(self, name: str, pattern: str, seconds: float = STARTS) -> None:
        """A screen that moves, with the font that is there."""
        self.console.wait_for(pattern, seconds)
        self._take(name, pattern)

    def check(self, name: str, font: Font) -> None:
        """Only look at what is shown."""
        found = self._faults(font)
        self._tell(name, found)

    def _load(self, ending: str) -> None:
        if self._font is None or self._ending != ending:
            self._font, self._ending = self.console.font(font_file(ending)), ending

    def _take(self, name: str, pattern: str) -> None:
        if self._font is None:
            self._load("")
            self.console.send("F3")
        font = self._font
        assert font is not None
        found: list[str] = []

        def drawn() -> bool:
            # What was there before a font was loaded is shown with the wrong glyphs until F3.
            found[:] = self._faults(font)
            return not found

        try:
            self.console.wait_for(pattern)
            wait_for(drawn, "the right glyphs", 10)
        except MachineError:
            found = found or [f"no {pattern}"]
        name = f"tty1-{name}{self._ending}"
        self.console.photograph(self.folder / f"{name}.png")
        self._tell(name, found)

    def _faults(self, font: Font) -> list[str]:
        return list(faults(self.console.rows(font), font))

    def _tell(self, name: str, found: Sequence[str]) -> None:
        print(f"{'ok   ' if not found else 'WRONG'} {name}", *found[:3], sep="\n      ", flush=True)
        self.told += [f"{name}: {text}" for text in found]


def looking(camera: Photographer, stick: Stick) -> None:
    """Dashboard, devices, help."""
    console = camera.console
    camera.screen("dashboard", "GiB free")
    stick.attach()
    console.wait_for("STICK2 .*INVALID", STARTS)
    console.send("d")
    console.wait_for("Sticks that come and go")
    console.send("Down")
    camera.screen("devices", "INVALID")
    console.send("Enter")
    console.wait_for("^ STICK2 2222-BBBB", STARTS)
    camera.screen("dashboard-invalid", "BROKEN")
    console.send("F1")
    camera.screen("help", "A LiveOS stick starts")
    console.send("Escape")
    console.wait_for("BROKEN")


def confirmed(camera: Photographer, name: str) -> None:
    """The last question, which asks for the stick's name at times; then it is begun."""
    console = camera.console
    lines = console.wait_for(r"\[ Cancel \]", STARTS)
    if any("Type its name" in line for line in lines):
        console.send("Tab", "Tab")
        console.wait_for("STICK2: » _")
        console.type("STICK2")
        console.wait_for("STICK2: » STICK2")
        camera.screen(name, r"\[ Cancel \]")
        console.send("Enter")
    else:
        camera.screen(name, r"» \[ Cancel \]")
        console.send("Tab", "Enter")


def recovering(camera: Photographer) -> None:
    """The whole of a recovery."""
    console = camera.console
    console.send("r")
    camera.screen("recover", "Enter Begin")
    console.send("Enter")
    console.wait_for(r"WAIT +2 Rehearse", STARTS)
    console.send("Enter")
    camera.moment("recover-running", r"RUN +2 Rehearse")
    camera.screen("recover-rehearsed", r"WAIT +3 Back up", WORKS)
    console.send("a")
    confirmed(camera, "recover-confirm")
    camera.screen("recover-done", r"Result .* DONE", WORKS)
    console.send("l")
    camera.screen("log", "e2fsck")
    console.send("Escape")
    console.wait_for(r"Result .* DONE")
    console.send("Escape")
    console.wait_for("What matters now")


def growing(camera: Photographer) -> None:
    """The whole of a growth."""
    console = camera.console
    console.send("g")
    camera.screen("grow", r"Grow by: .*M")
    console.send("Enter")
    camera.screen("grow-plan", "Enter Grow it")
    console.send("Enter")
    confirmed(camera, "grow-confirm")
    camera.screen("grow-done", r"Result .* DONE", WORKS)
    console.send("Escape")
    console.wait_for("What matters now")


def merging(camera: Photographer) -> None:
    """The whole of a merge, and the list of jobs."""
    console = camera.console
    console.send("m")
    camera.screen("merge", "Enter Merge it", WORKS)
    console.send("e")
    camera.screen("merge-engine", r"\[ Cancel \]")
    console.send("Escape")
    console.wait_for("Enter Merge it")
    console.send("Enter")
    confirmed(camera, "merge-confirm")
    camera.moment("merge-running", r"RUN +Make the new image", WORKS)
    camera.screen("merge-done", r"Result .* DONE", WORKS)
    console.send("Escape")
    console.wait_for("What matters now")
    console.send("j")
    camera.screen("jobs", "DONE")
    console.send("Escape")
    console.wait_for("What matters now")


def filling(camera: Photographer, stick: Stick) -> None:
    """The dashboard of an overlay that fills."""
    console = camera.console
    console.send("d")
    console.wait_for("Sticks that come and go")
    console.send("Home", "Enter")
    console.wait_for("^ LIVE 12AB-CDEF", STARTS)
    for _ in range(5):
        stick.run("head -c 10M /dev/urandom >> /srv/filling; sync", timeout=120)
    camera.screen("dashboard-filling", r"Overlay .* FILLING 8\d %")


def main() -> int:
    """All of them; 1 when one shows what it should not."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("folder", nargs="?", type=Path, default=CHECKOUT / "screenshots")
    folder: Path = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory(prefix="liveos-photographs-") as scratch,
        Stick(Path(scratch) / "stick", PERSISTENT, vga=True) as stick,
    ):
        stick.install()
        with TextConsole(stick, PROGRAM) as console:
            camera = Photographer(console, folder)
            console.wait_for("GiB free", STARTS)
            camera.check("the kernel's own font", console.font())
            looking(camera, stick)
            recovering(camera)
            growing(camera)
            merging(camera)
            filling(camera, stick)
            console.send("q")
            console.wait_end()
        # A root login without a locale: the text console is in UTF-8 mode all the same.
        with TextConsole(stick, PROGRAM, {"LANG": "C"}) as console:
            console.wait_for("GiB free", STARTS)
            camera.console = console
            camera.check("LANG=C", console.font(font_file("")))
            high = twice_as_high(font_file(""), Path(scratch) / "high.psf")
            font = console.font(high)
            console.wait_for("cells, the console needs")
            console.photograph(folder / "tty1-too-small.png")
            camera.check("tty1-too-small", font)
            console.send("q")
            console.wait_end()
    print(f"{len(camera.told)} faults")
    return 1 if camera.told else 0


if __name__ == "__main__":
    sys.exit(main())
