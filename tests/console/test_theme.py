"""The colours: every text can be read on its ground, in every look."""

import pytest
from rich.color import Color
from rich.style import Style

from liveos_tui.console.theme import Role, ground, styles
from liveos_tui.system.terminal import Contrast, Look, TerminalProfile

RICH = TerminalProfile(Look.RICH)
PLAIN = TerminalProfile()
RICH_HIGH = TerminalProfile(Look.RICH, contrast=Contrast.HIGH)
PLAIN_HIGH = TerminalProfile(contrast=Contrast.HIGH)

SHAPES = {
    Role.FRAME,
    Role.FILL,
    Role.FILL_GOOD,
    Role.FILL_WARNING,
    Role.FILL_DANGER,
    Role.FILL_OLD,
    Role.TRACK,
    Role.HISTORY,
    Role.ILL,
}
# In their own order: each process of a run has to find the same tests.
BARS = [role for role in Role if role in SHAPES - {Role.FRAME, Role.TRACK, Role.HISTORY, Role.ILL}]
LETTERS = [role for role in Role if role not in SHAPES]

# The Linux console's colours (vt.c), as a text console on black has them; bold ones are bright.
CONSOLE = (0x000000, 0xAA0000, 0x00AA00, 0xAA5500, 0x0000AA, 0xAA00AA, 0x00AAAA, 0xAAAAAA)
BRIGHT = (0x555555, 0xFF5555, 0x55FF55, 0xFFFF55, 0x5555FF, 0xFF55FF, 0x55FFFF, 0xFFFFFF)


def luminance(rgb: int) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [(rgb >> shift & 255) / 255 for shift in (16, 8, 0)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(style: Style) -> float:
    """Contrast ratio of a style's ink to its ground (WCAG 2.1)."""
    ink, paper = value(style.color, 7, bright=bool(style.bold)), value(style.bgcolor, 0)
    light, dark = sorted((luminance(ink), luminance(paper)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def value(colour: Color | None, default: int, *, bright: bool = False) -> int:
    if colour is not None and colour.triplet is not None:
        return int(colour.triplet.hex.removeprefix("#"), 16)
    number = default if colour is None or colour.number is None else colour.number
    return (BRIGHT if bright else CONSOLE)[number]


@pytest.mark.parametrize("role", LETTERS, ids=lambda role: role.name)
@pytest.mark.parametrize(
    ("terminal", "least"),
    [(RICH, 4.5), (PLAIN, 4.5), (RICH_HIGH, 7.0), (PLAIN_HIGH, 7.0)],
    ids=["rich", "plain", "rich-high", "plain-high"],
)
def test_letters_can_be_read(role: Role, terminal: TerminalProfile, least: float) -> None:
    assert contrast(styles(terminal)[role]) >= least


@pytest.mark.parametrize("role", BARS, ids=lambda role: role.name)
@pytest.mark.parametrize("terminal", [RICH, RICH_HIGH], ids=["rich", "rich-high"])
def test_the_used_part_of_a_gauge_stands_out_from_the_free_part(
    role: Role, terminal: TerminalProfile
) -> None:
    assert contrast(styles(terminal)[role]) >= 3.0


@pytest.mark.parametrize("terminal", [PLAIN, PLAIN_HIGH])
def test_nothing_is_dim_on_a_text_console(terminal: TerminalProfile) -> None:
    # The Linux console makes it dark grey, and black where the font has 512 glyphs.
    assert not [role for role in Role if styles(terminal)[role].dim]


@pytest.mark.parametrize("look", Look)
@pytest.mark.parametrize("level", Contrast)
def test_without_colour_there_is_none_in_either_look(look: Look, level: Contrast) -> None:
    terminal = TerminalProfile(look, colour=False, contrast=level)
    assert not [style for style in styles(terminal).values() if style.color or style.bgcolor]
    assert ground(terminal) == ("ansi_default", "ansi_default")


@pytest.mark.parametrize("terminal", [RICH, RICH_HIGH, PLAIN, PLAIN_HIGH])
def test_every_role_has_a_style_and_the_ground_of_its_look(terminal: TerminalProfile) -> None:
    found = styles(terminal)
    assert set(found) == set(Role)
    background, _ = ground(terminal)
    if background != "ansi_default":
        paper = found[Role.TEXT].bgcolor
        assert paper is not None
        assert paper.name == background.removeprefix("ansi_")


@pytest.mark.parametrize("terminal", [RICH, RICH_HIGH])
def test_a_colour_means_one_thing(terminal: TerminalProfile) -> None:
    found = styles(terminal)
    judgements = {found[role].color for role in (Role.GOOD, Role.WARNING, Role.ILL)}
    assert len(judgements) == 3
    others = (Role.KEY, Role.FILL, Role.HEADING, Role.TEXT, Role.NOTICE)
    assert not judgements & {found[role].color for role in others}
    assert found[Role.KEY].color != found[Role.FILL].color
