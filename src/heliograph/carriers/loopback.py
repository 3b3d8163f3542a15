"""The carrier `loopback:`, which needs no network: it takes every channel and treats each recipient as its digits ask.

It behaves like the sandbox message centre (`core.fates`) without a wire between. Settings: `receipt_delay_ms` and
`late_ms`. When it is stopped, what it still had to tell is told at once.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final, NamedTuple

from heliograph.carriers.settings import BadCarrier, Settings
from heliograph.core.directory import Carrier
from heliograph.core.fates import LATE_MS, REPLY_DELAY_MS, THROTTLED_TIMES, Fate, fate_of
from heliograph.core.ids import IdSource
from heliograph.core.messages import Channel, Parcel
from heliograph.core.outcomes import Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.core.receipts import Receipt
from heliograph.core.states import MessageState
from heliograph.gsm import segments
from heliograph.gsm.segments import Encoding
from heliograph.net.clock import Clock
from heliograph.pipeline.ports import Feed, Incoming, IncomingMedia, SessionFeed

THROTTLED_MS: Final = 500
"""How long a throttled message is put off."""

REFUSED_WAIT_S: Final = 1.0
"""How long a receipt waits that the store could not take."""

PICTURE: Final = IncomingMedia(
    bytes.fromhex(
        "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de"
        "0000000c4944415478da63f8cfc0000003010100f70341430000000049454e44ae426082"
    ),
    "image/png",
    "reply.png",
)
"""What comes with the reply to an MMS: one red pixel."""

_log = logging.getLogger(__name__)
_MOST_PUT_OFF: Final = 10_000
_ERRORS: Final = {MessageState.UNDELIVERED: "001", MessageState.EXPIRED: "002"}


class Delays(NamedTuple):
    """How long receipts wait: the usual ones, and those of numbers that are told late. Seconds."""

    receipt_s: float
    late_s: float


def delays_of(carrier: Carrier) -> Delays:
    """Read a loopback carrier's settings `receipt_delay_ms` and `late_ms`; raises BadCarrier."""
    if carrier.url != "loopback:":
        raise BadCarrier("the loopback carrier has nothing behind its scheme: write loopback:")
    settings = Settings(carrier.settings)
    receipt_ms = settings.number("receipt_delay_ms", 0, most=3_600_000)
    late_ms = settings.number("late_ms", LATE_MS, most=3_600_000)
    settings.check_all_taken()
    return Delays(receipt_ms / 1000, (receipt_ms + late_ms) / 1000)


class LoopbackDriver:
    """Takes parcels of as many sessions as the carrier has. Raises BadCarrier for settings that make no sense."""

    def __init__(self, carrier: Carrier, feed: Feed, clock: Clock) -> None:
        self._delays = delays_of(carrier)
        self._carrier = carrier
        self._feed = feed
        self._clock = clock
        self._ids = IdSource(0)
        self._put_off: dict[tuple[int, int], int] = {}
        self._is_running = False

    def is_bound(self) -> bool:
        """There is nothing that could be down."""
        return self._is_running

    async def run(self) -> None:
        """Take and answer until cancelled."""
        self._is_running = True
        try:
            async with asyncio.TaskGroup() as sessions:
                for _ in range(self._carrier.sessions):
                    sessions.create_task(self._hold_session())
        finally:
            self._is_running = False

    async def _hold_session(self) -> None:
        session = self._feed.open_session()
        teller = _Teller(session, self._clock)
        try:
            while True:
                self._carry(await session.take(), session, teller)
        finally:
            teller.stop()
            session.close("stopped")

    def _carry(self, parcels: list[Parcel], session: SessionFeed, teller: "_Teller") -> None:
        outcomes: list[SubmitOutcome] = []
        early: list[Receipt] = []
        usual: list[Receipt] = []
        late: list[Receipt] = []
        replies: list[Incoming] = []
        now_ms = self._clock.now_ms()
        for parcel in parcels:
            is_voice = parcel.message.content.channel is Channel.VOICE
            if is_voice:
                _tell_voice(parcel)
            fate = fate_of(parcel.message.recipient)
            outcome = self._outcome_of(parcel, fate, now_ms)
            outcomes.append(outcome)
            if isinstance(outcome, Submitted) and fate.end is not None:
                receipt = _receipt_of(outcome, fate.end)
                line = {Fate.DELIVERED_LATE: late, Fate.RECEIPT_FIRST: early}.get(fate, usual)
                line += [receipt, receipt] if fate is Fate.DUPLICATE_RECEIPT else [receipt]
                if (
                    fate.reply is not None
                    and parcel.segment == 0
                    and parcel.message.content.channel is not Channel.VOICE
                ):
                    replies += _replies_to(parcel, fate.reply)
        teller.receipts(early, 0)
        session.report(outcomes)
        teller.receipts(usual, self._delays.receipt_s)
        teller.receipts(late, self._delays.late_s)
        teller.incoming(replies, self._delays.receipt_s + REPLY_DELAY_MS / 1000)

    def _outcome_of(self, parcel: Parcel, fate: Fate, now_ms: int) -> SubmitOutcome:
        if fate is Fate.REJECTED:
            return Refused(parcel, Reason.CARRIER_REFUSED, "rejected")
        if fate is Fate.THROTTLED and self._is_put_off(parcel):
            return Deferred(parcel, THROTTLED_MS, False, "throttled")
        return Submitted(parcel, f"{self._ids.next(now_ms):x}")

    def _is_put_off(self, parcel: Parcel) -> bool:
        key = (parcel.message.message_id, parcel.segment)
        times = self._put_off.pop(key, 0)
        if times >= THROTTLED_TIMES:
            return False
        if len(self._put_off) >= _MOST_PUT_OFF:
            del self._put_off[next(iter(self._put_off))]
        self._put_off[key] = times + 1
        return True


