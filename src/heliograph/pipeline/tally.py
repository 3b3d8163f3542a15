"""Counts of what happened, kept as plain numbers by the hops and read by whoever shows them."""

from collections import Counter
from dataclasses import dataclass, field

from heliograph.core.ids import CarrierId
from heliograph.core.reasons import Reason
from heliograph.core.states import MessageState


@dataclass(slots=True)
class Tally:
    """One process's counts since it started.

    outcomes: by carrier and kind of `SubmitOutcome` ("submitted", "refused", "deferred", "ambiguous").
    incoming: whole messages from handsets that were stored, by carrier.
    states: messages that entered a state that is an event. calls: of webhooks, by whether they were taken.
    """

    submissions: int = 0
    accepted: int = 0
    refused: Counter[Reason] = field(default_factory=Counter)
    outcomes: Counter[tuple[CarrierId, str]] = field(default_factory=Counter)
    receipts: Counter[CarrierId] = field(default_factory=Counter)
    incoming: Counter[CarrierId] = field(default_factory=Counter)
    states: Counter[MessageState] = field(default_factory=Counter)
    events_told: int = 0
    calls: Counter[bool] = field(default_factory=Counter)
