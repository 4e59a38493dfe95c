from liveos_tui.live.fill import LEAST_SECONDS, WINDOW_SECONDS, FillHistory

MIB = 1024 * 1024


def filled(*points: tuple[float, int]) -> FillHistory:
    history = FillHistory()
    for seconds, used in points:
        history.add(seconds, used)
    return history


def test_one_sample_is_no_rate() -> None:
    assert filled((0, 100)).rate() is None


def test_a_burst_is_not_told_before_there_is_enough_to_tell() -> None:
    assert filled((0, 0), (LEAST_SECONDS - 1, 5 * MIB)).rate() is None


def test_a_steady_fill_is_its_rate() -> None:
    assert filled(*((t, t * MIB) for t in range(0, 121, 2))).rate() == MIB


def test_an_idle_overlay_fills_at_no_rate_and_is_never_full() -> None:
    history = filled((0, MIB), (60, MIB), (120, MIB))

    assert history.rate() == 0
    assert history.seconds_until_full(100 * MIB) is None


def test_what_was_written_before_the_window_does_not_count() -> None:
    history = filled((0, 0), (10, 500 * MIB), *((t, 500 * MIB) for t in range(12, 720, 2)))

    assert history.rate() == 0


def test_time_until_full_is_what_is_left_at_the_rate() -> None:
    history = filled((0, 0), (60, 60 * MIB))

    assert history.seconds_until_full(100 * MIB) == 40


def test_a_store_that_has_become_smaller_begins_anew() -> None:
    history = filled((0, 100 * MIB), (60, 200 * MIB), (62, MIB))

    assert history.points == ((62, MIB),)


def test_an_idle_system_keeps_two_points() -> None:
    history = filled(*((t, MIB) for t in range(0, 100_000, 2)))

    assert len(history.points) == 2


def test_a_busy_system_keeps_no_more_than_the_window() -> None:
    history = filled(*((t, t) for t in range(0, 10_000, 2)))

    assert len(history.points) <= WINDOW_SECONDS / 2 + 2
