"""The console as a person uses it: keys in, screens out."""

import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from console_fakes import (
    BROKEN,
    FOREIGN,
    FULL_SOON,
    HEALTHY,
    INVALID,
    MIB,
    STICK,
    THIS,
    UNUSED,
    Answer,
    FakeMachine,
    clock,
)
from console_harness import PLAIN, RICH, SMALL_SCREEN, opened, rows, text, until
from textual.geometry import Offset

from liveos_tui.console.app import Console
from liveos_tui.console.screens.dashboard import Dashboard
from liveos_tui.console.screens.devices import Devices
from liveos_tui.console.screens.help import Help
from liveos_tui.console.screens.too_small import TooSmall
from liveos_tui.console.state import TroubleKind
from liveos_tui.console.watching import SILENCE_SECONDS, TICK_SECONDS
from liveos_tui.errors import (
    ExitCode,
    LiveosError,
    NotALiveosError,
    TargetGoneError,
    UnreadableError,
)
from liveos_tui.formats.text import clean
from liveos_tui.live.model import (
    Home,
    HomeState,
    Host,
    LiveSystem,
    Overlay,
    OverlayState,
    RootFilesystem,
    Target,
    TargetKind,
)
from liveos_tui.system.terminal import TerminalProfile


def console(
    machine: FakeMachine | None = None,
    target: str | None = "live",
    terminal: TerminalProfile = PLAIN,
) -> Console:
    return Console(machine or FakeMachine(), target, terminal, clock)


def row_with(app: Console, words: str) -> str:
    return next(row for row in rows(app) if words in row)


async def test_the_dashboard_tells_how_full_the_overlay_is_and_when_it_will_be() -> None:
    app = console()
    async with opened(app):
        assert row_with(app, "Overlay").endswith("FILLING 83 % ─┐")
        figures = row_with(app, " left ")
        assert "425 MiB of 512 MiB" in figures
        assert "+5.1 MiB/min" in figures
        assert "full in about 17 minutes" in figures


async def test_the_title_says_which_stick_this_is_and_what_time_it_is() -> None:
    app = console()
    async with opened(app):
        assert rows(app)[0].split() == (
            ["LIVE", "12AB-CDEF", "/dev/sdb1", "this", "system", "Fedora", "39", "12:04"]
        )


async def test_severity_is_a_word_and_the_action_stands_below() -> None:
    app = console()
    async with opened(app):
        lines = rows(app)
        at = next(n for n, row in enumerate(lines) if FULL_SOON.text in row)
        assert "WARN" in lines[at]
        assert "Move large files to home.img" in lines[at + 1]


async def test_keys_of_operations_that_are_not_built_are_not_shown() -> None:
    app = console()
    async with opened(app):
        assert rows(app)[-1] == " d Devices   F1 Help   F3 Redraw   q Quit"


async def test_a_healthy_stick_needs_nothing() -> None:
    app = console(FakeMachine({"live": HEALTHY}))
    async with opened(app):
        assert "OK 23 %" in row_with(app, "Overlay")
        assert "not growing" in text(app)
        assert "Nothing. All is well." in text(app)


async def test_an_unknown_figure_is_told_with_its_reason_and_never_as_zero() -> None:
    stick = replace(
        STICK,
        overlay=Overlay(None, unknown="dmsetup did not answer within 2 seconds."),
        root=RootFilesystem(unknown="Needs root."),
        home=Home(HomeState.LOCKED, "LiveOS/home.img"),
        host=Host(unknown="The stick does not answer."),
        findings=(),
    )
    app = console(FakeMachine({"live": stick}))
    async with opened(app):
        shown = text(app)
        assert row_with(app, "Overlay").count("unknown") == 1
        assert "dmsetup did not answer within 2 seconds." in shown
        assert row_with(app, "─ Root ").count("unknown") == 2
        assert "Needs root." in shown
        assert "locked" in shown
        assert " 0 %" not in shown
        assert "0 B" not in shown


async def test_an_invalid_overlay_is_named_and_nothing_is_called_well() -> None:
    app = console(FakeMachine({"/dev/sdc1": INVALID}), "/dev/sdc1")
    async with opened(app):
        assert "INVALID" in row_with(app, "Overlay")
        assert "BROKEN" in row_with(app, "The overlay is Invalid")
        assert "All is well" not in text(app)


