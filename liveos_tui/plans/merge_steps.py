"""The steps of a merge, each with its words."""

from dataclasses import dataclass

from liveos_tui.formats.squash_command import SquashOptions, squash_command
from liveos_tui.formats.text import clean
from liveos_tui.live.contents import beside
from liveos_tui.live.diagnosis import Diagnosis
from liveos_tui.live.merging import MergeFacts
from liveos_tui.live.words import need, size
from liveos_tui.plans.actions import (
    CheckRoot,
    CompareImage,
    Compression,
    Engine,
    ExchangeImages,
    FreezeRoot,
    KeepImage,
    MakeImage,
    MirrorView,
    ReplaceImage,
    ResetStore,
    SetAside,
    SwitchRoot,
    ThawRoot,
)
from liveos_tui.plans.joined import PATH_LIMIT, Commands, Joined, loop
from liveos_tui.plans.model import Cancel, Step
from liveos_tui.plans.steps import JOB_FOLDER

NEW_IMAGE, OLD_IMAGE = "new.img", "old.img"
"""The two images in a job's folder on another disk."""
_MKSQUASHFS = "mksquashfs (squashfs-tools)"


@dataclass(frozen=True, slots=True)
class MergeWords:
    """Steps for the merge of one stick. `apart`: both images lie in this folder for a while."""

    joined: Joined
    facts: MergeFacts
    engine: Engine
    compression: Compression | None
    apart: str | None = None

    @property
    def diagnosis(self) -> Diagnosis:
        """What was found."""
        return self.joined.diagnosis

    @property
    def image(self) -> str:
        """The image as it is told to people: its path on the stick."""
        return clean(self.diagnosis.place.image or "", PATH_LIMIT)

    @property
    def new_image(self) -> str:
        """The new image, until the old one's name is its own."""
        if self.apart is not None:
            return f"{clean(self.apart, PATH_LIMIT)}/{JOB_FOLDER}/{NEW_IMAGE}"
        return clean(self.facts.beside, PATH_LIMIT)

    @property
    def _member(self) -> str:
        """The root file system in the image, as it is told to people."""
        return clean(self.diagnosis.place.base or "", PATH_LIMIT)

    @property
    def _there(self) -> str:
        return "beside the old one" if self.apart is None else f"in {clean(self.apart)}"

    def freeze(self, device: str, scratch_bytes: int) -> Step:
        """A view of the running root that stays as it is."""
        work = self.facts.work.path if self.facts.work else None
        where = clean(work, PATH_LIMIT) if work else "memory"
        return Step(
            FreezeRoot(device, scratch_bytes, work),
            "Freeze a view",
            "The running root is held for a moment (device-mapper suspends and resumes it), and a "
            "view of it is kept as it is then. The system goes on as before, into its own "
            f"overlay; what it overwrites is copied to {where} first, as long as there is room. If "
            "that fills up, the merge ends, and the system does not notice.",
            (loop("SCRATCH-FILE"),),
            needs=("root", f"{size(scratch_bytes)} in {where}"),
            undo="The view is let go; the root uses its overlay as before, without a reboot.",
        )

    def switch(self, device: str, second_bytes: int) -> Step:
        """The running root on the new image."""
        place = self.diagnosis.place
        overlay = clean(place.overlay, PATH_LIMIT)
        second = beside(place.overlay)
        return Step(
            SwitchRoot(device, second, second_bytes),
            "Switch the running root",
            "A second overlay gets what has changed since the view was frozen. The root is held "
            "for a moment, the two overlays exchange their names, and it goes on with the new "
            "image and the nearly empty overlay.",
            (
                # As dracut does it (`system.root_base`).
                *self.joined.image(self.joined.on_stick(place.image or ""), "NEW", kind=()),
                loop(self.joined.on_stick(second)),
                loop("SCRATCH-FILE"),
            ),
            needs=("root", f"{size(second_bytes)} on the stick"),
            writes=(
                f"{clean(second, PATH_LIMIT)}: a second overlay",
                f"{overlay}: exchanged with it",
            ),
            undo="It stays: the system runs on it.",
            cancel=Cancel.SAFE_POINT,
        )

    def thaw(self, device: str) -> Step:
        """The running root as it was."""
        return Step(
            ThawRoot(device),
            "Let go of the view",
            "The running root uses its overlay as before. The new image serves from the next boot "
            "on, under the same overlay: together they are the same system.",
            needs=("root",),
            cancel=Cancel.SAFE_POINT,
        )

    def check(self) -> Step:
        """Only what is whole is merged."""
        return Step(
            CheckRoot(),
            "Check the file system",
            "Base image and overlay are joined, read-only, and e2fsck looks at the root file "
            "system in them. It changes nothing and has to find nothing.",
            (*self._view(), ("e2fsck", "-f", "-n", "VIEW")),
            needs=("e2fsck (e2fsprogs)",),
        )

    def mirror(self) -> Step:
        """A copy of the view, by device-mapper."""
        work = self.facts.work.path if self.facts.work else ""
        return Step(
            MirrorView(work),
            "Mirror the view",
            "device-mapper's mirror copies the merged view to a file in the work folder. Errors of "
            "either side end it.",
            self.joined.mirror(f"{clean(work, PATH_LIMIT)}/liveos-tui-JOB-rootfs.img"),
            needs=(f"{need(self.diagnosis.base_bytes or 0)} in {clean(work, PATH_LIMIT)}",),
            undo="The copy is removed.",
        )

    def make(self, most_bytes: int) -> Step:
        """The new image beside the old one."""
        place, work = self.diagnosis.place, self.facts.work
        commands: Commands = (("dumpe2fs", "VIEW"),)
        if self.diagnosis.in_use and self.engine is Engine.STREAM:
            commands += self.joined.base()
        if self.compression is None:
            why = f"The merged view is written to a new file {self._there}."
        else:
            commands += (self._mksquashfs(self.compression),)
            why = (
                f"mksquashfs makes a new image of the merged view, {self._there}. Blocks that the "
                "file system does not use become zeros: remains of deleted files do not travel. "
                f"-all-root and -no-xattrs are said of the one file {self._member} in the image: "
                "what lies in that file system keeps its owners and attributes."
            )
        mirrored = self.engine is Engine.MIRROR and work is not None
        return Step(
            MakeImage(
                self.facts.beside,
                self.engine,
                place.base,
                self.compression,
                work.path if mirrored and work is not None else None,
                self.apart,
            ),
            "Make the new image",
            why,
            commands,
            needs=(
                *((_MKSQUASHFS,) if self.compression is not None else ()),
                f"up to {need(most_bytes)} "
                + ("on the stick" if self.apart is None else self._there),
            ),
            writes=(f"{self.new_image}: the new image",),
            undo="The new image is removed.",
        )

    def compare(self) -> Step:
        """The proof."""
        return Step(
            CompareImage(self.facts.beside, self.diagnosis.place.base, self.apart),
            "Read back and compare",
            "The new image is read back from the medium, and all of it is compared with base image "
            "and overlay, block by block: that mksquashfs has ended well proves nothing.",
            self.joined.image(self._made, "NEW"),
        )

    def exchange(self) -> Step:
        """Both names, at once."""
        return Step(
            ExchangeImages(self.diagnosis.place.image or "", self.facts.beside),
            "Exchange the images",
            "Old and new image exchange their names, at once (renameat2 with RENAME_EXCHANGE), "
            "with everything on the medium before and after. New image and old overlay are the "
            "same system as before: a power cut at any moment leaves a stick that boots.",
            writes=(f"{self.image} and {self.new_image}: their names",),
            undo="The names are exchanged back.",
            cancel=Cancel.SAFE_POINT,
        )

    def keep(self, apart: str) -> Step:
        """A copy of the old image, before it goes."""
        copy = f"{clean(apart, PATH_LIMIT)}/{JOB_FOLDER}/{OLD_IMAGE}"
        return Step(
            KeepImage(self.diagnosis.place.image or "", apart),
            "Copy the old image",
            "The stick has no room for two images: the old one is copied to the other disk, and "
            "the copy is read back from there, before anything on the stick is touched.",
            needs=(f"{size(self.facts.image_bytes)} in {clean(apart)}",),
            writes=(f"{copy}: a copy of the old image",),
            undo="The copy is removed.",
        )

    def replace(self, apart: str) -> Step:
        """The new image in the old one's place."""
        return Step(
            ReplaceImage(self.diagnosis.place.image or "", self.facts.beside, apart),
            "Replace the image",
            "The old image is removed from the stick, and the new one is written there and read "
            "back from the medium. Until that is done the stick has no image and does not boot: "
            "leave it plugged in. After a power cut this job goes on, or back, on any Linux that "
            "has the stick and the other disk.",
            writes=(f"{self.image}: removed, and written anew",),
            undo="The old image is written back from its copy.",
            cancel=Cancel.SAFE_POINT,
        )

    def set_aside(self, path: str) -> Step:
        """The osmin image, which describes the old root."""
        name = clean(path, PATH_LIMIT)
        return Step(
            SetAside(path),
            "Set osmin.img aside",
            "It describes how the old root becomes smaller when it is installed, and is wrong for "
            "the new one (live-osimg-min).",
            writes=(f"{name}: moved to {JOB_FOLDER}",),
            undo="It is moved back.",
            cancel=Cancel.SAFE_POINT,
        )

    def reset(self) -> Step:
        """What is merged is not needed twice."""
        overlay = clean(self.diagnosis.place.overlay, PATH_LIMIT)
        return Step(
            ResetStore(),
            "Empty the overlay",
            "All that is in the overlay is in the new image. Its first 512 bytes become zeros: the "
            "kernel sets it up anew at the next boot.",
            writes=(f"{overlay}: the first 512 bytes become zeros",),
            undo="The first 512 bytes are written back: only until the overlay is next used.",
            cancel=Cancel.SAFE_POINT,
        )

    def _view(self) -> Commands:
        """The view is there already where the root is frozen."""
        if self.diagnosis.in_use:
            return ()
        return (*self.joined.base(), *self.joined.view(read_only=True))

    @property
    def _made(self) -> str:
        """The new image as programs get it."""
        return self.new_image if self.apart is not None else self.joined.on_stick(self.new_image)

    def _mksquashfs(self, compression: Compression) -> tuple[str, ...]:
        options = SquashOptions(compression.name, compression.block_bytes, compression.level)
        return squash_command(self._made, self._member, options, mode="MODE")
