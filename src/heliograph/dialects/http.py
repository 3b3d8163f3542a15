"""The HTTP edge of all dialects: an ASGI application, with a shorter way for paths without places.

This is the hottest code of the product, so nothing stands between the server and an endpoint but this module:
one look-up, the key, the limit, the body, and the answer. Whatever goes wrong is said in the words of the dialect;
what nobody foresaw is logged under an id, without texts and numbers.
"""

import itertools
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
import structlog

from heliograph.core.directory import Account
from heliograph.core.messages import Refusal
from heliograph.core.reasons import Reason
from heliograph.dialects import openapi
from heliograph.dialects.dialect import Answer, Call, Dialect, Header, Services
from heliograph.dialects.limiter import allowance_lines
from heliograph.dialects.router import Router, Served
from heliograph.net.connection import Application, Handler, Receive, Reply, Scope, Send
from heliograph.store.engine import StoreUnavailable

Asgi = Callable[[Scope, Receive, Send], Awaitable[None]]

MOST_BODY = 8 * 1024 * 1024
"""Octets of a request's body that are read."""

_JSON: Header = (b"content-type", b"application/json")
_JSON_ALONE = (_JSON,)
_EXPOSED: Header = (
    b"access-control-expose-headers",
    b"Location, Retry-After, Idempotent-Replayed, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset",
)
_NO_PLACES: Mapping[str, str] = {}
_UNAUTHORISED = Refusal(Reason.UNAUTHORISED)

log = structlog.get_logger(__name__)


class _Gone(Exception):
    """The caller hung up before the request was complete."""


class _TooLarge(Exception):
    """The body is larger than we read."""


class _Asked(NamedTuple):
    """A request for an endpoint, beside its headers. body: None when it is still to be received."""

    path: str
    query: bytes
    body: bytes | None
    receive: Receive | None = None
    places: Mapping[str, str] = _NO_PLACES
    scheme: str = "http"


def application(
    dialects: Sequence[Dialect],
    services: Services,
    *,
    most_body: int = MOST_BODY,
    origins: tuple[str, ...] = ("*",),
    otherwise: Asgi | None = None,
    version: str = "0",
) -> Application:
    """The application that answers for all dialects.

    most_body: octets. origins: web pages from these may call us ("*" for any), without credentials of the browser.
    otherwise: answers for what is no dialect's; without it that is not found.
    version: of this program, for the document at /openapi.json.
    """
    described = openapi.document(dialects, version=version, public_url=services.public_url)
    pages = {"/openapi.json": Answer(200, msgspec.json.encode(described))}
    return _Edge(Router(dialects), services, pages=pages, most_body=most_body, origins=origins, otherwise=otherwise)


