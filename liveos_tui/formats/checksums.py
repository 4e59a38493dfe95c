"""SHA256SUMS of a bundle: what its files are, as sha256sum(1) writes and checks it.

# liveos-tui 0.1.0
9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08  source.zip
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from liveos_tui.errors import FormatError

_TITLE = re.compile(r"# liveos-tui ([0-9A-Za-z.+-]{1,40})")
_LINE = re.compile(r"([0-9a-f]{64})  ([0-9A-Za-z][0-9A-Za-z._-]{0,63})")


@dataclass(frozen=True, slots=True)
class Checksums:
    """The version of the program, and the SHA-256 of each file in hexadecimal, by its name."""

    version: str
    hashes: Mapping[str, str]

    def text(self) -> str:
        """The file that says so."""
        lines = [f"{self.hashes[name]}  {name}" for name in sorted(self.hashes)]
        return "\n".join((f"# liveos-tui {self.version}", *lines, ""))


def parse_checksums(data: bytes) -> Checksums:
    """Read a SHA256SUMS. Raises FormatError."""
    title, *lines = data.decode("ascii", "replace").split("\n")
    version = _TITLE.fullmatch(title)
    found = [_LINE.fullmatch(line) for line in lines if line]
    if version is None or not found or None in found:
        raise FormatError("SHA256SUMS does not say what a liveos-tui is made of.")
    return Checksums(version[1], {match[2]: match[1] for match in found if match})
