"""The page at which carriers call us: each has an address of its own, which ends with what only it can know."""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from heliograph.core.directory import Carrier, Snapshot
from heliograph.core.ids import CarrierId
from heliograph.core.links import callback_signature
from heliograph.pipeline.ports import CallAnswer, Callback, CallbackMaker, CarrierCall, Inbox
from heliograph.services.carriers import CALLBACK_PATH

MOST_OCTETS: Final = 16 << 20
"""Of one call: an MMS with several pictures."""

ANSWER_S: Final = 30.0
_NOTHING: Final = CallAnswer(404, b"There is nothing here.\n")
_TOO_LARGE: Final = CallAnswer(413, b"That is more than one call may bring.\n")
_LATER: Final = CallAnswer(503, b"It could not be stored. Call again in a moment.\n")


class Callbacks:
    """Finds who reads a call. snapshot: what is set up now. inbox: of a carrier. key: of the installation."""

    def __init__(
        self,
        makers: Mapping[str, CallbackMaker],
        *,
        snapshot: Callable[[], Snapshot],
        inbox: Callable[[CarrierId], Inbox],
        key: bytes,
    ) -> None:
        self._makers = makers
        self._snapshot = snapshot
        self._inbox = inbox
        self._key = key
        self._made: dict[CarrierId, tuple[Carrier, Callback]] = {}

    def find(self, name: str, signature: str) -> Callback | None:
        """The reader for the carrier with a name; None when there is none or the signature is not its own."""
        good = hmac.compare_digest(callback_signature(name, key=self._key).encode(), signature.encode(errors="replace"))
        carrier = next((each for each in self._snapshot().carriers.values() if each.name == name), None)
        return self._of(carrier) if good and carrier is not None else None

    def _of(self, carrier: Carrier) -> Callback | None:
        made = self._made.get(carrier.carrier_id)
        if made is not None and made[0] == carrier:
            return made[1]
        maker = self._makers.get(carrier.url.partition(":")[0].lower())
        if maker is None:
            return None
        callback = maker(carrier, self._inbox(carrier.carrier_id))
        self._made[carrier.carrier_id] = carrier, callback
        return callback


def routes(callbacks: Callbacks) -> list[Route]:
    """`/carriers/NAME/SIGNATURE`, and whatever a carrier puts behind it."""

    async def page(request: Request) -> Response:
        found = request.path_params
        callback = callbacks.find(found["name"], found["signature"])
        answer = _NOTHING if callback is None else await _called(request, callback, found["rest"])
        return Response(answer.body, answer.status, {"Content-Type": answer.content_type, "Cache-Control": "no-store"})

    path = CALLBACK_PATH + "{name}/{signature}{rest:path}"
    return [Route(path, page, methods=["GET", "POST", "PUT"])]


async def _called(request: Request, callback: Callback, rest: str) -> CallAnswer:
    try:
        async with asyncio.timeout(ANSWER_S):
            body = await _body(request)
            if body is None:
                return _TOO_LARGE
            query = request.scope["query_string"].decode("latin-1")
            return await callback.called(CarrierCall(request.method, rest, query, dict(request.headers), body))
    except (TimeoutError, ClientDisconnect):
        return _LATER


async def _body(request: Request) -> bytes | None:
    """All of it; None when it is too large, of which no more is read."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_OCTETS:
            return None
    return bytes(body)