class _Teller:
    """Hands things to a session, now or later, and again when the store could not take them."""

    def __init__(self, session: SessionFeed, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._waiting: dict[asyncio.Task[None], Callable[[], None]] = {}
        self._is_stopped = False

    def receipts(self, receipts: list[Receipt], delay_s: float) -> None:
        """Hand over receipts."""

        def stored(is_stored: bool) -> None:
            if not is_stored:
                self.receipts(receipts, REFUSED_WAIT_S)

        if receipts:
            self._after(delay_s, lambda: self._session.receive(receipts, stored))

    def incoming(self, incoming: list[Incoming], delay_s: float) -> None:
        """Hand over incoming messages."""

        def stored(is_stored: bool) -> None:
            if not is_stored:
                self.incoming(incoming, REFUSED_WAIT_S)

        if incoming:
            self._after(delay_s, lambda: self._session.take_in(incoming, stored))

    def stop(self) -> None:
        """Tell all that waits, for the last time."""
        self._is_stopped = True
        waiting, self._waiting = self._waiting, {}
        for task, action in waiting.items():
            task.cancel()
            action()

    def _after(self, delay_s: float, action: Callable[[], None]) -> None:
        if not delay_s:
            action()
        elif not self._is_stopped:
            task = asyncio.create_task(self._sleep(delay_s))
            self._waiting[task] = action
            task.add_done_callback(self._ring)

    async def _sleep(self, delay_s: float) -> None:
        await self._clock.sleep(delay_s)

    def _ring(self, task: asyncio.Task[None]) -> None:
        action = self._waiting.pop(task, None)
        if action is not None:
            action()


def _tell_voice(parcel: Parcel) -> None:
    """Nobody hears the voice, so the log says which one it would have been."""
    _, language, gender, _ = parcel.message.content.traits
    _log.info("message %d would be read in %s by a %s voice", parcel.message.message_id, language, gender)


def _receipt_of(outcome: Submitted, end: MessageState) -> Receipt:
    message = outcome.parcel.message
    # The id was made in small hexadecimal digits without leading zeros: it is its own match key.
    return Receipt(
        outcome.carrier_message_id,
        end,
        (message.recipient[1:], message.content.sender.removeprefix("+")),
        _ERRORS.get(end, ""),
    )


def _replies_to(parcel: Parcel, text: str) -> list[Incoming]:
    """What the recipient writes back: an MMS for an MMS; the segments of a long reply overtake each other."""
    message = parcel.message
    sender, recipient = message.recipient[1:], message.content.sender.removeprefix("+")
    if message.content.channel is Channel.MMS:
        body = text.encode("utf-16-be")
        return [Incoming(sender, recipient, Encoding.UCS2, b"", body, text, Channel.MMS, (PICTURE,))]
    # The id counts milliseconds above its low bits.
    reference = (message.message_id >> 12) + message.message_id & 0xFF
    encoding, cut = segments.split(text, reference=reference)
    return [
        Incoming(sender, recipient, encoding, header, body, segments.join((body,), encoding))
        for header, body in reversed(cut)
    ]
