"""Whether the message centre takes a segment: the sender's pace, the recipient's digits, the fields' sizes."""

from typing import Final

from heliograph.core.fates import THROTTLED_TIMES, Fate
from heliograph.core.throttle import TokenBucket
from heliograph.smpp.constants import CommandStatus
from heliograph.smpp.pdus import SubmitSm

_LONGEST_ADDRESS: Final = 20
_MOST_REMEMBERED: Final = 10_000


class Judgement:
    """Remembers who sent how fast, and who was put off how often."""

    def __init__(self, *, throughput: int, now: float) -> None:
        """throughput: segments a second that are taken, 0 for any number."""
        self._bucket = TokenBucket(throughput, burst=throughput, now=now) if throughput else None
        self._put_off: dict[tuple[str, bytes], int] = {}

    def status_of(self, pdu: SubmitSm, fate: Fate, *, now: float) -> int:
        """The command_status to answer with, 0 to take it."""
        if not 0 < len(pdu.destination_addr) <= _LONGEST_ADDRESS:
            return CommandStatus.ESME_RINVDSTADR
        if len(pdu.source_addr) > _LONGEST_ADDRESS:
            return CommandStatus.ESME_RINVSRCADR
        if self._bucket is not None and not self._bucket.take(1, now):
            return CommandStatus.ESME_RTHROTTLED
        if fate is Fate.REJECTED:
            return CommandStatus.ESME_RINVDSTADR
        if fate is Fate.THROTTLED and self._is_put_off(pdu):
            return CommandStatus.ESME_RTHROTTLED
        return CommandStatus.ESME_ROK

    def _is_put_off(self, pdu: SubmitSm) -> bool:
        key = (pdu.destination_addr, pdu.short_message)
        times = self._put_off.pop(key, 0)
        if times >= THROTTLED_TIMES:
            return False
        if len(self._put_off) >= _MOST_REMEMBERED:
            del self._put_off[next(iter(self._put_off))]
        self._put_off[key] = times + 1
        return True
