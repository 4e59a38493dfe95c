"""Mounts that are written as the kernel writes them are read back; any text ends well."""

import contextlib

from hypothesis import given
from hypothesis import strategies as st

from liveos_tui.errors import FormatError
from liveos_tui.formats.mountinfo import (
    Mount,
    OverlayLayers,
    mount_at,
    mount_holding,
    overlay_layers,
    parse_mountinfo,
)

NAMES = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=12)
PATHS = st.lists(NAMES, max_size=4).map(lambda names: "/" + "/".join(names))
IDS = st.integers(0, 12)
WORDS = st.text("abcxyz=0123456789", min_size=1, max_size=8)


def escaped(text: str, extra: str = "") -> str:
    return "".join(f"\\{ord(c):03o}" if c in " \t\n\\" + extra else c for c in text)


def written(mount: Mount) -> str:
    options, super_options = (
        ",".join(escaped(option, ",") for option in each)
        for each in (mount.options, mount.super_options)
    )
    return (
        f"{mount.mount_id} {mount.parent_id} {mount.device} {escaped(mount.root)} "
        f"{escaped(mount.mount_point)} {options} shared:7 - {mount.filesystem} "
        f"{escaped(mount.source, '#')} {super_options}\n"
    )


MOUNTS = st.builds(
    Mount,
    IDS,
    IDS,
    st.builds("{}:{}".format, IDS, IDS),
    PATHS,
    PATHS,
    st.lists(NAMES, min_size=1, max_size=3).map(tuple),
    st.sampled_from(["ext4", "tmpfs", "overlay", "fuse.sshfs"]),
    NAMES,
    st.lists(NAMES, min_size=1, max_size=3).map(tuple),
)


@given(st.lists(MOUNTS, max_size=6))
def test_mounts_that_are_written_are_read_back(mounts: list[Mount]) -> None:
    assert parse_mountinfo("".join(map(written, mounts))) == tuple(mounts)


@given(st.lists(MOUNTS, max_size=12), PATHS)
def test_whatever_the_list_a_path_is_on_a_mount_above_it_or_on_none(
    mounts: list[Mount], path: str
) -> None:
    held = mount_holding(tuple(mounts), path)
    if held:
        assert f"{path}/".startswith(held.mount_point.rstrip("/") + "/")
    at = mount_at(tuple(mounts), path)
    assert at is None or at.mount_point == path


@given(st.lists(PATHS, min_size=1, max_size=4), PATHS, PATHS)
def test_protected_layers_are_read_back(lower: list[str], upper: str, work: str) -> None:
    def protected(path: str) -> str:
        return "".join(f"\\{c}" if c in "\\:," else c for c in path)

    options = (
        "lowerdir=" + ":".join(map(protected, lower)),
        "upperdir=" + protected(upper),
        "workdir=" + protected(work),
    )
    mount = Mount(27, 1, "0:40", "/", "/", ("rw",), "overlay", "overlay", options)
    (back,) = parse_mountinfo(written(mount))
    assert overlay_layers(back) == OverlayLayers(tuple(lower), upper, work)


@given(st.text(max_size=2000) | st.text("0123456789:/ -\\,=rw\n", max_size=300))
def test_any_text_is_mounts_or_one_error(text: str) -> None:
    with contextlib.suppress(FormatError):
        for mount in parse_mountinfo(text):
            overlay_layers(mount)
