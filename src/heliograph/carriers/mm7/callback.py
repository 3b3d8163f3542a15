"""What an MM7 carrier tells us: messages from handsets, delivery reports and read replies.

Answers are in MM7's own shape, with the caller's TransactionID, namespace and version. Success is said after the
commit, and 503 with a server error when the store could not, after which carriers repeat it. What cannot be read is
refused with 400: it would not become readable.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from heliograph.carriers.mm7.mapping import incoming_from, receipt_from, receipt_of_reading
from heliograph.carriers.mm7.profile import profile_of
from heliograph.core.directory import Carrier
from heliograph.mm7.codec import encode
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.messages import (
    DeliverReq,
    DeliverRsp,
    DeliveryReportReq,
    DeliveryReportRsp,
    Envelope,
    ReadReplyReq,
    ReadReplyRsp,
    Response,
    Status,
    VASPErrorRsp,
)
from heliograph.mm7.packing import ENVELOPE_TYPE, Packed, unpack
from heliograph.mm7.status import StatusCode
from heliograph.pipeline.ports import CallAnswer, CarrierCall, Inbox, Stored

STORE_S: Final = 20.0
"""How long a call waits for the commit."""

LARGE_OCTETS: Final = 128 * 1024
"""Bodies from here on are read beside the event loop."""

_ANSWERS: Final[dict[type, Callable[..., Response]]] = {
    DeliverReq: DeliverRsp,
    DeliveryReportReq: DeliveryReportRsp,
    ReadReplyReq: ReadReplyRsp,
}


class Mm7Callback:
    """Reads one carrier's calls. Raises BadCarrier when its settings are wrong.

    counts: what was odd so far, by name.
    """

    def __init__(self, carrier: Carrier, inbox: Inbox) -> None:
        self._profile = profile_of(carrier)
        self._inbox = inbox
        self.counts: Counter[str] = Counter()

    async def called(self, call: CarrierCall) -> CallAnswer:
        """Store what a call tells, and answer it."""
        if call.method != "POST":
            return CallAnswer(405, b"MM7 is posted.\n")
        if call.headers.get("content-encoding", "identity").lower() not in ("identity", ""):
            return CallAnswer(415, b"Compressed bodies are not read.\n")
        try:
            packed = await _unpacked(call)
        except NotReadable as error:
            self.counts["unreadable"] += 1
            return self._refused(StatusCode.MESSAGE_FORMAT_CORRUPT, str(error))
        if not isinstance(packed.envelope.message, DeliverReq | DeliveryReportReq | ReadReplyReq):
            self.counts["unsupported"] += 1
            return self._refused(StatusCode.UNSUPPORTED_OPERATION, "not a message for us", packed.envelope)
        return self._answered(packed.envelope, is_stored=await self._stored(packed))

    async def _stored(self, packed: Packed) -> bool:
        """Hand over what came, and wait until it is known whether it was committed."""
        message, answer = packed.envelope.message, asyncio.get_running_loop().create_future()
        stored: Stored = partial(_settle, answer)
        if isinstance(message, DeliverReq):
            transaction_id = packed.envelope.transaction_id
            self._inbox.take_in(incoming_from(message, packed.files, transaction_id=transaction_id), stored)
        elif isinstance(message, DeliveryReportReq):
            self._inbox.receive([receipt_from(message)], stored)
        elif isinstance(message, ReadReplyReq):
            self._inbox.receive([receipt_of_reading(message)], stored)
        try:
            async with asyncio.timeout(STORE_S):
                return bool(await answer)
        except TimeoutError:
            return False

    def _answered(self, envelope: Envelope, *, is_stored: bool) -> CallAnswer:
        code = StatusCode.SUCCESS if is_stored else StatusCode.SERVER_ERROR
        make = _ANSWERS[type(envelope.message)]
        answer = make(mm7_version=self._version_of(envelope), status=Status(status_code=code, status_text=code.words))
        return self._written(200 if is_stored else 503, answer, envelope)

    def _refused(self, code: StatusCode, why: str, envelope: Envelope | None = None) -> CallAnswer:
        status = Status(status_code=code, status_text=code.words, details=why)
        return self._written(400, VASPErrorRsp(mm7_version=self._version_of(envelope), status=status), envelope)

    def _written(self, http_status: int, answer: Response, envelope: Envelope | None) -> CallAnswer:
        transaction_id = "" if envelope is None else envelope.transaction_id
        namespace = (envelope and envelope.namespace) or self._profile.namespace
        body = encode(answer, transaction_id=transaction_id, namespace=namespace)
        return CallAnswer(http_status, body, ENVELOPE_TYPE)

    def _version_of(self, envelope: Envelope | None) -> str:
        return getattr(envelope and envelope.message, "mm7_version", "") or self._profile.version


async def _unpacked(call: CarrierCall) -> Packed:
    content_type = call.headers.get("content-type", "")
    if len(call.body) < LARGE_OCTETS:
        return unpack(content_type, call.body)
    return await asyncio.to_thread(unpack, content_type, call.body)


def _settle(answer: "asyncio.Future[bool]", is_stored: bool) -> None:
    if not answer.done():
        answer.set_result(is_stored)
