"""The driver of an MM7 carrier: each message is a call, and a session has as many calls on the way as its window.

There is no connection to keep, so a session is up when the carrier was reached last. What surely did not leave is put
off, and the carrier is left alone for a while; what may have left without an answer is ambiguous.
"""

import asyncio
from base64 import b64encode
from collections import Counter
from collections.abc import Mapping
from typing import Final, Protocol

import structlog

from heliograph.carriers.backoff import Backoff, Dice, random_dice
from heliograph.carriers.mm7.answers import outcome_of
from heliograph.carriers.mm7.mapping import Submit, UnusableSender, room_for_files, submit_from
from heliograph.carriers.mm7.profile import Profile, profile_of
from heliograph.core.directory import Carrier
from heliograph.core.ids import IdSource
from heliograph.core.messages import Parcel
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome
from heliograph.core.reasons import Reason
from heliograph.mm7.codec import encode
from heliograph.mm7.multipart import Body
from heliograph.mm7.packing import pack
from heliograph.net.clock import Clock
from heliograph.net.http import CallFailed, Told
from heliograph.pipeline.ports import Attachments, CannotSend, Feed, SessionFeed
from heliograph.store.engine import StoreUnavailable

DRAIN_S: Final = 10.0
"""How long answers are waited for when the driver is to stop."""

ANSWER_OCTETS: Final = 64 * 1024
STORE_PAUSE_MS: Final = 1_000

_log = structlog.get_logger(__name__)


class Caller(Protocol):
    """`net.http.GuardedClient`, or what a test has in its place."""

    async def tell(
        self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float, most_octets: int
    ) -> Told:
        """Post a body and read the answer. Raises CallFailed."""
        ...


class Mm7Driver:
    """Takes messages for as many sessions as the carrier has. Raises BadCarrier when its settings are wrong.

    counts: what was odd so far, by name.
    """

    def __init__(
        self,
        carrier: Carrier,
        feed: Feed,
        clock: Clock,
        *,
        caller: Caller,
        attachments: Attachments,
        dice: Dice = random_dice,
    ) -> None:
        self._carrier = carrier
        self._profile = profile_of(carrier)
        self._feed = feed
        self._clock = clock
        self._caller = caller
        self._attachments = attachments
        self._headers = _headers_of(self._profile)
        self._ids = IdSource(0)
        self._unreached = Backoff(1.0, 60.0, dice)
        self._is_reached = False
        self._log = _log.bind(carrier=carrier.name)
        self.counts: Counter[str] = Counter()

    def is_bound(self) -> bool:
        """Whether the driver runs, and the last call reached the carrier."""
        return self._is_reached

    async def run(self) -> None:
        """Take and call until cancelled; then wait for the answers that are on their way."""
        self._is_reached = True
        try:
            async with asyncio.TaskGroup() as sessions:
                for _ in range(self._carrier.sessions):
                    sessions.create_task(self._hold_session())
        finally:
            self._is_reached = False

    async def _hold_session(self) -> None:
        session = self._feed.open_session()
        on_the_way: set[asyncio.Task[None]] = set()
        async with asyncio.TaskGroup() as calls:
            try:
                while True:
                    for parcel in await session.take():
                        call = calls.create_task(self._carry(parcel, session))
                        on_the_way.add(call)
                        call.add_done_callback(on_the_way.discard)
            finally:
                await _end(on_the_way)
                session.close("stopped")

    async def _carry(self, parcel: Parcel, session: SessionFeed) -> None:
        """One message, from its files to its outcome."""
        outcome: SubmitOutcome = Deferred(parcel, 0, False, "stopped before it left")
        try:
            prepared = await self._prepared(parcel)
            if not isinstance(prepared, Submit):
                outcome = prepared
                return
            transaction_id = f"{self._ids.next(self._clock.now_ms()):x}"
            body = self._packed(prepared, transaction_id)
            if len(body.octets) > self._profile.most_octets:
                why = f"{len(body.octets)} octets, of which the carrier takes {self._profile.most_octets}"
                outcome = Refused(parcel, Reason.MEDIA_UNAVAILABLE, why)
                return
            outcome = Ambiguous(parcel, "stopped before the answer came")
            outcome = await self._call(parcel, body, transaction_id)
        finally:
            session.report([outcome])

    async def _prepared(self, parcel: Parcel) -> Submit | SubmitOutcome:
        """The request and its files, or why there is none."""
        profile, content = self._profile, parcel.message.content
        try:
            attachments = await self._attachments.of(
                content, most_octets=room_for_files(parcel, profile), most_side=profile.most_side
            )
            return submit_from(parcel, attachments, profile)
        except CannotSend as error:
            return Refused(parcel, Reason.MEDIA_UNAVAILABLE, str(error))
        except UnusableSender as error:
            return Refused(parcel, Reason.INVALID_SENDER, str(error))
        except StoreUnavailable as error:
            return Deferred(parcel, STORE_PAUSE_MS, False, f"the files could not be read: {error}")

    def _packed(self, submit: Submit, transaction_id: str) -> Body:
        envelope = encode(submit.message, transaction_id=transaction_id, namespace=self._profile.namespace)
        return pack(envelope, submit.files, boundary=f"mm7-{transaction_id}", is_binary=self._profile.is_binary)

    async def _call(self, parcel: Parcel, body: Body, transaction_id: str) -> SubmitOutcome:
        try:
            told = await self._caller.tell(
                self._profile.url,
                body.octets,
                headers={**self._headers, "Content-Type": body.content_type},
                timeout_s=self._profile.response_s,
                most_octets=ANSWER_OCTETS,
            )
        except CallFailed as error:
            if error.may_have_left:
                self.counts["unanswered"] += 1
                return Ambiguous(parcel, str(error))
            return self._not_reached(parcel, str(error))
        self._unreached.reset()
        self._is_reached = True
        return outcome_of(parcel, told, transaction_id=transaction_id, overrides=self._profile.statuses)

    def _not_reached(self, parcel: Parcel, why: str) -> Deferred:
        """Not the message's fault: it waits, and so do all others."""
        wait_ms = int(self._unreached.next_s() * 1000)
        if self._is_reached:
            self._log.warning("carrier not reached", why=why, retry_in_ms=wait_ms)
        self._is_reached = False
        return Deferred(parcel, wait_ms, False, why, pause_ms=wait_ms)


def _headers_of(profile: Profile) -> dict[str, str]:
    """What every request has beside its own type."""
    headers = {"SOAPAction": '""', "Accept": "text/xml, multipart/related", **profile.headers}
    if profile.password:
        credentials = f"{profile.user}:{profile.password}".encode()
        headers["Authorization"] = f"Basic {b64encode(credentials).decode('ascii')}"
    return headers


async def _end(calls: set[asyncio.Task[None]]) -> None:
    """Wait for the calls that are on their way, and break off those that take too long."""
    if not calls:
        return
    _, late = await asyncio.wait(calls, timeout=DRAIN_S)
    for call in late:
        call.cancel()
    if late:
        _log.warning("drain timed out", unanswered=len(late))
        await asyncio.wait(late)