async def test_an_overlay_that_is_not_in_use_at_this_boot_is_told() -> None:
    unused = Overlay(OverlayState.OK, path="LiveOS/overlay-OLD-77AA-0001")
    stick = replace(STICK, unused_overlay=unused, findings=(FULL_SOON, UNUSED))
    app = console(FakeMachine({"live": stick}))
    async with opened(app, (120, 40)):
        assert "NOTE" in row_with(app, "not in use at this boot")
        assert "LiveOS/overlay-OLD-77AA" in row_with(app, " Unused")


async def test_a_larger_terminal_shows_the_history_in_the_overlays_gauge() -> None:
    app = console()
    async with opened(app, (100, 30)):
        assert row_with(app, "2 minutes ago").endswith("now │")
        assert "380 MiB" in text(app)


async def test_a_wide_terminal_shows_details_beside_the_lists() -> None:
    app = console()
    async with opened(app, (120, 40)):
        assert "Details" in row_with(app, "What matters now")
        assert "LiveOS/squashfs.img" in text(app)


async def test_the_overlays_gauge_takes_no_row_that_a_list_needs() -> None:
    app = console()
    for size in ((80, 24), (80, 25), (100, 30), (160, 50)):
        async with opened(app, size):
            assert "STICK2" in text(app)
            assert "Move large files" in text(app)
        app = console()


async def test_new_figures_appear_by_themselves() -> None:
    machine = FakeMachine()
    app = console(machine)
    async with opened(app) as pilot:
        machine.answers["live"] = HEALTHY
        await pilot.press("f3")
        await until(pilot, lambda: "OK 23 %" in text(app))


async def test_equal_samples_draw_no_frame() -> None:
    machine = FakeMachine()
    app = console(machine)
    async with opened(app) as pilot:
        await until(pilot, lambda: app.observation is not None and app.observation.waiting)
        frames: list[None] = []
        app.post_display_hook = lambda: frames.append(None)  # type: ignore[method-assign]

        async def sampled() -> None:
            before = machine.samples
            assert app._target_probe is not None
            app._target_probe.poke()
            await until(pilot, lambda: machine.samples > before)
            app.tick()
            await pilot.pause()

        # What was still to be drawn of the first figures is drawn meanwhile.
        await sampled()
        await sampled()
        frames.clear()
        for _ in range(3):
            await sampled()
        assert frames == []


async def test_keys_lead_to_every_screen_and_back() -> None:
    app = console()
    async with opened(app) as pilot:
        for keys, kind in [
            (["d"], Devices),
            (["escape"], Dashboard),
            (["f1"], Help),
            (["escape"], Dashboard),
            (["question_mark"], Help),
            (["f1"], Dashboard),
            (["d", "f1"], Help),
            (["escape"], Devices),
            (["d"], Dashboard),
        ]:
            await pilot.press(*keys)
            await pilot.pause()
            assert isinstance(app.screen, kind)


@pytest.mark.parametrize("key", ["q", "f10", "ctrl+c"])
async def test_leaving_is_well(key: str) -> None:
    app = console()
    async with opened(app) as pilot:
        await pilot.press(key)
    assert app.return_value == ExitCode.WELL


async def test_the_arrows_walk_from_the_findings_into_the_devices_and_back() -> None:
    app = console()
    async with opened(app) as pilot:
        assert row_with(app, FULL_SOON.text).startswith(" »")
        await pilot.press("down")
        await until(pilot, lambda: row_with(app, "GiB  this system").startswith(" »"))
        await until(pilot, lambda: rows(app)[-1].startswith(" Enter Open"))
        await pilot.press("up")
        await until(pilot, lambda: row_with(app, FULL_SOON.text).startswith(" »"))


async def test_the_terminals_cursor_stands_on_the_selected_row() -> None:
    app = console()
    async with opened(app) as pilot:
        await pilot.press("d", "down")
        await until(pilot, lambda: row_with(app, "STICK2").startswith(" »"))
        at = next(n for n, row in enumerate(rows(app)) if row.startswith(" »"))
        await until(pilot, lambda: app.cursor_position == Offset(1, at))


