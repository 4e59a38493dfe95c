"""The command that makes a squashfs of one file."""

import pytest

from liveos_tui.errors import LiveosError
from liveos_tui.formats.squash_command import SquashOptions, squash_command

MEMBER = "LiveOS/rootfs.img"
FAST = SquashOptions("zstd", 128 << 10, 1)


@pytest.mark.parametrize("member", ["a b", "/etc/passwd", "../x", "a/../b", "x;reboot", "", "a\nb"])
def test_a_member_is_no_word_of_a_shell(member: str) -> None:
    with pytest.raises(LiveosError, match="is no name for the root file system"):
        squash_command("new.img", member, FAST)


def test_levels_are_those_of_the_compressor() -> None:
    words = squash_command("new.img", MEMBER, SquashOptions("zstd", 131072, 19))
    assert words[words.index("-Xcompression-level") + 1] == "19"
    for name, level in (("zstd", 23), ("xz", 1), ("lz4", 1)):
        with pytest.raises(LiveosError, match=f"{name} has no level"):
            squash_command("new.img", MEMBER, SquashOptions(name, 131072, level))


def test_permission_bits_that_are_not_known_yet_have_a_name() -> None:
    words = squash_command("new.img", MEMBER, FAST, mode="MODE")

    assert words[-4:] == (
        "-p", "LiveOS d MODE 0 0", "-p", "LiveOS/rootfs.img f MODE 0 0 MERGED-VIEW",
    )  # fmt: skip
