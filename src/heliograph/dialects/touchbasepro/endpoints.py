"""The table of the dialect's endpoints, with what their documentation says."""

from collections.abc import Mapping

from heliograph.dialects.dialect import Dialect, Endpoint, Possible, Push
from heliograph.dialects.touchbasepro import NAME, auth, errors, messages, webhooks, wire
from heliograph.dialects.touchbasepro.events import Events

_PHRASES = {
    400: "The request was not properly formatted.",
    401: "The API key is missing or not valid.",
    403: "The account is suspended.",
    405: "The account has too few credits.",
    409: "The first request with this Idempotency-Key is still running.",
    413: "The request is too large.",
    422: "The Idempotency-Key was used for a different request.",
    429: "Too many requests, or too many messages waiting.",
    500: "Nothing was stored; try again later.",
}
_MISSING = {404: Possible("There is no such record.", wire.CodedError)}
_SENDING = (400, 401, 403, 405, 409, 413, 422, 429, 500)
_READING = (401, 429, 500)
_WRITING = (400, 401, 413, 429, 500)


def _errors(kind: type, *statuses: int) -> dict[int, Possible]:
    return {status: Possible(_PHRASES[status], kind, ("Retry-After",) if status == 429 else ()) for status in statuses}


def _newer(good: Mapping[int, Possible], statuses: tuple[int, ...]) -> dict[int, Possible]:
    return {**good, **_errors(wire.Error, *statuses)}


def _older(good: Mapping[int, Possible], statuses: tuple[int, ...]) -> dict[int, Possible]:
    return {**good, **_errors(wire.CodedError, *statuses)}


def _status(path: str, *, name: str) -> Endpoint:
    return Endpoint(
        method="GET",
        path=path,
        handler=messages.show_status,
        name=name,
        summary="Where a message stands",
        answers=_newer({200: Possible("Where the message stands.", wire.StatusAnswer)}, (400, *_READING)),
    )


_WEBHOOK = Possible("The webhook.", wire.WebhookRecord)
_ONE_WEBHOOK = f"{webhooks.PATH}/{{id}}"

ENDPOINTS = (
    Endpoint(
        method="POST",
        path="/sms/messages",
        handler=messages.send_messages,
        name="sendMessages",
        summary="Send one text to many numbers",
        request=wire.SendRequest,
        request_headers=("Idempotency-Key",),
        answers=_newer({202: Possible("A verdict for each number.", wire.SendAnswer)}, _SENDING),
    ),
    _status("/sms/messages/{apiMessageId}", name="getMessage"),
    _status("/sms/messages/{apiMessageId}/status", name="getMessageStatus"),
    Endpoint(
        method="POST",
        path="/sms/message",
        handler=messages.send_message,
        name="sendMessage",
        summary="Send one text to one number",
        request=wire.MessageRequest,
        request_headers=("Idempotency-Key",),
        answers=_older({200: Possible("The message was taken.", wire.MessageAnswer)}, _SENDING),
    ),
    Endpoint(
        method="GET",
        path="/sms/message/{messageId}",
        handler=messages.show_message,
        name="getMessageRecord",
        summary="A message and where it stands",
        answers=_older({200: Possible("The message.", wire.MessageRecord), **_MISSING}, _READING),
    ),
    Endpoint(
        method="GET",
        path="/sms/balance",
        handler=messages.show_balance,
        name="getBalance",
        summary="The account's credits",
        answers=_older({200: Possible("The credits.", wire.BalanceAnswer)}, _READING),
    ),
    Endpoint(
        method="POST",
        path=webhooks.PATH,
        handler=webhooks.add,
        name="createMessageWebhook",
        summary="Make a webhook",
        request=wire.WebhookRequest,
        answers=_older({201: Possible("The webhook was made.", wire.WebhookRecord, ("Location",))}, _WRITING),
    ),
    Endpoint(
        method="GET",
        path=webhooks.PATH,
        handler=webhooks.list_all,
        name="getMessageWebhooks",
        summary="All webhooks",
        answers=_older({200: Possible("The webhooks.", list[wire.WebhookRecord])}, _READING),
    ),
    Endpoint(
        method="GET",
        path=_ONE_WEBHOOK,
        handler=webhooks.show,
        name="getMessageWebhook",
        summary="One webhook",
        answers=_older({200: _WEBHOOK, **_MISSING}, _READING),
    ),
    Endpoint(
        method="PUT",
        path=_ONE_WEBHOOK,
        handler=webhooks.change,
        name="updateMessageWebhook",
        summary="Change a webhook's address, or switch it on or off",
        request=wire.WebhookChange,
        answers=_older({200: _WEBHOOK, **_MISSING}, _WRITING),
    ),
    Endpoint(
        method="DELETE",
        path=_ONE_WEBHOOK,
        handler=webhooks.remove,
        name="deleteMessageWebhook",
        summary="Remove a webhook",
        answers=_older({204: Possible("The webhook is gone."), **_MISSING}, _READING),
    ),
)

TOUCHBASEPRO = Dialect(
    name=NAME,
    title="TouchBasePro SMS API",
    roots=("/sms/",),
    endpoints=ENDPOINTS,
    credentials=auth.credentials,
    wording=errors.wording,
    events=Events(),
    request_headers=("Authorization", "Content-Type", "Idempotency-Key", "Ocp-Apim-Subscription-Key"),
    schemes=auth.SCHEMES,
    pushes=(
        Push(name="messageStatusUpdate", summary="What became of messages", kind=wire.Update),
        Push(name="messageReply", summary="What handsets wrote", kind=wire.Update),
    ),
)