async def test_more_findings_than_rows_are_reached_by_the_arrows() -> None:
    many = tuple(replace(FULL_SOON, code=f"f{n}", text=f"Finding {n}.") for n in range(12))
    app = console(FakeMachine({"live": replace(STICK, findings=many)}))
    async with opened(app) as pilot:
        assert "Finding 11." not in text(app)
        assert "of 12" in row_with(app, "What matters now")
        await pilot.press("end")
        await pilot.pause()
        assert row_with(app, "Finding 11.").startswith(" »")
        assert "STICK2" in text(app)


async def test_enter_opens_the_selected_device() -> None:
    machine = FakeMachine({"live": STICK, "/dev/sdc1": INVALID})
    app = console(machine)
    async with opened(app) as pilot:
        await pilot.press("d", "down", "enter")
        await until(pilot, lambda: "INVALID" in row_with(app, "Overlay"))
        assert isinstance(app.screen, Dashboard)
        await until(pilot, lambda: machine.watches[0].closed)


async def test_enter_on_the_stick_that_is_shown_only_goes_back_to_it() -> None:
    machine = FakeMachine()
    app = console(machine)
    async with opened(app) as pilot:
        await pilot.press("d", "enter")
        await pilot.pause()
        assert isinstance(app.screen, Dashboard)
        assert len(machine.watches) == 1


async def test_without_a_target_the_person_chooses() -> None:
    app = console(FakeMachine({"/dev/sdc1": INVALID}), target=None)
    async with opened(app) as pilot:
        assert isinstance(app.screen, Devices)
        assert "This system is no live system." in text(app)
        await pilot.press("escape", "d")
        await pilot.pause()
        assert isinstance(app.screen, Devices)
        assert app.observation is None
        await pilot.press("down", "enter")
        await until(pilot, lambda: "INVALID" in row_with(app, "Overlay"))


async def test_a_device_that_is_no_liveos_is_listed_with_its_note() -> None:
    app = console(FakeMachine(attached=(THIS, FOREIGN)))
    async with opened(app) as pilot:
        await pilot.press("d", "down")
        await pilot.pause()
        assert "No LiveOS folder on it." in row_with(app, "PHOTOS")
        assert "Generic Flash Disk" in text(app)


async def test_opening_a_device_that_is_no_liveos_says_so_and_the_console_goes_on() -> None:
    refusal = NotALiveosError("/dev/sdd1 is no LiveOS.", "Choose another device.")
    sticks: dict[str, Answer] = {"live": STICK, "/dev/sdb1": STICK}
    app = console(FakeMachine(sticks, (THIS, FOREIGN), {"/dev/sdd1": refusal}))
    async with opened(app) as pilot:
        await pilot.press("d", "down", "enter")
        await until(pilot, lambda: "/dev/sdd1 is no LiveOS. Choose another device." in text(app))
        await pilot.press("d", "up", "enter")
        await until(pilot, lambda: "FILLING 83 %" in row_with(app, "Overlay"))


async def test_no_device_is_explained_in_a_line() -> None:
    app = console(FakeMachine(attached=()), target=None)
    async with opened(app):
        assert "No stick is attached. Plug one in: it appears here by itself." in text(app)


async def test_while_a_folder_is_looked_at_only_other_sticks_are_missing() -> None:
    folder = replace(STICK, target=Target(kind=TargetKind.FOLDER, path="/tmp/practice"))
    app = console(FakeMachine({"/tmp/practice": folder}, attached=()), target="/tmp/practice")
    async with opened(app) as pilot:
        await until(pilot, lambda: "No other stick is attached." in text(app))
        await pilot.press("d")
        await until(pilot, lambda: "No other stick is attached." in text(app))


async def test_a_stick_that_is_plugged_in_appears_and_one_that_is_pulled_out_goes() -> None:
    machine = FakeMachine(attached=(THIS,))
    app = console(machine)
    async with opened(app) as pilot:
        assert "STICK2" not in text(app)
        machine.attached = (THIS, BROKEN)
        assert machine.changed is not None
        machine.changed()
        await until(pilot, lambda: "STICK2" in text(app))
        machine.attached = (THIS,)
        machine.changed()
        await until(pilot, lambda: "STICK2" not in text(app))


