"""What a drill comes to: promises, each with the number of times it was broken."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from heliograph.cli.drill.customers import SEGMENTS, Customers
from heliograph.cli.drill.faults import FAULTS, OF_A_FAMILY, OF_THE_SERVER
from heliograph.cli.drill.stage import GRANT, POLICIES, Stage
from heliograph.core.directory import Policy
from heliograph.core.ledger import Balance
from heliograph.core.money import CREDIT
from heliograph.core.states import Charge, MessageState
from heliograph.store.messages import MessageView

MOST: Final = 5


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Counts of messages, but for segments that were sent twice. allowed_twice: what the promises let be sent twice.

    terminal: came to an end; held: wait for a person; unfinished: neither. untold: an end that no webhook was told of.
    receipts_lost: acknowledged, and the message does not know. takeovers: of what a process had that died or hung.
    slowest_takeover_s: until others had gone on with all of it. findings: of `heliograph audit`, and other surprises.
    """

    rounds: int
    seconds: float
    database: str
    processes: int
    faults: Mapping[str, int]
    requests: int
    unanswered: int
    refused: int
    accepted: int
    terminal: int
    held: int
    unfinished: int
    lost: int
    sent_twice: int
    allowed_twice: int
    sent_twice_by_hold: int
    charged_twice: int
    receipts_lost: int
    untold: int
    takeovers: int
    slowest_takeover_s: float
    findings: Sequence[str]

    @property
    def is_kept(self) -> bool:
        """Whether every promise was."""
        broken = (
            self.unfinished, self.lost, self.sent_twice_by_hold, self.charged_twice, self.receipts_lost, self.untold,
            len(self.findings),
        )  # fmt: skip
        return not any(broken) and self.sent_twice <= self.allowed_twice


class Stored(NamedTuple):
    """What the store holds at the end. findings: of the audit."""

    messages: Sequence[MessageView]
    balance: Balance
    findings: Sequence[str]


class Course(NamedTuple):
    """What happened. allowed: segments that may have been sent twice."""

    faults: Counter[str]
    allowed: int
    seconds: float


def report(
    it: Stage,
    customers: Customers,
    *,
    stored: Stored,
    course: Course,
) -> Report:
    """Do the sums."""
    it.carried.look()
    states = {each.recipient.removeprefix("+"): each.state for each in stored.messages}
    counts = Counter(each.recipient for each in stored.messages)
    carried = {
        recipient
        for recipient, text in customers.tried.items()
        if it.carried.segments[recipient] == SEGMENTS[text] and states.get(recipient) is not MessageState.HELD
    }
    twice = {key: count - 1 for key, count in it.carried.copies.items() if count > 1}
    lost = [each for each in customers.accepted if each not in states]
    delivered = {recipient for recipient, state in states.items() if state is MessageState.DELIVERED}
    said = [f"audit: {finding}" for finding in stored.findings] + it.findings
    said += [f"answered oddly: {each}" for each in customers.strange[:MOST]]
    said += [f"nobody wrote to {each}" for each in [each for each in states if each not in customers.tried][:MOST]]
    captured = sum(each.price for each in stored.messages if each.charge is Charge.CAPTURED)
    return Report(
        rounds=sum(course.faults.values()),
        seconds=round(course.seconds, 1),
        database="PostgreSQL" if it.database else "SQLite",
        processes=it.plan.processes,
        faults=dict(course.faults),
        requests=customers.requests,
        unanswered=customers.unanswered,
        refused=customers.refused,
        accepted=len(customers.accepted),
        terminal=sum(state.is_terminal for state in states.values()),
        held=sum(state is MessageState.HELD for state in states.values()),
        unfinished=sum(not state.is_terminal and state is not MessageState.HELD for state in states.values()),
        lost=len(lost),
        sent_twice=sum(twice.values()),
        allowed_twice=course.allowed,
        sent_twice_by_hold=sum(count for (name, *_), count in twice.items() if POLICIES[name] is Policy.HOLD),
        charged_twice=sum(count - 1 for count in counts.values()) + _overcharged(stored.balance, captured),
        receipts_lost=len(carried - delivered),
        untold=len(delivered - it.told),
        takeovers=len(it.takeovers),
        slowest_takeover_s=round(max(it.takeovers, default=0.0), 1),
        findings=said,
    )


def _overcharged(balance: Balance, captured: int) -> int:
    """Segments that were paid for and belong to no message, or whose credits went nowhere."""
    missing = GRANT * CREDIT - sum(balance)
    return (abs(balance.captured - captured) + abs(missing)) // CREDIT


_LINES: Final = {
    "requests": "requests",
    "unanswered": "tries that got no answer",
    "refused": "tries that were refused for now",
    "accepted": "messages accepted",
    "terminal": "came to an end",
    "held": "are held, for a person to look at",
    "unfinished": "did not come to an end",
    "lost": "lost",
    "sent_twice": "segments sent twice",
    "allowed_twice": "  may be by what is promised",
    "sent_twice_by_hold": "segments sent twice although doubts are held",
    "charged_twice": "charged twice",
    "receipts_lost": "receipts acknowledged and lost",
    "untold": "ends that no webhook was told of",
}


def text_of(report: Report) -> str:
    """As people read it."""
    document = document_of(report)
    several = f", {report.processes} processes" if report.processes > 1 else ""
    lines = [f"{report.rounds} rounds in {report.seconds:.0f} s on {report.database}{several}", ""]
    known = {**FAULTS, **OF_THE_SERVER, **OF_A_FAMILY}
    lines += [f"{count:>8,} × {known[name].about}" for name, count in sorted(report.faults.items())]
    lines += ["", *(f"{document[name]:>8,}  {words}" for name, words in _LINES.items())]
    if report.takeovers:
        slowest = f"after at most {report.slowest_takeover_s} s"
        lines.append(f"{report.takeovers:>8,}  times others went on with what a process had, {slowest}")
    lines += ["", *report.findings] if report.findings else [""]
    return "\n".join([*lines, "Every promise was kept." if report.is_kept else "A promise was BROKEN."])


def document_of(report: Report) -> dict[str, Any]:
    """As `--json` has it."""
    built: dict[str, Any] = msgspec.to_builtins(report)
    return {**built, "is_kept": report.is_kept}
