"""Everything that the plain look draws is in the fonts that text consoles have."""

from pathlib import Path

import pytest

from liveos_tui.console.glyphs import SAFE, SAFE_CHARACTERS

FONTS = Path(__file__).parents[1] / "data" / "console-fonts"
GOLDENS = Path(__file__).parent / "goldens"


def characters(font: Path) -> frozenset[str]:
    """What a font has: its data are ranges of hexadecimal numbers."""
    found: set[str] = set()
    for word in font.read_text().split():
        first, _, last = word.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(found)


@pytest.fixture(params=["kernel", "Lat15-Fixed16", "eurlatgr"])
def font(request: pytest.FixtureRequest) -> frozenset[str]:
    return characters(FONTS / f"{request.param}.txt")


def test_the_font_has_what_the_plain_look_may_draw(font: frozenset[str]) -> None:
    assert font >= SAFE_CHARACTERS


def test_the_font_has_every_glyph_of_the_plain_look(font: frozenset[str]) -> None:
    drawn = [SAFE.horizontal, SAFE.vertical, *SAFE.corners, SAFE.full, SAFE.track, *SAFE.across]
    drawn += [*SAFE.upward, SAFE.marker, SAFE.dots, SAFE.separator, *(SAFE.halves or ())]
    assert font.issuperset("".join(drawn))


def test_the_font_has_what_stands_on_the_plain_screens(font: frozenset[str]) -> None:
    screens = "".join(path.read_text() for path in sorted(GOLDENS.glob("*-plain.txt")))
    assert font >= set(screens) - {"\n"}