async def test_the_selection_stays_on_its_device_when_another_comes_before_it() -> None:
    machine = FakeMachine(attached=(BROKEN,))
    app = console(machine)
    async with opened(app) as pilot:
        await pilot.press("d")
        await pilot.pause()
        machine.attached = (THIS, BROKEN)
        await pilot.press("f3")
        await until(pilot, lambda: "/dev/sdb1" in text(app))
        assert row_with(app, "STICK2").startswith(" »")


async def test_the_list_and_the_gauge_never_disagree_on_the_watched_stick() -> None:
    app = console(FakeMachine({"live": HEALTHY}, (THIS, BROKEN)))
    async with opened(app):
        assert "OK 23 %" in row_with(app, "GiB  this system")


async def test_a_stick_that_is_gone_is_told_and_its_last_figures_stay_marked_as_old() -> None:
    machine = FakeMachine()
    app = console(machine)
    async with opened(app) as pilot:
        machine.answers["live"] = TargetGoneError("/dev/sdb1 is gone.")
        await pilot.press("f3")
        await until(pilot, lambda: "GONE" in text(app))
        assert "/dev/sdb1 is gone. The figures are from 12:04:31." in rows(app)[1]
        assert "old: FILLING 83 %" in row_with(app, "Overlay")
        assert "What mattered when last seen" in text(app)
        machine.answers["live"] = STICK
        await pilot.press("f3")
        await until(pilot, lambda: "GONE" not in text(app))
        assert "old:" not in text(app)


async def test_another_error_shows_message_and_hint_and_the_rest_lives() -> None:
    machine = FakeMachine()
    app = console(machine)
    async with opened(app) as pilot:
        machine.answers["live"] = UnreadableError("The image ends too early.", "Copy it again.")
        await pilot.press("f3")
        await until(pilot, lambda: "ERROR" in text(app))
        assert "The image ends too early." in text(app)
        assert "Copy it again." in text(app)
        await pilot.press("d")
        await pilot.pause()
        assert "STICK2" in text(app)


async def test_a_mistake_in_a_probe_is_a_line_and_not_a_crash() -> None:
    machine = FakeMachine()
    app = console(machine)
    async with opened(app) as pilot:
        machine.answers["live"] = ZeroDivisionError("by \x1b[2J zero")
        await pilot.press("f3")
        await until(pilot, lambda: "ZeroDivisionError" in text(app))
        assert r"\x1b[2J" in text(app)


async def test_devices_that_cannot_be_listed_are_told_where_they_would_stand() -> None:
    app = console(FakeMachine(attached=LiveosError("udev does not run.", "Start it.")))
    async with opened(app):
        assert "udev does not run. Start it." in text(app)
        assert "FILLING 83 %" in row_with(app, "Overlay")


async def test_a_wrong_target_on_the_command_line_ends_the_console_with_its_code() -> None:
    refusal = NotALiveosError("/srv is no LiveOS.")
    app = console(FakeMachine(refusals={"/srv": refusal}), "/srv")
    async with app.run_test(size=SMALL_SCREEN) as pilot:
        await until(pilot, lambda: app.failure is not None)
    assert app.failure is refusal
    assert app.return_value == ExitCode.NOT_A_LIVEOS


@pytest.fixture
def hang() -> Iterator[threading.Event]:
    """A probe that waits for this hangs until the test is over."""
    event = threading.Event()
    yield event
    event.set()


async def test_waiting_for_the_first_figures_is_mentioned(hang: threading.Event) -> None:
    def dead() -> LiveSystem:
        hang.wait()
        return STICK

    app = console(FakeMachine({"live": dead}))
    async with app.run_test(size=SMALL_SCREEN) as pilot:
        await until(pilot, lambda: "Looking at live ..." in text(app))
        hang.set()
        await until(pilot, lambda: "FILLING 83 %" in text(app) and "Looking at" not in text(app))
        app.stop_probes()


