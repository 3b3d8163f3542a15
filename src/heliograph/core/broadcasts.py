"""A broadcast: one submission to all contacts of some groups, expanded piece by piece."""

from enum import IntEnum
from typing import NamedTuple

from heliograph.core.ids import AccountId, BroadcastId, ContactGroupId
from heliograph.core.messages import Channel, Traits
from heliograph.core.reasons import Reason

NAME_CHARS = 120
"""Characters of a broadcast's name."""


class BroadcastState(IntEnum):
    """Where a broadcast stands. Numbers are stored."""

    SCHEDULED = 0
    RUNNING = 1
    PAUSED = 2
    """Nothing more is expanded until what stopped it (its reason) has passed; it is tried again by itself."""
    DONE = 10
    CANCELLED = 11

    @property
    def is_over(self) -> bool:
        """Whether no further contact will be expanded."""
        return self >= BroadcastState.DONE


class Broadcast(NamedTuple):
    """What is to be sent to whom, and how far it has come.

    text: may hold merge fields (`core.templates`). place: the number of the group and the last contact that was
    expanded. accepted, refused: contacts that became a message, and those that did not. send_at_ms: 0 for at once.
    """

    account_id: AccountId
    broadcast_id: BroadcastId
    name: str
    dialect: str
    channel: Channel
    sender: str | None
    text: str
    traits: Traits
    media_urls: tuple[str, ...]
    groups: tuple[ContactGroupId, ...]
    send_at_ms: int
    state: BroadcastState
    place: tuple[int, int] = (0, 0)
    accepted: int = 0
    refused: int = 0
    reason: Reason | None = None
    created_at_ms: int = 0
    ended_at_ms: int | None = None
