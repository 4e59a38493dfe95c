"""Any bytes in any pieces: the same events, the same summary, never an error."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.formats.debugfs import errors, parse_folder, parse_names
from liveos_tui.formats.e2fsck import FsckExit, FsckMessages, FsckProgress, exit_words
from liveos_tui.formats.kernel_log import parse_kernel_log, why_it_died
from liveos_tui.formats.lines import LineSplitter

DATA = Path(__file__).parents[1] / "data"
OUTPUTS = [path.read_bytes() for path in sorted((DATA / "e2fsck").glob("*.out"))]
PROGRESS = [path.read_bytes() for path in sorted((DATA / "e2fsck").glob("*.progress"))]
LOGS = [path.read_bytes() for path in sorted((DATA / "kernel-log").glob("*.dmesg"))]


@st.composite
def pieces(draw: st.DrawFn, whole: st.SearchStrategy[bytes]) -> list[bytes]:
    data = draw(whole)
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=12)))
    return [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


@st.composite
def damaged(draw: st.DrawFn, samples: list[bytes]) -> bytes:
    data = draw(st.sampled_from(samples))
    place = draw(st.integers(0, len(data)))
    return data[:place] + draw(st.binary(max_size=40)) + data[place + draw(st.integers(0, 9)) :]


@given(pieces(damaged(OUTPUTS) | st.binary(max_size=6000)))
def test_messages_in_any_pieces(parts: list[bytes]) -> None:
    one, many = FsckMessages(), FsckMessages()
    lines = one.feed(b"".join(parts)) + one.close()
    split = [line for part in parts for line in many.feed(part)] + many.close()
    assert split == lines
    assert many.summary() == one.summary()
    assert all(line.isprintable() and len(line) <= 200 for line in lines)


@given(pieces(damaged(PROGRESS) | st.binary(max_size=3000)))
def test_progress_in_any_pieces(parts: list[bytes]) -> None:
    one, many = FsckProgress(), FsckProgress()
    events = one.feed(b"".join(parts)) + one.close()
    assert [event for part in parts for event in many.feed(part)] + many.close() == events
    assert all(0 <= event.fraction <= 1 and 1 <= event.pass_number <= 5 for event in events)


@given(pieces(st.text("ab\n", max_size=60).map(str.encode)), st.integers(1, 6))
def test_lines_in_any_pieces(parts: list[bytes], limit: int) -> None:
    splitter = LineSplitter(limit)
    found = [line for part in parts for line in splitter.feed(part)] + splitter.close()
    *ended, rest = b"".join(parts).split(b"\n")
    expected = [line for line in ended if len(line) <= limit]
    assert found == expected + ([rest] if 0 < len(rest) <= limit else [])


@given(st.integers(0, 255))
def test_every_exit_code_has_words(code: int) -> None:
    assert exit_words(FsckExit(code)).endswith(".")


@given(damaged(LOGS) | st.binary(max_size=500), st.sets(st.sampled_from(["dm-0", "loop1"])))
def test_kernel_logs(data: bytes, devices: set[str]) -> None:
    lines = parse_kernel_log(data)
    assert all(line.text.isprintable() for line in lines)
    why_it_died(lines, devices)


NAMES = st.binary(min_size=1, max_size=20).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."}
)


@given(st.lists(st.tuples(st.integers(1, 2**32 - 1), NAMES, st.integers(0, 2**60))))
def test_any_name_in_a_folder(files: list[tuple[int, bytes, int]]) -> None:
    output = b"".join(
        b"/%d/100644/0/0/%s/%d/\n" % (inode, name, size) for inode, name, size in files
    )
    found = parse_folder(b"/2/040755/0/0/.//\n/2/040755/0/0/..//\n" + output + b"\n")
    assert [(entry.inode, entry.raw, entry.size_bytes) for entry in found] == files
    assert all(entry.name.isprintable() for entry in found)


@given(st.binary(max_size=400))
def test_any_answer_of_debugfs(data: bytes) -> None:
    parse_folder(data)
    parse_names(data)
    assert all(line.isprintable() for line in errors(data))