async def test_a_probe_that_hangs_is_told_and_does_not_keep_the_console_from_quitting(
    hang: threading.Event,
) -> None:
    machine = FakeMachine()
    app = console(machine)
    async with opened(app) as pilot:

        def dead() -> LiveSystem:
            hang.wait()
            return STICK

        machine.answers["live"] = dead
        samples = machine.samples
        await pilot.press("f3")
        await until(pilot, lambda: machine.samples > samples)
        for _ in range(SILENCE_SECONDS // TICK_SECONDS):
            app.tick()
        await pilot.pause()
        assert app.observation is not None
        assert app.observation.trouble is not None
        assert app.observation.trouble.kind is TroubleKind.SILENT
        assert "live does not answer." in text(app)
        # However often it is asked: it is not started twice.
        await pilot.press("f3", "f3")
        assert machine.samples == samples + 1
        await pilot.press("q")
    assert app.return_value == ExitCode.WELL
    assert not hang.is_set()


async def test_a_terminal_that_is_too_small_is_told_both_sizes_and_comes_back_by_itself() -> None:
    app = console()
    async with opened(app) as pilot:
        await pilot.press("d")
        await pilot.pause()
        await pilot.resize_terminal(79, 24)
        await until(pilot, lambda: isinstance(app.screen, TooSmall))
        await pilot.pause()
        assert "79x24" in text(app)
        assert "80x24" in text(app)
        await pilot.press("escape", "f1", "d")
        await pilot.resize_terminal(80, 24)
        await until(pilot, lambda: isinstance(app.screen, Devices))
        assert "STICK2" in text(app)


async def test_a_terminal_that_is_too_small_from_the_start_says_so() -> None:
    app = console()
    async with opened(app, (40, 10)) as pilot:
        await until(pilot, lambda: "40x10" in text(app))


async def test_the_help_is_read_to_its_end_with_the_keys() -> None:
    app = console()
    async with opened(app) as pilot:
        await pilot.press("f1")
        await pilot.pause()
        seen = text(app)
        for _ in range(10):
            await pilot.press("pagedown")
            await pilot.pause()
            seen += text(app)
        for word in ("Overlay", "COW store", "Base image", "Chunk", "INVALID", "OVERFLOW", "PO, P"):
            assert word in seen
        assert ", end" in text(app)
        await pilot.press("home")
        await pilot.pause()
        assert "lines 1-" in text(app)


@pytest.mark.parametrize("terminal", [PLAIN, RICH])
async def test_labels_with_markup_and_escape_sequences_are_shown_as_they_are(
    terminal: TerminalProfile,
) -> None:
    label = clean("[red]x[/]\x1b[31m")
    target = Target(TargetKind.DEVICE, "/dev/sdb1", label, clean("[/]\x9b2J"), device="/dev/sdb1")
    hostile = replace(
        STICK,
        target=target,
        findings=(replace(FULL_SOON, text=clean("[bold]Look[/bold] \x1b]0;owned\x07")),),
    )
    device = replace(THIS, label=label, model=clean("[@click=quit]m[/]"))
    app = console(FakeMachine({"/dev/sdb1": hostile}, (device,)), "/dev/sdb1", terminal)
    async with opened(app) as pilot:
        assert r"[red]x[/]\x1b[31m" in rows(app)[0]
        assert r"[bold]Look[/bold] \x1b]0;owned\x07" in text(app)
        await pilot.press("d")
        await pilot.pause()
        assert "[@click=quit]m[/]" in text(app)
        assert "\x1b" not in text(app)


async def test_a_label_of_any_length_leaves_the_clock_in_its_place() -> None:
    long = replace(STICK, target=replace(STICK.target, label="L" * 200, release="R" * 200))
    app = console(FakeMachine({"live": long}))
    async with opened(app):
        assert rows(app)[0].endswith("...  12:04")


async def test_the_minute_of_the_clock_goes_on() -> None:
    times = [clock()]
    app = Console(FakeMachine(), "live", PLAIN, lambda: times[0])
    async with opened(app) as pilot:
        times[0] = clock().replace(minute=5)
        app.tick()
        await pilot.pause()
        assert rows(app)[0].endswith("12:05")


async def test_a_full_overlay_is_drawn_full() -> None:
    full = replace(
        STICK.overlay, state=OverlayState.FULL, used_bytes=512 * MIB, seconds_until_full=None
    )
    app = console(FakeMachine({"live": replace(STICK, overlay=full)}))
    async with opened(app):
        assert "FULL 100 %" in row_with(app, "Overlay")
        assert rows(app)[2] == "│ " + "█" * 76 + " │"
