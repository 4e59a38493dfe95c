"""What is written is read back; whatever is read gives values or one FormatError."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import FormatError
from liveos_tui.formats.dmtable import (
    DeviceStatus,
    DeviceTable,
    LinearTable,
    MirrorLeg,
    MirrorStatus,
    MirrorTable,
    SnapshotIll,
    SnapshotOriginTable,
    SnapshotStatus,
    SnapshotTable,
    StatusLine,
    TableLine,
    TargetStatus,
    parse_status,
    parse_table,
)

SECTORS = st.integers(0, 2**63)
NUMBERS = st.integers(0, 250)
DEVICES = st.builds("{}:{}".format, NUMBERS, NUMBERS)
NAMES = st.text("abcXYZ0123456789-_.:+@=#\\", min_size=1, max_size=127)
FEATURES = st.lists(
    st.sampled_from(["handle_errors", "keep_log", "discard_zeroes_cow"]), unique=True, max_size=2
).map(tuple)

SNAPSHOTS = st.builds(
    SnapshotTable,
    DEVICES,
    DEVICES,
    st.sampled_from(["P", "PO", "N"]),
    SECTORS,
    FEATURES,
    st.booleans(),
)
MIRRORS = st.builds(
    MirrorTable,
    st.lists(st.builds(MirrorLeg, DEVICES, SECTORS), min_size=1, max_size=8).map(tuple),
    st.sampled_from([("1024",), ("8192", "sync"), ("32", "nosync", "block_on_error")]),
    st.just("core"),
    FEATURES,
)
TABLES = st.one_of(
    SNAPSHOTS,
    MIRRORS,
    st.builds(LinearTable, DEVICES, SECTORS),
    st.builds(SnapshotOriginTable, DEVICES),
)


@st.composite
def mirror_statuses(draw: st.DrawFn) -> MirrorStatus:
    devices = draw(st.lists(DEVICES, min_size=1, max_size=8))
    health = draw(st.text("ADSRFU", min_size=len(devices), max_size=len(devices)))
    log = draw(st.sampled_from(["core", "disk 254:3 A"]))
    return MirrorStatus(tuple(devices), draw(SECTORS), draw(SECTORS), health, log)


STATUSES: st.SearchStrategy[tuple[str, TargetStatus]] = st.one_of(
    st.tuples(
        st.sampled_from(["snapshot", "snapshot-merge"]),
        st.one_of(
            st.builds(SnapshotStatus, SECTORS, SECTORS, SECTORS), st.sampled_from(SnapshotIll)
        ),
    ),
    st.tuples(st.just("mirror"), mirror_statuses()),
)


@given(NAMES, st.lists(st.builds(TableLine, SECTORS, SECTORS, TABLES), min_size=1, max_size=5))
def test_a_table_that_is_written_is_read_back(name: str, lines: list[TableLine]) -> None:
    text = "".join(f"{name}: {line}\n" for line in lines)
    assert parse_table(text) == (DeviceTable(name, tuple(lines)),)


@given(NAMES, SECTORS, SECTORS, STATUSES)
def test_a_status_that_is_written_is_read_back(
    name: str, start: int, length: int, told: tuple[str, TargetStatus]
) -> None:
    line = StatusLine(start, length, *told)
    assert parse_status(f"{name}: {line}\n") == (DeviceStatus(name, (line,)),)
    assert parse_status(str(line)) == (DeviceStatus(None, (line,)),)


@given(st.text(max_size=3000))
def test_any_text_is_values_or_one_error(text: str) -> None:
    for parse in (parse_status, parse_table):
        with contextlib.suppress(FormatError):
            parse(text)


@given(
    st.sampled_from(["snapshot", "mirror", "linear", "snapshot-origin"]),
    st.text("0123456789:/ APO\x1bcoredisk-", max_size=200),
)
def test_any_parameters_are_kept(target: str, parameters: str) -> None:
    (device,) = parse_table(f"name: 0 8 {target} {parameters}")
    (line,) = device.lines
    assert str(line.table) == parameters.rstrip(" ").replace("\x1b", r"\x1b")
