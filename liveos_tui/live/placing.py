"""Which stick, and which overlay on it, is meant by a target."""

import os

from liveos_tui.errors import LiveosError, PrivilegeError
from liveos_tui.formats.cow import HEADER_BYTES
from liveos_tui.formats.text import clean
from liveos_tui.live.place import Place
from liveos_tui.live.site import OverlayPlace, Site
from liveos_tui.system.identity import DiskIdentity, boot_id, disk_identity
from liveos_tui.system.mounts import RUN_FOLDER
from liveos_tui.system.probes import Probes


def overlay_meant(site: Site) -> OverlayPlace:
    """The overlay on the stick, which operations are about: also one that was left out at boot."""
    if site.overlay.in_use and not site.overlay.persistent and site.unused_overlay:
        return site.unused_overlay
    return site.overlay


def place_of(probes: Probes, site: Site, target: str) -> Place:
    """Which stick this is, and which overlay on it. Raises LiveosError when it cannot be read.

    `target` is what the person named. Without an overlay on the stick `overlay` is empty.
    """
    overlay, found = overlay_meant(site), site.target
    header, length = b"", 0
    if overlay.path is not None and site.mount_point is not None:
        try:
            with probes.folder(site.mount_point).open(overlay.path) as file:
                header, length = file.read(0, HEADER_BYTES), file.identity.size_bytes
        except PrivilegeError:
            raise
        except LiveosError:
            # It is no file that can be read; why not is told by the diagnosis.
            header, length = b"", 0
    identity = disk_identity(probes, site.number) if site.number else DiskIdentity()
    device = identity.device
    parts = (site.image or overlay.path or "").rpartition("/")
    return Place(
        target=target,
        name=found.label or _folder_name(site) or clean(target),
        overlay=overlay.path or "",
        image=site.image,
        base=site.layout.base,
        live_folder=parts[0] or "LiveOS",
        mount_point=None if is_only_looked_at(site) else site.mount_point,
        device=device.path if device else found.device,
        label=found.label,
        uuid=found.uuid,
        filesystem=found.filesystem,
        model=identity.model or found.model,
        serial=identity.serial,
        size_bytes=device.size_bytes if device else None,
        number=site.number,
        diskseq=identity.diskseq,
        boot_id=boot_id(probes),
        this_system=found.this_system,
        store_header=header.hex(),
        overlay_bytes=length,
    )


def _folder_name(site: Site) -> str:
    path = site.mount_point or ""
    return clean(os.path.basename(path.rstrip("/")))  # noqa: PTH119 - a raw path of another root


def is_only_looked_at(site: Site) -> bool:
    """The stick is mounted by an inspection mount, of this console or of another one."""
    return bool(site.mount_point and site.mount_point.startswith(f"{RUN_FOLDER}/"))
