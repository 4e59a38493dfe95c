"""SHA256SUMS of a bundle."""

import pytest

from liveos_tui.errors import FormatError
from liveos_tui.formats.checksums import Checksums, parse_checksums

HASH = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
SUMS = Checksums("0.1.0", {"start.py": HASH, "liveos-tui": HASH[::-1]})


def test_it_is_what_sha256sum_checks() -> None:
    assert SUMS.text() == (f"# liveos-tui 0.1.0\n{HASH[::-1]}  liveos-tui\n{HASH}  start.py\n")


def test_what_was_written_is_read() -> None:
    assert parse_checksums(SUMS.text().encode()) == SUMS


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"# liveos-tui 0.1.0\n",
        f"{HASH}  start.py\n".encode(),
        f"# another program 1\n{HASH}  start.py\n".encode(),
        f"# liveos-tui 0.1.0\n{HASH}  ../start.py\n".encode(),
        f"# liveos-tui 0.1.0\n{HASH}  .profile\n".encode(),
        f"# liveos-tui 0.1.0\n{HASH[1:]}  start.py\n".encode(),
        f"# liveos-tui \x1b[31m\n{HASH}  start.py\n".encode(),
        b"\xff" * 300,
    ],
)
def test_everything_else_is_refused(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_checksums(data)
