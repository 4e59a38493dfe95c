"""The help: what the words, the keys and the colours mean, in plain words."""

from liveos_tui.console.lines import Line, Span, wrap
from liveos_tui.console.theme import Role

_NAME = 14

_INTRODUCTION = (
    "A LiveOS stick starts a whole system from an image that never changes. Everything that is "
    "changed or added goes into the overlay. The overlay only fills, and when it is full the "
    "system stops: this console shows how far that is away, and brings an overlay back that has "
    "died. It changes nothing before it has shown what it will do and you have said yes."
)

_WORDS = (
    ("Stick", "The USB stick (or a folder) that holds the LiveOS folder with all the files below."),
    ("Image", "The compressed file that the system starts from. It never changes."),
    ("Base image", "The root file system as it was made, read-only, inside the image."),
    ("Overlay", "Where all changes to the base image go, as long as it has room."),
    (
        "COW store",
        "An overlay of the older kind: a file that keeps each changed piece of the base "
        "image (copy on write). Deleting files does not make it smaller, but pieces that "
        "were changed once are used again.",
    ),
    ("Chunk", "One such piece: 4 KiB on LiveOS. The fill is counted in chunks."),
    ("Exception", "The note in the store that a chunk has been changed, and where it lies."),
    ("Metadata", "The part of the store that holds no data: its header and all exceptions."),
    (
        "Header",
        "The first block of the store: the letters SnAp (magic), a version, the size of a chunk, "
        "and the valid byte.",
    ),
    ("Area", "A part of the list of exceptions; with chunks of 4 KiB it has room for 256 of them."),
    (
        "Device-mapper",
        "The part of the kernel that joins files and disks to new devices, as its tables say: "
        "snapshots and mirrors among them. dmsetup is its program.",
    ),
    ("Loop device", "A file that the kernel uses as if it were a disk. losetup is its program."),
    (
        "Snapshot",
        "The device that the kernel makes of base image and store: it reads as the base image "
        "with all changes in it. The root file system lies on it.",
    ),
    (
        "Overflow",
        "What the kernel says of a store that was full when a write came: reads work, writes fail.",
    ),
    (
        "Invalid",
        "What the kernel says of a store that it has given up: nothing works. One byte in the "
        "store's header, the valid byte, says it from then on.",
    ),
    (
        "PO, P, N",
        "How the kernel was told to treat the store. PO: when full, it says Overflow and "
        "can still be read. P: when full, it becomes Invalid. N: not kept.",
    ),
    (
        "Hole",
        "A part of the overlay's file that the stick has yet to provide. If the stick is full by "
        "then, the overlay becomes Invalid.",
    ),
    (
        "Persistent",
        "The overlay lies on the stick and is kept. Otherwise it is in memory, and "
        "everything is lost at shutdown.",
    ),
    ("OverlayFS", "The newer kind of overlay: changed files lie in a folder, as whole files."),
    ("Root", "The file system you see as /. It can be full while the overlay is not, or not yet."),
    (
        "Superblock",
        "The header of a file system: its size, its UUID, whether it has noted errors in itself.",
    ),
    ("squashfs", "The compressed format of most images. mksquashfs makes them. EROFS is another."),
    ("home.img", "A file on the stick with the file system of /home. It needs no overlay."),
    (
        "Merge",
        "What is in the overlay becomes part of a new image. The old image is kept until you let "
        "it go, and can be gone back to.",
    ),
    ("Merged view", "Base image and overlay read as one: what the new image is made of."),
    (
        "Frozen view",
        "The running root as it was at one moment, for a merge while the system goes on. What "
        "the system overwrites is copied to a scratch store first; if that fills up, the merge "
        "ends and the system does not notice.",
    ),
    ("Switch", "The running root goes over to the new image, without a reboot."),
    (
        "Stream",
        "The usual way (engine) of a merge: the merged view is read and compressed in one go.",
    ),
    (
        "Mirror",
        "The other engine: device-mapper copies the merged view to a folder on another disk, and "
        "the image is made of that copy.",
    ),
    (
        "Job",
        "A plan that is carried out, by a process of its own (its worker): it goes on when the "
        "console or the connection ends.",
    ),
    (
        "Journal",
        "Of a job: where it notes on the stick what it is about to do; after a power cut it says "
        "how to go on, or back. Of a file system: changes still to be made, which e2fsck and the "
        "kernel make good (replay).",
    ),
    (
        "Rehearsal",
        "The repair, done on a throw-away layer in memory: it shows what would come back, and "
        "writes nothing to the stick.",
    ),
    ("Register", "Base image and overlay are made one device again, for the repair."),
    (
        "e2fsck",
        "The program that checks and repairs ext file systems (ext4). With -n it looks and changes "
        "nothing, with -y it repairs what it finds.",
    ),
    ("Lost+found", "The folder where e2fsck puts files that have lost their names."),
    ("UUID", "The number of a file system. Two sticks may have one name, never one UUID."),
    (
        "CAPITALS",
        "In a command that is shown before it is run: what gets its name only then. STICK is where "
        "the stick is mounted, BASE and OVERLAY the two files, VIEW both read as one, JOB the "
        "job's ID, REHEARSAL and TRIAL layers on VIEW that are thrown away. The others are "
        "explained in the plan that --dry-run prints.",
    ),
    (
        "Exchange",
        "Two files exchange their names at one stroke (renameat2 with RENAME_EXCHANGE): there is "
        "no moment without an image.",
    ),
)

