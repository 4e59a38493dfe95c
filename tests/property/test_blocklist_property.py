"""Any JSON, and any text, is devices or one FormatError."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import FormatError
from liveos_tui.formats.blocklist import parse_lsblk

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)
COLUMNS = st.sampled_from(
    ["name", "kname", "path", "maj:min", "type", "label", "size", "ro", "mountpoints", "mountpoint",
     "pkname", "children"]
)  # fmt: skip
ROWS = st.recursive(
    st.dictionaries(COLUMNS, VALUES, max_size=8),
    lambda inner: st.builds(
        lambda row, children: row | {"children": children},
        st.dictionaries(COLUMNS, VALUES, max_size=8),
        st.lists(inner, max_size=3),
    ),
    max_leaves=10,
)


@given(st.lists(ROWS, max_size=5))
def test_any_rows_are_devices_that_are_listed_once(rows: list[object]) -> None:
    devices = parse_lsblk(json.dumps({"blockdevices": rows}))
    names = [device.name for device in devices]
    assert len(set(names)) == len(names)
    for device in devices:
        assert device.name.isprintable()
        assert device.label is None or device.label.isprintable()


@given(VALUES.map(json.dumps) | st.text(max_size=200))
def test_any_text_is_devices_or_one_error(text: str) -> None:
    with contextlib.suppress(FormatError):
        parse_lsblk(text)


WHOLE = json.dumps({"blockdevices": [{"name": f"sd{n}", "size": n} for n in range(20)]})


@given(st.integers(0, len(WHOLE) - 1))
def test_a_list_cut_anywhere_is_refused(length: int) -> None:
    with pytest.raises(FormatError):
        parse_lsblk(WHOLE[:length])
