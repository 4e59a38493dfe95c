"""Bytes that come in pieces, cut into lines of bounded length."""


class LineSplitter:
    """Cuts bytes into lines, whatever the pieces; lines longer than `limit` bytes are left out."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._begun = bytearray()
        self._overlong = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, without their ends."""
        *ended, rest = data.split(b"\n")
        lines = []
        for piece in ended:
            self._add(piece)
            lines += self._end()
        self._add(rest)
        return lines

    def close(self) -> list[bytes]:
        """The last line, when it has no end and is not empty."""
        return [line for line in self._end() if line]

    def _add(self, piece: bytes) -> None:
        self._begun += piece[: self._limit + 1]
        if len(self._begun) > self._limit:
            self._overlong = True
            self._begun.clear()

    def _end(self) -> list[bytes]:
        line = bytes(self._begun)
        overlong, self._overlong = self._overlong, False
        self._begun.clear()
        return [] if overlong else [line]
