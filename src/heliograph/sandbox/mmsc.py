"""An MMSC that carries nothing anywhere: it takes MMS over MM7, lays them down as files, and treats each recipient as
its digits ask (`core.fates`).

What a message brought stands in a folder of its own, so that people can look at it. Reports and replies are called to
the address that we are given; nobody repeats them, and all is forgotten when it stops.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from heliograph.core.fates import LATE_MS, REPLY_DELAY_MS, THROTTLED_TIMES, Fate, fate_of
from heliograph.core.states import MessageState
from heliograph.mm7.codec import encode
from heliograph.mm7.errors import NotReadable
from heliograph.mm7.messages import (
    Address,
    Content,
    DeliverReq,
    DeliveryReportReq,
    Envelope,
    MMStatus,
    Recipients,
    RSErrorRsp,
    Status,
    SubmitReq,
    SubmitRsp,
)
from heliograph.mm7.messages import (
    Response as Mm7Response,
)
from heliograph.mm7.multipart import Part
from heliograph.mm7.packing import ENVELOPE_TYPE, pack, unpack
from heliograph.mm7.status import StatusCode
from heliograph.net.clock import Clock
from heliograph.net.http import CallFailed, Told
from heliograph.net.listen import listening_socket, serve_http

REPORT_S: Final = 0.2
"""How long after its answer a message is reported on."""

CALL_S: Final = 10.0
_VERSION: Final = "6.8.0"
_STATUSES: Final = {
    MessageState.DELIVERED: MMStatus.RETRIEVED,
    MessageState.UNDELIVERED: MMStatus.REJECTED,
    MessageState.EXPIRED: MMStatus.EXPIRED,
}


class Caller(Protocol):
    """`net.http.GuardedClient`."""

    async def tell(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float) -> Told:
        """Post a body. Raises CallFailed."""
        ...


class _Taken(NamedTuple):
    """A message to one recipient. namespace: in which it was said."""

    message_id: str
    recipient: Address
    sender: Address | None
    namespace: str
    files: tuple[Part, ...]


class Mmsc:
    """Serves between `start` and `stop`. folder: where messages are laid down. counts: what happened so far, by name.

    report_to: the address that is called with reports and replies; without one nobody hears of them.
    """

    def __init__(self, clock: Clock, folder: Path, *, caller: Caller) -> None:
        self._clock = clock
        self._folder = folder
        self._caller = caller
        self._put_off: Counter[str] = Counter()
        self._number = 0
        self._aftermath: set[asyncio.Task[None]] = set()
        self._serving: asyncio.Task[None] | None = None
        self.report_to = ""
        self.counts: Counter[str] = Counter()

    async def start(self, host: str, port: int) -> int:
        """Listen, and say on which port: 0 takes a free one. Raises OSError when the address is taken."""
        listener = listening_socket(host, port)
        up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        serving = serve_http(self, listener, clock=self._clock, started=lambda: up.set_result(None))
        self._serving = asyncio.ensure_future(serving)
        await up
        bound_to: int = listener.getsockname()[1]
        return bound_to

    async def stop(self) -> None:
        """Forget what was still to be reported, and listen no more."""
        waiting = [*self._aftermath, *([] if self._serving is None else [self._serving])]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    def direct(self, method: bytes, path: bytes) -> None:
        """There is no shorter way."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        request = Request(scope, receive)
        answer, namespace, transaction_id = self._answer(request.headers.get("Content-Type", ""), await request.body())
        body = encode(answer, transaction_id=transaction_id, namespace=namespace)
        await Response(body, headers={"Content-Type": ENVELOPE_TYPE})(scope, receive, send)

    def _answer(self, content_type: str, body: bytes) -> tuple[Mm7Response, str, str]:
        """What a request is told, in which namespace, and to which transaction."""
        try:
            packed = unpack(content_type, body)
        except NotReadable as error:
            return (
                RSErrorRsp(mm7_version=_VERSION, status=_status(StatusCode.MESSAGE_FORMAT_CORRUPT, str(error))),
                "",
                "",
            )
        envelope, message = packed.envelope, packed.envelope.message
        place = envelope.namespace, envelope.transaction_id
        if not isinstance(message, SubmitReq) or len(message.recipients.to) != 1:
            self.counts["refused"] += 1
            return RSErrorRsp(mm7_version=_VERSION, status=_status(StatusCode.UNSUPPORTED_OPERATION)), *place
        return self._take(message, envelope, packed.files), *place

    def _take(self, message: SubmitReq, envelope: Envelope, files: tuple[Part, ...]) -> SubmitRsp:
        (recipient,) = message.recipients.to
        fate = fate_of(recipient.value)
        code = self._judged(fate, recipient.value)
        self.counts["accepted" if code is StatusCode.SUCCESS else "refused"] += 1
        if code is not StatusCode.SUCCESS:
            return SubmitRsp(mm7_version=message.mm7_version, status=_status(code))
        self._number += 1
        sender = message.sender_identification.sender_address
        taken = _Taken(f"sandbox-{self._number}", recipient, sender, envelope.namespace, files)
        self._lay_down(taken)
        task = asyncio.ensure_future(self._report(taken, fate))
        self._aftermath.add(task)
        task.add_done_callback(self._aftermath.discard)
        return SubmitRsp(mm7_version=message.mm7_version, status=_status(code), message_id=taken.message_id)

    def _judged(self, fate: Fate, recipient: str) -> StatusCode:
        if fate is Fate.REJECTED:
            return StatusCode.MESSAGE_REJECTED
        if fate is Fate.THROTTLED and self._put_off[recipient] < THROTTLED_TIMES:
            self._put_off[recipient] += 1
            return StatusCode.SERVICE_UNAVAILABLE
        del self._put_off[recipient]
        return StatusCode.SUCCESS

    def _lay_down(self, taken: _Taken) -> None:
        digits = "".join(letter for letter in taken.recipient.value if letter.isdigit())[:20]
        folder = self._folder / f"{digits}-{self._number}"
        folder.mkdir(parents=True, exist_ok=True)
        for place, file in enumerate(taken.files, 1):
            extension = Path(file.name).suffix
            name = extension if extension[1:].isalnum() and extension.isascii() else ".bin"
            (folder / f"{place}{name}").write_bytes(file.content)

    async def _report(self, taken: _Taken, fate: Fate) -> None:
        late_s = LATE_MS / 1000 if fate is Fate.DELIVERED_LATE else 0
        await self._clock.sleep(0 if fate is Fate.RECEIPT_FIRST else REPORT_S + late_s)
        for _ in range(2 if fate is Fate.DUPLICATE_RECEIPT else 1):
            if fate.end is not None:
                await self._tell(_report_of(taken, _STATUSES[fate.end]), taken, ())
        if fate.reply is not None:
            await self._clock.sleep(REPLY_DELAY_MS / 1000)
            text = Part(fate.reply.encode(), "text/plain; charset=utf-8", "text", "text.txt")
            pictures = [each for each in taken.files if each.media_type.startswith("image/")]
            await self._tell(_reply_to(taken), taken, [text, *pictures])

    async def _tell(self, message: DeliveryReportReq | DeliverReq, taken: _Taken, files: Sequence[Part]) -> None:
        """Call with a report or a reply; who does not answer does not hear of it again."""
        if not self.report_to:
            return
        transaction_id = f"{taken.message_id}-{self.counts['told']}"
        envelope = encode(message, transaction_id=transaction_id, namespace=taken.namespace)
        content_type, octets = ENVELOPE_TYPE, envelope
        if files:
            content_type, octets = pack(envelope, files, boundary=transaction_id)
        headers = {"Content-Type": content_type, "SOAPAction": '""'}
        self.counts["told"] += 1
        try:
            told = await self._caller.tell(self.report_to, octets, headers=headers, timeout_s=CALL_S)
        except CallFailed:
            self.counts["unheard"] += 1
        else:
            self.counts["acknowledged" if told.status == 200 else "unheard"] += 1


def _status(code: StatusCode, details: str = "") -> Status:
    return Status(status_code=code, status_text=code.words, details=details)


def _report_of(taken: _Taken, mm_status: str) -> DeliveryReportReq:
    return DeliveryReportReq(
        mm7_version=_VERSION,
        message_id=taken.message_id,
        recipient=taken.recipient,
        sender=taken.sender,
        mm_status=mm_status,
    )


def _reply_to(taken: _Taken) -> DeliverReq:
    recipients = Recipients(to=() if taken.sender is None else (taken.sender,))
    return DeliverReq(
        mm7_version=_VERSION, sender=taken.recipient, recipients=recipients, content=Content(href="cid:content")
    )
