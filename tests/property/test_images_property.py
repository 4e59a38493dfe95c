"""Any head is an image or none: nothing is raised, nothing unprintable comes out."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.formats.images import Image, identify

DATA = Path(__file__).parents[1] / "data" / "images"
REAL = [path.read_bytes() for path in sorted(DATA.glob("*.head"))]
SHORT = [data for data in REAL if len(data) <= 4096]


def harmless(found: Image | None) -> bool:
    if found is None:
        return True
    texts = [found.version, found.label, found.uuid, found.compressor, found.damage]
    return all(text is None or (text != "" and text.isprintable()) for text in texts)


@given(st.binary(max_size=5000))
def test_random_bytes(data: bytes) -> None:
    assert harmless(identify(data))


@given(st.sampled_from(REAL), st.integers(0, 70_000))
def test_a_head_cut_anywhere(data: bytes, length: int) -> None:
    assert harmless(identify(data[:length]))


@given(
    st.sampled_from(SHORT),
    st.lists(
        st.tuples(st.integers(0, 1023) | st.integers(0, 4090), st.binary(min_size=1, max_size=6)),
        max_size=12,
    ),
)
def test_a_head_with_bytes_changed(data: bytes, changes: list[tuple[int, bytes]]) -> None:
    changed = bytearray(data)
    for offset, value in changes:
        changed[offset : offset + len(value)] = value
    assert harmless(identify(bytes(changed)))


@given(st.sampled_from(SHORT), st.binary(min_size=112, max_size=256), st.integers(0, 900))
def test_a_real_signature_before_random_fields(data: bytes, junk: bytes, offset: int) -> None:
    changed = data[:8] + junk + data[8 + len(junk) :]
    assert harmless(identify(changed))
    assert harmless(identify(data[:offset] + junk + data[offset + len(junk) :]))
