"""The table of the dialect's endpoints, with what their documentation says."""

import re
from collections.abc import Iterator
from functools import wraps
from http import HTTPStatus
from typing import Any

from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects.dialect import Answer, Call, Dialect, Endpoint, Handler, Possible
from heliograph.dialects.fields import FieldFault, standing_for
from heliograph.dialects.pages import Page
from heliograph.dialects.textboost import NAME, auth, broadcasts, contacts, errors, messages, reports, wire

_GOOD = "Success. In the faithful profile most errors too: `status` in the body tells them apart."
_READING = (404, 429, 503)
_WRITING = (403, 404, 413, 422, 429, 503)


def _answering(handler: Handler) -> Handler:
    """A handler whose faults are answers."""

    @wraps(handler)
    async def answered(call: Call) -> Answer:
        try:
            return await handler(call)
        except errors.Fault as fault:
            return errors.said(fault.words, call.account)
        except FieldFault as fault:
            return errors.said(errors.Words(str(fault)), call.account)

    return answered


def _rows(methods: str, path: str, handler: Handler, *, kind: Any, **more: Any) -> Iterator[Endpoint]:
    """An endpoint for each method, summed up by its handler's first sentence. kind: of what a good answer holds."""
    statuses: tuple[int, ...] = _READING if methods == "GET" else _WRITING
    statuses += (409,) if "request_headers" in more else ()
    refused = {
        each: Possible(HTTPStatus(each).phrase, wire.Failure, ("Retry-After",) if each > 422 else ())
        for each in statuses
    }
    for method in methods.split():
        yield Endpoint(
            method=method,
            path=path,
            handler=_answering(handler),
            name=method.lower() + "".join(word.capitalize() for word in re.findall("[a-z]+", path)),
            summary=(handler.__doc__ or "").partition(".")[0],
            answers={200: Possible(_GOOD, wire.Success[kind] | wire.Failure), **refused},
            **more,
        )


def _overriding(*endpoints: Endpoint) -> Iterator[Endpoint]:
    """Endpoints, and a POST that may stand for any of them: it names the method in `_method`, as forms do."""
    by_method = {endpoint.method: endpoint.handler for endpoint in endpoints}
    yield from endpoints
    yield from _rows("POST", endpoints[0].path, standing_for(by_method, _no_such_method), kind=None)


async def _no_such_method(call: Call) -> Answer:
    return errors.worded(Refusal(Reason.METHOD_NOT_ALLOWED), call.account)


_GROUP = "/contacts/{group_id}"
_OLDER = (wire.OLDER_ROOT,)
_PAGED: dict[str, Any] = {"query": ("page",)}
_CONTACT: dict[str, Any] = {"kind": wire.ContactSaved, "request": wire.ContactChange}
_NAMED: dict[str, Any] = {"kind": wire.GroupSaved, "request": wire.GroupChange}
_SENT: dict[str, Any] = {"request": wire.SmsSend, "request_headers": ("Idempotency-Key",)}
_REPORTED: dict[str, Any] = {"kind": wire.Report | list[wire.Report], **_SENT}

ENDPOINTS = (
    *_rows("GET", "/contacts", contacts.list_groups, kind=Page[wire.Group], **_PAGED),
    *_rows("POST", "/contacts", contacts.add_group, **_NAMED),
    *_rows("POST GET", f"{_GROUP}/show", contacts.show_group, kind=wire.Group),
    *_overriding(
        *_rows("PATCH PUT", _GROUP, contacts.rename_group, **_NAMED),
        *_rows("DELETE", _GROUP, contacts.remove_group, kind=None),
    ),
    *_rows("POST", f"{_GROUP}/store", contacts.add_contact, **_CONTACT),
    *_rows("POST GET", f"{_GROUP}/search/{{uid}}", contacts.show_contact, kind=wire.Contact),
    *_overriding(*_rows("PATCH PUT", f"{_GROUP}/update/{{uid}}", contacts.change_contact, **_CONTACT)),
    *_overriding(*_rows("DELETE", f"{_GROUP}/delete/{{uid}}", contacts.remove_contact, kind=None)),
    *_rows("POST GET", f"{_GROUP}/all", contacts.list_contacts, kind=Page[wire.Contact], **_PAGED),
    *_rows("POST", "/sms/send", messages.send, **_REPORTED),
    *_rows("GET PUT PATCH DELETE", "/sms/send", messages.send, mounts=_OLDER, takes_head=False, **_REPORTED),
    *_rows("POST", "/sms/campaign", broadcasts.send, kind=wire.Campaign, **_SENT),
    *_rows("GET", "/campaign/{uid}/view", broadcasts.show, kind=wire.Campaign),
    *_rows("GET", "/sms/{uid}", reports.show_report, kind=wire.Report),
    *_rows("GET", "/sms", reports.list_reports, kind=Page[wire.Report], **_PAGED),
    *_rows("GET", "/balance", reports.show_balance, kind=wire.Balance),
    *_rows("GET", "/me", reports.show_profile, kind=wire.Profile),
)

TEXTBOOST = Dialect(
    name=NAME,
    title="TextBoost SMS (Ultimate SMS)",
    roots=(f"{wire.ROOT}/", f"{wire.OLDER_ROOT}/"),
    mounts=(wire.ROOT, wire.OLDER_ROOT),
    endpoints=ENDPOINTS,
    credentials=auth.credentials,
    credentials_in_body=auth.credentials_in_body,
    wording=errors.wording,
    unknown_key=errors.unknown_key,
    tells_limit=True,
    request_headers=("Authorization", "Content-Type", "Accept", "Idempotency-Key"),
    schemes=auth.SCHEMES,
)
