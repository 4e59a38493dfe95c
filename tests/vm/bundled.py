"""The bundle of this checkout on the FAT32 of a booted stick: copied there by the bundle itself."""

import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from machine import CHECKOUT
from stick import LIVE, Stick

PROGRAM = f"sh {LIVE}/liveos-tui/liveos-tui"
"""How root starts it there."""

PROCESS = "liveos-tui/start.py"
"""What its processes are known by."""


@cache
def _made() -> bytes:
    """The bundle in a tar."""
    with tempfile.TemporaryDirectory() as top:
        folder = Path(top, "liveos-tui")
        subprocess.run([sys.executable, CHECKOUT / "tools/bundle/build.py", folder], check=True)
        tar = ["tar", "-c", "-C", top, folder.name]
        return subprocess.run(tar, capture_output=True, check=True).stdout


def carry(stick: Stick, *, replaced: str = "") -> None:
    """Copy the bundle onto the stick that runs, from memory; it says what it has `replaced`."""
    stick.run("mkdir /run/carry && tar -xoC /run/carry", stdin=_made())
    said = stick.run("sh /run/carry/liveos-tui/liveos-tui install-to-stick live", timeout=180)
    assert "It was read back, and is the same." in said.stdout
    assert not replaced or f"in the place of {replaced}" in said.stdout
    stick.run("rm -rf /run/carry")
