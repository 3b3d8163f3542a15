"""A token bucket: how many may go now, and when the next one may."""

NEARLY = 1e-9
"""What sums of fractions may lack of a whole: without it a wait could be too short for the clock to show."""


class TokenBucket:
    """Lets `rate` things a second pass, and at most `burst` at once. Times are monotonic seconds."""

    __slots__ = ("_burst", "_level", "_rate", "_updated")

    def __init__(self, rate: float, *, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = burst
        self._level = burst
        self._updated = now

    def _refill(self, now: float) -> None:
        if now > self._updated:
            self._level = min(self._burst, self._level + (now - self._updated) * self._rate)
            self._updated = now

    def take(self, wanted: int, now: float) -> int:
        """Take up to `wanted`; returns how many may pass now."""
        allowed = min(wanted, self.left(now))
        self._level -= allowed
        return allowed

    def left(self, now: float) -> int:
        """How many may pass now."""
        self._refill(now)
        return max(0, int(self._level + NEARLY))

    def give_back(self, unused: int) -> None:
        """Return what was taken and not used."""
        self._level = min(self._burst, self._level + unused)

    def set_level(self, level: float, now: float) -> None:
        """So many may pass now, by somebody else's count; below zero is what was too much."""
        self._level, self._updated = min(self._burst, level), now

    def wait_s(self, now: float) -> float:
        """Seconds until one may pass; 0 when one may pass now."""
        self._refill(now)
        return 0.0 if self._level + NEARLY >= 1 else (1 - self._level) / self._rate