class _Edge:
    """pages: answers that are the same for everybody, by path."""

    __slots__ = (
        "_direct",
        "_exact",
        "_most_body",
        "_number",
        "_origins",
        "_otherwise",
        "_pages",
        "_router",
        "_services",
    )

    def __init__(
        self,
        router: Router,
        services: Services,
        *,
        pages: Mapping[str, Answer],
        most_body: int,
        origins: tuple[str, ...],
        otherwise: Asgi | None,
    ) -> None:
        self._router = router
        self._pages = pages
        self._exact = router.exact
        self._services = services
        self._most_body = most_body
        self._origins = frozenset(origin.encode("latin-1") for origin in origins)
        self._otherwise = otherwise
        self._number = itertools.count(1)
        self._direct: dict[tuple[bytes, bytes], Handler] = {
            (method.encode(), path.encode()): partial(self._answer_directly, served)
            for (method, path), served in router.exact.items()
        }

    def direct(self, method: bytes, path: bytes) -> Handler | None:
        """Who answers a method of a path without places, and without an ASGI server's objects."""
        return self._direct.get((method, path))

    async def _answer_directly(
        self, served: Served, headers: Mapping[bytes, bytes], body: bytes, query: bytes
    ) -> Reply:
        given = _Asked(served.endpoint.path, query, body if served.has_body else b"")
        answer = await self._answer(served, headers, given)
        return _with_lines(answer, self._cors(headers) if b"origin" in headers else ())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if self._otherwise is not None:
                await self._otherwise(scope, receive, send)
            return
        served = self._exact.get((scope["method"], scope["path"]))
        headers = dict(scope["headers"])
        if served is None:
            await self._elsewhere(scope, send, receive=receive, headers=headers)
            return
        answer = await self._answer_asgi(served, scope, receive=receive, headers=headers)
        if answer is not None:
            await _reply(send, answer, extra=self._cors(headers) if b"origin" in headers else ())

    async def _elsewhere(self, scope: Scope, send: Send, *, receive: Receive, headers: dict[bytes, bytes]) -> None:
        """Whatever is not a written path with its method: places, HEAD, OPTIONS, and what does not exist."""
        method, path = scope["method"], scope["path"]
        dialect = self._router.dialect_of(path)
        page = self._pages.get(path) if method in ("GET", "HEAD") else None
        if dialect is None and page is None and self._otherwise is not None:
            await self._otherwise(scope, receive, send)
            return
        answer: Answer | None
        found = self._router.find(method, path)
        if dialect is None:
            answer = page or Answer(404, b'{"error":"There is nothing here."}')
        elif found is None:
            answer = _nothing(dialect, method, path=path, methods=self._router.methods(path))
        else:
            answer = await self._answer_asgi(found[0], scope, receive=receive, headers=headers, places=found[1])
        if answer is not None:
            await _reply(send, answer, extra=self._cors(headers), has_body=method != "HEAD")

    async def _answer_asgi(
        self,
        served: Served,
        scope: Scope,
        *,
        receive: Receive,
        headers: Mapping[bytes, bytes],
        places: Mapping[str, str] = _NO_PLACES,
    ) -> Answer | None:
        """The endpoint's answer; None when nobody waits for it."""
        # Wherever an endpoint is mounted and however it was written, the same request is the same.
        path = scope["path"] if places else served.endpoint.path
        asked = _Asked(
            path, scope["query_string"], None if served.has_body else b"", receive, places, scheme=scope["scheme"]
        )
        try:
            return await self._answer(served, headers, asked)
        except _Gone:
            return None

    async def _answer(self, served: Served, headers: Mapping[bytes, bytes], asked: "_Asked") -> Answer:
        """The endpoint's answer, or the dialect's words for why there is none."""
        path, query, body, receive, places, scheme = asked
        most = self._most_body
        account: Account | None = None
        try:
            directory, dialect = self._services.directory, served.dialect
            shown = dialect.credentials(headers, query)
            if shown is None and dialect.credentials_in_body is not None:
                body = await _whole(body, receive, headers, most=most)
                shown = dialect.credentials_in_body(headers, body)
            if shown is None:
                return served.worded(_UNAUTHORISED, None)
            account = directory.cached(shown.api_key) or await directory.account_for_key(shown.api_key)
            if account is None or shown.user not in (None, account.user):
                unknown = dialect.unknown_key
                return unknown(served.mount, headers) if unknown else served.worded(_UNAUTHORISED, None)
            wait_s = self._services.limiter.wait_s(account)
            if wait_s:
                answer = served.worded(Refusal(Reason.RATE_LIMITED, wait_s), account)
            else:
                body = await _whole(body, receive, headers, most=most)
                call = Call(account, self._services, headers, body, query, places, path, scheme, served.mount)
                answer = await served.endpoint.handler(call)
            return self._with_limit(answer, account) if dialect.tells_limit else answer
        except StoreUnavailable:
            return served.worded(Refusal(Reason.STORE_UNAVAILABLE), account)
        except _TooLarge:
            return served.worded(Refusal(Reason.BODY_TOO_LARGE), account)
        except _Gone:
            raise
        except Exception as error:  # noqa: BLE001 - the one place between an endpoint's bug and its caller
            return self._unforeseen(served, error, account)

    def _with_limit(self, answer: Answer, account: Account) -> Answer:
        """An answer that tells how many requests the account has left, when it has a limit."""
        allowance = self._services.limiter.allowance(account)
        if allowance is None:
            return answer
        lines = allowance_lines(allowance, self._services.clock.now_ms())
        return answer._replace(headers=(*answer.headers, *lines))

    def _unforeseen(self, served: Served, error: Exception, account: Account | None) -> Answer:
        # What an exception says may hold a text or a number, so only its kind and place are logged.
        error_id = f"{self._services.clock.now_ms():x}-{next(self._number)}"
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error(
            "request_failed",
            error_id=error_id,
            endpoint=served.endpoint.name,
            dialect=served.dialect.name,
            kind=type(error).__name__,
            place=f"{place.filename}:{place.lineno}",
        )
        answer = served.worded(Refusal(Reason.INTERNAL), account)
        return answer._replace(headers=((b"error-id", error_id.encode()), *answer.headers))

    def _cors(self, headers: Mapping[bytes, bytes]) -> tuple[Header, ...]:
        """What lets a web page of another host read the answer."""
        if b"*" in self._origins:
            return (_EXPOSED, (b"access-control-allow-origin", b"*"))
        origin = headers.get(b"origin")
        if origin is None or origin not in self._origins:
            return ((b"vary", b"origin"),)
        return (_EXPOSED, (b"access-control-allow-origin", origin), (b"vary", b"origin"))


