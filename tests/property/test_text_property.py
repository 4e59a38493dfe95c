"""`clean`, for any text: printable, bounded, and done when it is done."""

from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.formats.text import clean

ANY = st.text(st.characters(), max_size=300) | st.binary(max_size=300)


@given(ANY, st.integers(0, 400))
def test_the_result_is_printable_and_bounded(value: str | bytes, limit: int) -> None:
    shown = clean(value, limit)
    assert shown.isprintable()
    assert len(shown) <= limit


@given(ANY)
def test_clean_text_stays_as_it_is(value: str | bytes) -> None:
    shown = clean(value, 5000)
    assert clean(shown, 5000) == shown


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=200))
def test_printable_ascii_is_never_touched(text: str) -> None:
    assert clean(text) == text
