"""Who may come in while submissions wait to be stored: so many that each is stored within about half a second.

The number does not follow how long storing takes: a machine that has too much to do answers late whatever the limit is,
and a lower one would only make it do less of what counts. Past the limit an account that has little on its way still
comes in, as far as there is not twice too much: one that sends all it can waits, and is refused, before another that
does not.
"""

from collections import Counter
from typing import Final, NamedTuple

from heliograph.core.ids import AccountId

MOST: Final = 8_000
"""What may be on its way, in weights."""

EACH: Final = 3
"""What a submission weighs beside its messages: reading and answering one costs as much as storing three more."""

LITTLE: Final = 20
"""What an account may have on its way that is let in before others."""

WAITING_S: Final = 1.0
"""So long a submission may wait to come in before it is refused."""

SILENT_S: Final = 3.0
"""When nothing has been stored for so long nobody comes in: longer than a machine with too much to do looks away."""


class Pass(NamedTuple):
    """One submission on its way."""

    account_id: AccountId
    weight: int


class Admission:
    """Counts what is on its way. Times are monotonic seconds."""

    __slots__ = ("_inside", "_most", "_moved", "_of_accounts")

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._inside = 0
        self._of_accounts: Counter[AccountId] = Counter()
        self._moved = 0.0

    def has_room(self, account_id: AccountId, now: float) -> bool:
        """Whether a submission of an account may enter, whatever it weighs."""
        inside = self._inside
        if inside and now - self._moved >= SILENT_S:
            return False
        return inside < self._most or (inside < 2 * self._most and self._of_accounts[account_id] < LITTLE)

    def is_stuck(self, now: float) -> bool:
        """Whether nothing that is on its way has been stored for so long that nobody need wait."""
        return self._inside > 0 and now - self._moved >= SILENT_S

    def enter(self, account_id: AccountId, messages: int, now: float) -> Pass:
        """A submission is on its way from now on."""
        if not self._inside:
            self._moved = now
        weight = EACH + messages
        self._inside += weight
        self._of_accounts[account_id] += weight
        return Pass(account_id, weight)

    def leave(self, passed: Pass, now: float) -> None:
        """A submission was stored, or was not."""
        account_id, weight = passed
        self._inside -= weight
        left = self._of_accounts[account_id] - weight
        if left:
            self._of_accounts[account_id] = left
        else:
            del self._of_accounts[account_id]
        self._moved = now
