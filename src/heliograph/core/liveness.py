"""Which owners are dead: those whose beat stands still while we watch.

Only what is watched counts. After a gap everybody is watched anew, because it may have been us, or the store, who was
away.
"""

from collections.abc import Collection, Mapping

SILENT_S = 6.0
"""A beat that stands still for so long is nobody's."""

GONE_S = 3.0
"""The same, for an owner whose connections to the store are gone too."""

GAP_S = 2.5
"""Looks at the store are a second apart; after so long without one it was away."""


class Watch:
    """What one process has seen of the others. Times are monotonic seconds."""

    __slots__ = ("_last", "_since")

    def __init__(self) -> None:
        self._since: dict[int, tuple[int, float]] = {}
        self._last: float | None = None

    def look(self, beats: Mapping[int, int], *, connected: Collection[int], now: float) -> list[int]:
        """The owners that are dead, of those with these beats; a beat of 0 is known to be its last.

        >>> watch = Watch()
        >>> [watch.look({1: 40, 2: 41 + second}, connected={1, 2}, now=float(second)) for second in (0, 2, 4, 6)]
        [[], [], [], [1]]
        """
        if self._last is None or now - self._last > GAP_S:
            self._since.clear()
        self._last = now
        for gone in self._since.keys() - beats.keys():
            del self._since[gone]
        dead = []
        for owner, beat in beats.items():
            known = self._since.get(owner)
            if known is None or known[0] != beat:
                known = self._since[owner] = (beat, now)
            patience_s = SILENT_S if owner in connected else GONE_S
            if not beat or now - known[1] >= patience_s:
                dead.append(owner)
        return dead
