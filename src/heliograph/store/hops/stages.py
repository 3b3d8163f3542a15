"""Stages of broadcasts: its place moves in the transaction that accepts the messages of the stretch before it.

A stage that begins where the broadcast no longer stands was expanded before, perhaps by the run before a crash, and is
overtaken: it writes nothing. So no contact gets a message twice and none is left out, however often a stretch is tried.
"""

from collections.abc import Iterable
from typing import NamedTuple

from heliograph.core.broadcasts import BroadcastState
from heliograph.core.ids import AccountId
from heliograph.store.hops.statements import Script, Statement, Step

Place = tuple[int, int]


class StageMove(NamedTuple):
    """From one place of a broadcast to another; how many contacts between them became a message, and how many not."""

    broadcast_id: int
    after: Place
    upto: Place
    accepted: int
    refused: int


_PLACES = Statement(
    """
from ({rows}) j cross join broadcast b where b.account_id = j.column1 and b.id = j.column2 and b.state < ?1
""",
    reads="b.account_id, b.id, b.group_number, b.contact_id",
    answer=tuple[AccountId, int, int, int],
    locks="b",
    columns="int bigint",
    scalars="int",
)
_MOVE = Statement(
    """
update broadcast set state = ?1, reason = 0, group_number = j.column5, contact_id = j.column6,
  accepted = accepted + j.column7, refused = refused + j.column8
from ({rows}) j
where broadcast.account_id = j.column1 and broadcast.id = j.column2
  and broadcast.group_number = j.column3 and broadcast.contact_id = j.column4 and broadcast.state < ?2
""",
    columns="int bigint int bigint int bigint int int",
    scalars="int int",
)


class _Moved(NamedTuple):
    after: Place
    upto: Place
    accepted: int = 0
    refused: int = 0


class Places:
    """Where the broadcasts of a batch stand: those that are not over."""

    __slots__ = ("_of",)

    def __init__(self, of: dict[tuple[AccountId, int], _Moved]) -> None:
        self._of = of

    def may_move(self, account_id: AccountId, stage: StageMove) -> bool:
        """Whether the broadcast stands where the stage begins, and the stage leads onwards."""
        stands = self._of.get((account_id, stage.broadcast_id))
        return stands is not None and stands.upto == tuple(stage.after) < tuple(stage.upto)

    def move(self, account_id: AccountId, stage: StageMove) -> None:
        """The stage's messages are accepted."""
        key = (account_id, stage.broadcast_id)
        old = self._of[key]
        self._of[key] = _Moved(
            old.after, (stage.upto[0], stage.upto[1]), old.accepted + stage.accepted, old.refused + stage.refused
        )

    def moved(self) -> Step:
        """Keep what has moved: one row for each broadcast."""
        moved = [
            (*key, *each.after, *each.upto, each.accepted, each.refused)
            for key, each in self._of.items()
            if each.upto != each.after
        ]
        return _MOVE.about(moved, int(BroadcastState.RUNNING), int(BroadcastState.DONE))


def places_of(stages: Iterable[tuple[AccountId, StageMove]]) -> Script[Places]:
    """Where the broadcasts of these stages stand now."""
    keys = sorted({(account_id, stage.broadcast_id) for account_id, stage in stages})
    found = yield _PLACES.about(keys, int(BroadcastState.DONE))
    return Places({(row[0], row[1]): _Moved((row[2], row[3]), (row[2], row[3])) for row in found})
