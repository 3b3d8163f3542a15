"""What the passing of time does to a session (clause 2.9)."""

from math import inf

from heliograph.smpp.constants import CommandId
from heliograph.smpp.dialogue import Dialogue
from heliograph.smpp.events import Event, RequestTimedOut
from heliograph.smpp.pdus import EnquireLink
from heliograph.smpp.states import BINDS, Role, SessionState

# Without an answer to one of these nothing else of the session makes sense.
_VITAL = BINDS | {CommandId.ENQUIRE_LINK, CommandId.UNBIND}


def next_deadline(dialogue: Dialogue) -> float | None:
    """When `tick` has something to do; None when only the peer can move the session."""
    if dialogue.is_closed:
        return None
    oldest = dialogue.outstanding.oldest()
    response = inf if oldest is None else oldest + dialogue.timers.response
    earliest = min(_session_init_at(dialogue), _inactive_at(dialogue), _enquire_at(dialogue), response)
    return None if earliest == inf else earliest


def tick(dialogue: Dialogue, now: float) -> list[Event]:
    """Do what is due: report requests without an answer, ask whether the peer lives, give the session up."""
    if dialogue.is_closed:
        return []
    if _session_init_at(dialogue) <= now:
        return [dialogue.close("no bind came in time")]
    overdue = dialogue.outstanding.take_overdue(dialogue.timers.response, now)
    events: list[Event] = [RequestTimedOut(sequence, command_id) for sequence, command_id in overdue]
    for _, command_id in overdue:
        if command_id in _VITAL:
            name = CommandId(command_id).name.lower()
            return [*events, dialogue.close(f"{name} was not answered in time")]
    if _inactive_at(dialogue) <= now:
        return [*events, dialogue.close("the peer was silent too long")]
    if _enquire_at(dialogue) <= now:
        dialogue.enquiring = True
        dialogue.send_request(EnquireLink(), now=now)
    return events


def _session_init_at(dialogue: Dialogue) -> float:
    """A bind that waits for our own answer stops the timer."""
    waits = dialogue.role is Role.MC and dialogue.state in (SessionState.OPEN, SessionState.OUTBOUND)
    return dialogue.opened_at + dialogue.timers.session_init if waits else inf


def _inactive_at(dialogue: Dialogue) -> float:
    return dialogue.last_heard + dialogue.timers.inactivity if dialogue.is_bound else inf


def _enquire_at(dialogue: Dialogue) -> float:
    """One question at a time, and none to a peer that is on its way out."""
    asks = dialogue.is_bound and not dialogue.enquiring and not dialogue.is_ending
    return dialogue.last_heard + dialogue.timers.enquire_link if asks else inf
