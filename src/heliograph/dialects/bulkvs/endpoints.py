"""The table of the dialect's endpoints, with what their documentation says."""

import re
from http import HTTPStatus
from typing import Any

from heliograph.dialects.bulkvs import NAME, auth, errors, messages, numbers, webhooks, wire
from heliograph.dialects.bulkvs.events import Events
from heliograph.dialects.dialect import Dialect, Endpoint, Handler, Possible, Push

_PHRASES = {
    400: "Property missing, invalid or malformed",
    403: "Insufficient funds or service not enabled",
    404: "Not found, or not enabled for the service",
    409: "Conflict, see body",
    412: "Applicable agreement lacks consent, see body for details",
    503: "An error occurred, please try again",
}
_HEADERS = {401: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}


def _row(call: str, handler: Handler, *, kind: object, statuses: tuple[int, ...], **more: Any) -> Endpoint:
    """An endpoint, summed up by the first sentence of its handler.

    kind: of a good answer. statuses: of bad ones, beside those that every endpoint has.
    """
    method, path = call.split(" ")
    refused = {
        each: Possible(_PHRASES.get(each, HTTPStatus(each).phrase), wire.Failure, _HEADERS.get(each, ()))
        for each in (*statuses, 401, 429, 503)
    }
    return Endpoint(
        method=method,
        path=path,
        handler=handler,
        name=method.lower() + "".join(f"{word[:1].upper()}{word[1:]}" for word in re.findall(r"\w+", path)),
        summary=(handler.__doc__ or "").partition(".")[0],
        answers={200: Possible("Success", kind), **refused},
        **more,
    )


ENDPOINTS = (
    _row(
        "POST /messageSend",
        messages.send,
        kind=wire.MessageSent,
        statuses=(400, 403, 404, 409, 413, 422),
        request=wire.MessageSend,
        request_headers=("Idempotency-Key",),
        query=("pbx",),
    ),
    _row("GET /webHooks", webhooks.list_all, kind=list[wire.WebHook], statuses=(404,), query=("Webhook",)),
    _row("PUT /webHooks", webhooks.put, kind=wire.WebHookSaved, statuses=(400, 403, 412, 413), request=wire.WebHookPut),
    _row("DELETE /webHooks", webhooks.remove, kind=wire.Removed, statuses=(400, 404), query=("Webhook",)),
    _row("DELETE /webHooks/{name}", webhooks.remove, kind=wire.Removed, statuses=(404,)),
    _row("GET /campaigns", numbers.list_campaigns, kind=list[wire.CampaignRecord], statuses=(404,), query=("Tcr",)),
    _row(
        "GET /tnRecord",
        numbers.list_numbers,
        kind=list[wire.TnRecord],
        statuses=(404,),
        query=("Number", "Webhook", "Tcr"),
    ),
    _row(
        "POST /tnRecord",
        numbers.change_number,
        kind=wire.TnRecord,
        statuses=(400, 403, 404, 412, 413),
        request=wire.TnChange,
    ),
    _row("DELETE /tnRecord", numbers.remove_number, kind=wire.Removed, statuses=(400, 404), query=("Number",)),
)

BULKVS = Dialect(
    name=NAME,
    title="BulkVS REST API 1.0",
    roots=("/api/v1.0/",),
    mounts=("/api/v1.0", ""),
    any_case=True,
    endpoints=ENDPOINTS,
    credentials=auth.credentials,
    wording=errors.wording,
    events=Events(),
    request_headers=("Authorization", "Content-Type", "Idempotency-Key"),
    schemes=auth.SCHEMES,
    pushes=(
        Push(name="messageIn", summary="What a handset wrote, or what became of a message to it", kind=wire.MessageIn),
        Push(name="messageIn3cx", summary="The same, in the form of 3CX", kind=wire.ThreeCxEvent),
    ),
)
