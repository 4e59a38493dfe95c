"""How fast the overlay fills, when it will be full, and from when on that matters."""

from collections import deque

from liveos_tui.live.model import Overlay, OverlayState

# lvm2's dmeventd begins to warn at 80 %; 5 % of a 512 MiB overlay is one package update, so a
# notice comes before and a call to act before the last tenth.
NOTICE_FRACTION = 0.70
WARNING_FRACTION = 0.80
WARNING_SECONDS = 3600.0

# Long enough that one package update does not look like the rest of the day, short enough to warn
# in time: at 5 MiB a minute, a tenth of a 512 MiB overlay.
WINDOW_SECONDS = 600.0

# Before this, a single burst (starting a program) would be told as a rate.
LEAST_SECONDS = 10.0


class FillHistory:
    """The overlay's used bytes over the last `WINDOW_SECONDS`."""

    def __init__(self, window_seconds: float = WINDOW_SECONDS) -> None:
        self._window = window_seconds
        self._points: deque[tuple[float, int]] = deque()

    @property
    def points(self) -> tuple[tuple[float, int], ...]:
        """(seconds, used bytes), oldest first."""
        return tuple(self._points)

    def add(self, seconds: float, used_bytes: int) -> None:
        """Note a sample. A store that has become smaller is another one: its history begins anew.

        Of samples that are the same only the first and the last are kept, so an idle system costs
        no memory.
        """
        points = self._points
        if points and used_bytes < points[-1][1]:
            points.clear()
        if len(points) >= 2 and points[-1][1] == points[-2][1] == used_bytes:
            points.pop()
        points.append((seconds, used_bytes))
        while len(points) > 2 and points[1][0] <= seconds - self._window:
            points.popleft()

    def rate(self) -> float | None:
        """Bytes per second over the window; None before there is enough to tell."""
        if len(self._points) < 2:
            return None
        newest_seconds, newest = self._points[-1]
        start = newest_seconds - self._window
        oldest_seconds, oldest = self._points[0]
        if oldest_seconds < start:
            # The window begins between two samples: what was written before it does not count.
            second_seconds, second = self._points[1]
            share = (start - oldest_seconds) / (second_seconds - oldest_seconds)
            oldest_seconds, oldest = start, round(oldest + (second - oldest) * share)
        elapsed = newest_seconds - oldest_seconds
        return (newest - oldest) / elapsed if elapsed >= LEAST_SECONDS else None

    def seconds_until_full(self, total_bytes: int | None) -> float | None:
        """Seconds until the overlay is full at the present rate; None where it does not fill."""
        rate = self.rate()
        if not rate or total_bytes is None or not self._points:
            return None
        return max(0.0, (total_bytes - self._points[-1][1]) / rate)


def fill_state(overlay: Overlay) -> OverlayState:
    """The state of a healthy overlay by its fill: ok or filling."""
    fraction, seconds = overlay.fraction, overlay.seconds_until_full
    if fraction is not None and fraction >= WARNING_FRACTION:
        return OverlayState.FILLING
    if seconds is not None and seconds < WARNING_SECONDS:
        return OverlayState.FILLING
    return OverlayState.OK
