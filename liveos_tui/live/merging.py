"""What a merge needs to know besides the diagnosis: images, tools, places for the work."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from liveos_tui.errors import LiveosError
from liveos_tui.formats.images import SHORT_HEAD_BYTES, Image, ImageKind, identify
from liveos_tui.formats.text import clean
from liveos_tui.live.changes import Changes, look_at_changes
from liveos_tui.live.contents import beside
from liveos_tui.live.site import Site
from liveos_tui.system import squashing
from liveos_tui.system.probes import Probes
from liveos_tui.system.speeds import Speeds, measure_speeds
from liveos_tui.system.work_folder import (
    NoWorkFolderError,
    WorkFolder,
    device_number,
    work_folder,
)

_SMALL_IMAGE = "osmin.img"
# vfat exchanges two names since Linux 6.0 (fs/fat/namei_vfat.c).
_EXCHANGE_SINCE = (6, 0)


@dataclass(frozen=True, slots=True)
class MergeFacts:
    """What lies on the stick and what this machine can do. Sizes are bytes, paths raw.

    `beside` is the name that the new image gets, `beside_taken`: there is such a file already.
    `small_image` is the osmin.img beside the image, which is wrong after a merge. `compressors` are
    those of this machine's mksquashfs, None without one; `troubles` say by the engine's name why
    its version is not to be trusted. `exchanges`: the kernel can exchange names on this stick.
    `own_roots` are the devices ("254:0") of what the overlay in use makes: no folder for the work.
    `number` is the device that the stick's file system is on.
    `speeds` are those of a sample of the image, `changes` is what was seen in the overlay; None
    where it could not be found out. A file in memory may have `memory_bytes`.
    """

    image: Image | None = None
    image_bytes: int = 0
    beside: str = ""
    beside_taken: bool = False
    small_image: str | None = None
    compressors: frozenset[str] | None = None
    troubles: Mapping[str, str] = field(default_factory=dict)
    exchanges: bool = True
    work: WorkFolder | None = None
    own_roots: frozenset[str] = frozenset()
    number: str = ""
    speeds: Speeds | None = None
    changes: Changes | None = None
    memory_bytes: int = 0


def look_at_merge(probes: Probes, site: Site, work: str | None = None) -> MergeFacts:
    """The image of a stick, what lies beside it, and what there is to make a new one.

    `work` is a folder for a copy of the root, as the person named it. Raises LiveosError.
    """
    if site.image is None or site.mount_point is None:
        return MergeFacts()
    stick = probes.folder(site.mount_point)
    with stick.open(site.image) as file:
        image = identify(file.read(0, SHORT_HEAD_BYTES))
        image_bytes = file.identity.size_bytes
    tools, troubles = _tools(probes)
    speeds, changes = None, None
    if is_squashfs(image) and tools and image and site.layout.base:
        path = probes.path(site.mount_point) / site.image
        method, block = image.compressor or "", image.block_bytes or 0
        speeds = measure_speeds(probes.runner, path, site.layout.base, method, block, image.level)
        changes = look_at_changes(probes, site, image)
    folder = site.image.rpartition("/")[0]
    second, small = beside(site.image), f"{folder}/{_SMALL_IMAGE}".lstrip("/")
    return MergeFacts(
        image,
        image_bytes,
        second,
        beside_taken=_is_there(probes, site.mount_point, second),
        small_image=small if stick.is_file(small) else None,
        exchanges=site.target.filesystem != "vfat" or _release(probes) >= _EXCHANGE_SINCE,
        compressors=tools,
        troubles=troubles,
        speeds=speeds,
        changes=changes,
        memory_bytes=_memory_for_a_file(probes),
        work=_work_folder(probes, site.mount_point, work) if work is not None else None,
        number=device_number(probes.path(site.mount_point)),
        own_roots=frozenset({device_number(probes.path("/"))} if site.target.this_system else ()),
    )


def _work_folder(probes: Probes, mount_point: str, work: str) -> WorkFolder:
    """The folder that a person has named. Raises NoWorkFolderError for one of the stick's own."""
    found = work_folder(probes.path(work))
    if Path(found.path).is_relative_to(probes.path(mount_point).resolve()):
        raise NoWorkFolderError(
            f"{clean(found.path)} lies on the stick itself.",
            "Nothing was changed. Name a folder on another disk (--work DIR).",
        )
    return found


def _tools(probes: Probes) -> tuple[frozenset[str] | None, dict[str, str]]:
    """What mksquashfs here can compress with, and why an engine must not use it."""
    try:
        found = squashing.version(probes.runner)
        compressors = squashing.compressors(probes.runner)
    except LiveosError:
        return None, {}
    troubles = {engine: squashing.trouble_of(found, engine) for engine in ("stream", "mirror")}
    return compressors, {engine: words for engine, words in troubles.items() if words}


def _memory_for_a_file(probes: Probes) -> int:
    """How large a file in memory may be: a third of what is available, and most of what /run has.

    Its room is taken only as it is used.
    """
    try:
        run = probes.usage("/run").free_bytes
    except LiveosError:
        return 0
    return min(probes.available_memory() // 3, run * 3 // 4)


def is_squashfs(image: Image | None) -> bool:
    """Whether an image is one that mksquashfs makes."""
    return image is not None and image.kind is ImageKind.SQUASHFS and not image.damage


def _is_there(probes: Probes, mount_point: str, path: str) -> bool:
    return os.path.lexists(probes.path(mount_point) / path)


def _release(probes: Probes) -> tuple[int, int]:
    """The kernel's version; (0, 0) when it is not known."""
    text = probes.text("/proc/sys/kernel/osrelease") or ""
    try:
        major, minor = text.split(".")[:2]
        return int(major), int("".join(each for each in minor if each.isdigit()) or "0")
    except ValueError:
        return 0, 0
