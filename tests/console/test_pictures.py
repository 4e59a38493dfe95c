"""The pictures in screenshots/ are of the screens as they are."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import picture
import pytest
from pictures import FOLDER, SHOTS, draw, sticks
from rich.segment import Segment
from rich.style import Style

if TYPE_CHECKING:
    from practice_sticks import Sticks

AGAIN = "run `make screenshots`, look at the pictures, and commit them"


@pytest.fixture(scope="module")
def seen() -> Iterator["Sticks"]:
    with sticks() as found:
        yield found


@pytest.mark.real_tools
def test_no_screen_has_changed_since_its_picture(seen: "Sticks") -> None:
    drawn = {name: draw(name, seen) for name in SHOTS}
    files = {path.stem: path.read_text("utf-8") for path in FOLDER.glob("*.svg")}
    other = sorted(name for name in drawn | files if drawn.get(name) != files.get(name))
    assert not other, f"{', '.join(other)}: {AGAIN}"


def test_a_png_is_of_its_svg() -> None:
    # They are made with the SVG, and not kept in the repository.
    made = {path.stem: path for path in FOLDER.glob("*.png") if path.with_suffix(".svg").exists()}
    other = [
        name
        for name, path in sorted(made.items())
        if picture.source_of(path.read_bytes())
        != picture.fingerprint(path.with_suffix(".svg").read_text("utf-8"))
    ]
    assert not other, f"{', '.join(other)}: {AGAIN}"


def row(text: str, style: str = "") -> list[Segment]:
    return [Segment(text, Style.parse(style))]


def test_a_picture_holds_no_letter_as_text() -> None:
    svg = picture.svg([row("a <b>"), row("     ")], title="a & b")
    assert "<text" not in svg
    assert 'aria-label="a &lt;b&gt;"' in svg
    assert "<title>a &amp; b</title>" in svg


def test_a_bar_is_one_shape() -> None:
    svg = picture.svg([row("████▌", "#ff0000"), row("     ")], title="")
    assert svg.count('fill="#ff0000"') == 1
    assert 'width="45"' in svg


def test_bold_is_bright_on_a_text_console_and_bold_elsewhere() -> None:
    plain = picture.svg([row("x", "bold cyan"), row(" ")], title="")
    rich = picture.svg([row("x", "bold #112233"), row(" ")], title="")
    assert "#55ffff" in plain
    assert 'id="r78"' in plain
    assert 'id="b78"' in rich


def test_a_letter_without_an_outline_is_told() -> None:
    with pytest.raises(KeyError):
        picture.svg([row("中 "), row("   ")], title="")


def test_a_png_says_which_svg_it_was_made_from() -> None:
    png = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + bytes(13 + 4) + b"rest"
    signed = picture.signed(png, "<svg/>")
    assert picture.source_of(signed) == picture.fingerprint("<svg/>")
    assert picture.source_of(png) is None
    assert signed.endswith(b"rest")