def _nothing(dialect: Dialect, method: str, *, path: str, methods: tuple[str, ...]) -> Answer:
    """The answer for a path without this method."""
    if not methods:
        return dialect.wording(path)(Refusal(Reason.NOT_FOUND), None)
    allowed = ", ".join(methods).encode()
    if method != "OPTIONS":
        refused = dialect.wording(path)(Refusal(Reason.METHOD_NOT_ALLOWED), None)
        return refused._replace(headers=((b"allow", allowed), *refused.headers))
    return Answer(
        204,
        headers=(
            (b"allow", allowed),
            (b"access-control-allow-methods", allowed),
            (b"access-control-allow-headers", ", ".join(dialect.request_headers).encode()),
            (b"access-control-max-age", b"86400"),
        ),
    )


async def _whole(body: bytes | None, receive: Receive | None, headers: Mapping[bytes, bytes], *, most: int) -> bytes:
    """The body that is here already, or else the one to be received; raises `_TooLarge` or `_Gone`."""
    if body is None:
        assert receive is not None
        return await _body(receive, headers, most=most)
    if len(body) > most:
        raise _TooLarge
    return body


async def _body(receive: Receive, headers: Mapping[bytes, bytes], *, most: int) -> bytes:
    """The whole body; raises `_TooLarge` or `_Gone`."""
    announced = headers.get(b"content-length", b"0")
    # A length of thousands of digits is not worth reading.
    if len(announced) > 15 or (announced.isdigit() and int(announced) > most):
        raise _TooLarge
    # The server hangs up on a caller who takes too long.
    event = await receive()
    if not event.get("more_body"):
        return _checked(event, most)
    body = bytearray(_checked(event, most))
    while event.get("more_body"):
        event = await receive()
        body += _checked(event, most - len(body))
    return bytes(body)


def _checked(event: Mapping[str, Any], most: int) -> bytes:
    if event["type"] == "http.disconnect":
        raise _Gone
    body: bytes = event.get("body", b"")
    if len(body) > most:
        raise _TooLarge
    return body


def _with_lines(answer: Answer, extra: tuple[Header, ...]) -> Reply:
    """An answer with all its header lines but those that are the server's business."""
    status, body, headers = answer
    if not body:
        return status, body, (*headers, *extra)
    # The usual case makes no new tuple.
    return status, body, (*headers, *extra, _JSON) if headers or extra else _JSON_ALONE


async def _reply(send: Send, answer: Answer, *, extra: tuple[Header, ...], has_body: bool = True) -> None:
    status, body, headers = _with_lines(answer, extra)
    lines = [*headers]
    if status != 204:
        lines.append((b"content-length", b"%d" % len(body)))
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": body if has_body else b""})