_STATES: tuple[tuple[str, Role, str], ...] = (
    ("FRESH", Role.GOOD, "Nothing has been written to it yet."),
    ("OK", Role.GOOD, "There is room."),
    ("FILLING", Role.WARNING, "80 % or more is used, or less than an hour is left."),
    (
        "FULL",
        Role.DANGER,
        "No chunk is left: the next new write fails. An overflowed one is told as full while it is "
        "not in use.",
    ),
    (
        "OVERFLOW",
        Role.DANGER,
        "It was full when a write came. What is in it can be read, writes fail. More room and a "
        "restart bring it back.",
    ),
    (
        "INVALID",
        Role.DANGER,
        "The kernel has given it up: reads fail too. Most of it can usually be recovered, from "
        "another system or a start without this overlay. Do not reset it.",
    ),
    (
        "FOREIGN",
        Role.DANGER,
        "It is damaged, or of a kind that is not known here. It is left alone.",
    ),
    ("NONE", Role.MUTED, "There is no overlay."),
    ("unknown", Role.MUTED, "It could not be found out; the reason stands beside it."),
)

_SEVERITIES: tuple[tuple[str, Role, str], ...] = (
    ("NOTE", Role.NOTICE, "Good to know."),
    ("WARN", Role.WARNING, "Act soon."),
    ("BROKEN", Role.DANGER, "It has failed, or will with the next write: act now."),
    ("GONE", Role.ALERT, "The stick is not there any more. The old figures stay, marked old."),
    ("ERROR", Role.ALERT, "The last look failed; the line says why."),
    ("SILENT", Role.ALERT, "A look has not come back: a dead or very slow stick."),
)

_KEYS = (
    ("Up, Down", "Move in a list, and from one list to the next. Home, End, Page Up, Page Down."),
    ("Tab", "To the next list."),
    ("Enter", "Open the selected device; do what the line names a key for."),
    ("g", "Grow the overlay: more room, while the system runs."),
    (
        "r",
        "Recover an overlay that is Invalid or full, step by step; have one checked that is "
        "neither.",
    ),
    ("m", "Merge: make a new image of all that is in the overlay, which is empty again then."),
    ("x", "Reset: throw away everything in the overlay. The stick's name has to be typed."),
    ("j", "Jobs: what is being done, was interrupted, or has ended."),
    ("d", "All attached devices."),
    ("F1, ?", "This help."),
    ("F3, Ctrl+L", "Draw the screen again and look again now."),
    ("Esc", "Back."),
    ("q, F10", "Quit. So does Ctrl+C. Jobs go on."),
)

_WORK_KEYS = (
    ("Enter", "Do the next step."),
    ("a", "Do all steps that are left. You are asked once, before the first one that writes."),
    ("b", "Back: undo the last step."),
    ("c", "Cancel: the job ends at the next point where that does no harm."),
    ("p", "Pause: the job stands still, keeps the stick to itself, and goes on with p."),
    ("l", "Log: everything that the steps have printed."),
    ("r", "Go on with a job that has failed, was cancelled or interrupted."),
    ("u", "Go back: undo everything that a job did, to the exact bytes."),
    ("e", "Engine: choose how the new image of a merge is made, before it is begun."),
    ("f", "Forget a merge that is done: remove the old image, and with it the way back."),
    ("L", "Leave an interrupted job as it is: it is not offered again."),
    ("Up, Down", "Read about another step. Page Up and Page Down turn its pages."),
    ("Esc", "Leave. The job goes on, or waits; j shows it again."),
)

_STEP_STATES: tuple[tuple[str, Role, str], ...] = (
    ("OK", Role.GOOD, "It is done."),
    ("RUN", Role.NOTICE, "It is being done."),
    ("WAIT", Role.NOTICE, "The job waits for you before it does this step."),
    ("HOLD", Role.NOTICE, "The job is paused within this step: p has it go on."),
    ("FAIL", Role.DANGER, "It went wrong. The result says what was left, and what to do now."),
    ("STOP", Role.WARNING, "It was cancelled or cut off."),
    ("UNDO", Role.WARNING, "It is undone."),
)

_COLOURS = (
    "A colour never stands alone, there is always a word. Green: well. Yellow: act soon. White on "
    "red: broken, or figures that are old. Blue: the keyboard, its keys and where it is. The other "
    "gauges are not judged: their bars are grey or cyan. Hard to read? Start it with --contrast "
    "high, or LIVEOS_TUI_CONTRAST=high in the environment: few colours on black, and a cursor."
)


def page(width: int) -> list[Line]:
    """The whole help, `width` cells wide."""
    lines: list[Line] = [()]
    lines += _paragraph(_INTRODUCTION, width)
    lines += _section("Keys", [(name, Role.KEY, text) for name, text in _KEYS], width)
    keys = [(name, Role.KEY, text) for name, text in _WORK_KEYS]
    lines += _section("Keys while something is done", keys, width)
    lines += _section("States of an overlay", _STATES, width)
    lines += _section("States of a step", _STEP_STATES, width)
    lines += _section("How much something matters", _SEVERITIES, width)
    lines += [(), _heading("Colours"), *_paragraph(_COLOURS, width)]
    return lines + _section("Words", [(name, Role.STRONG, text) for name, text in _WORDS], width)


def _heading(text: str) -> Line:
    return (Span(f" {text}", Role.HEADING),)


def _paragraph(text: str, width: int) -> list[Line]:
    return [(Span(f" {row}"),) for row in wrap(text, width - 2)]


def _section(
    name: str, terms: "list[tuple[str, Role, str]] | tuple[tuple[str, Role, str], ...]", width: int
) -> list[Line]:
    lines: list[Line] = [(), _heading(name)]
    for term, role, text in terms:
        gap = " " * (_NAME - len(term))
        rows = wrap(text, width - _NAME - 4)
        lines.append((Span("   "), Span(term, role), Span(gap + rows[0])))
        lines += [(Span(" " * (_NAME + 3) + row),) for row in rows[1:]]
    return lines
