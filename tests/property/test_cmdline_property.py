"""Any command line is words; words that are written with quotes are read back."""

from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.formats.cmdline import (
    KernelCommandLine,
    LiveOptions,
    Option,
    live_options,
    other_live_system,
    parse_cmdline,
)

KEYS = st.text("abcdefXYZ0123456789._-/", min_size=1, max_size=20)
VALUES = st.none() | st.text("abcXYZ019 =:/._-\t", max_size=30)


def written(option: Option) -> str:
    return option.key if option.value is None else f'{option.key}="{option.value}"'


@given(st.lists(st.builds(Option, KEYS, VALUES), max_size=20))
def test_words_that_are_written_are_read_back(options: list[Option]) -> None:
    assert parse_cmdline(" ".join(map(written, options))) == KernelCommandLine(tuple(options))


@given(st.text(max_size=2000))
def test_any_text_is_options(text: str) -> None:
    cmdline = parse_cmdline(text)
    assert isinstance(live_options(cmdline), LiveOptions)
    assert other_live_system(cmdline) is None or cmdline.options


@given(st.text('ab=" \t', max_size=40))
def test_no_word_holds_more_than_the_text_does(text: str) -> None:
    options = parse_cmdline(text).options
    assert sum(len(each.key) + len(each.value or "") for each in options) <= len(text)
