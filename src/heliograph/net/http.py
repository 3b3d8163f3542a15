"""The guarded HTTP client: the only way in which the server calls addresses that customers chose.

Rules: a name is resolved once for each connection, every address it leads to must pass the guard, and the connection
goes to one of those; SNI, certificate and Host keep the name. No proxies, cookies, credentials from files or
decompression. A redirect is followed by hand, when a file is fetched, and judged like the first address; a webhook's is
not followed. Everything that is read or waited for is bounded. Whatever goes wrong is told in words of our own.
"""

import asyncio
import functools
import os
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address
from types import TracebackType
from typing import NamedTuple, Self, TypeVar
from urllib.parse import urldefrag, urljoin

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.connector import AddrInfoType

from heliograph import __version__
from heliograph.net.guard import HINT, Forbidden, Guard, GuardedUrl

T = TypeVar("T")

Lookup = Callable[[str], Awaitable[Sequence[str]]]
"""Gives the addresses of a host name; raises OSError when there are none."""

CONNECT_S = 5.0
# Below the five seconds after which common servers hang up on a silent connection, so that no call meets the hang-up.
KEEP_ALIVE_S = 4.0
HEADER_LINES = 64
HEADER_OCTETS = 16 * 1024
BODY_OCTETS = 64 * 1024
TEXT_OCTETS = 1024
# getaddrinfo blocks for as long as a name's servers please; names wait for each other only when so many are stuck.
LOOKUP_THREADS = 16
MOST_REDIRECTS = 3
_SHOWN_HEADERS = ("Retry-After", "Location")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
# What may be different a minute later (RFC 9110 §15, RFC 6585 §4).
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})


class HttpAnswer(NamedTuple):
    """What the other end said. headers: Retry-After and Location, where present. text: the body's first KiB."""

    status: int
    headers: Mapping[str, str]
    text: str


class Fetched(NamedTuple):
    """A file. declared: what its server says that it is, "" for nothing."""

    status: int
    content: bytes
    declared: str


class Told(NamedTuple):
    """A whole answer. content_type: of the body, as declared. retry_after: as written, "" without."""

    status: int
    content_type: str
    body: bytes
    retry_after: str = ""


class Asked(NamedTuple):
    """One call. Without a body none is sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None = None


class CallFailed(Exception):
    """There was no answer, or no file; the text is a note that the owner of the URL may read.

    is_passing: whether it may be different a minute later. may_have_left: whether the other end may have got the call.
    """

    def __init__(self, note: str, *, is_passing: bool = False, may_have_left: bool = True) -> None:
        super().__init__(note)
        self.is_passing = is_passing
        self.may_have_left = may_have_left


class GuardedClient:
    """Calls what a guard lets pass, over connections that are kept for the next call. An async context."""

    def __init__(self, guard: Guard, *, lookup: Lookup | None = None) -> None:
        self._guard = guard
        self._threads = ThreadPoolExecutor(LOOKUP_THREADS, thread_name_prefix="lookup")
        self._lookup = lookup or self._system_lookup
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(
            limit=0,
            keepalive_timeout=KEEP_ALIVE_S,
            resolver=_CheckedResolver(self._guard, self._lookup),
            ttl_dns_cache=10,
            socket_factory=self._open_socket,
            ssl=_tls_context(),
        )
        self._session = aiohttp.ClientSession(
            connector=connector,
            headers={"Accept-Encoding": "identity", "User-Agent": f"Heliograph/{__version__}"},
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            read_bufsize=BODY_OCTETS // 4,
            max_headers=HEADER_LINES,
        )
        # A GET, too, may send a message: whoever asks decides whether it is asked again.
        self._session._retry_connection = False  # noqa: SLF001  (there is no other way to say it)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float = 15.0) -> HttpAnswer:
        """Post a body and read the answer, in `timeout_s` seconds all told. Raises `CallFailed`."""
        return await _in_our_words(self._post(url, body, headers=headers, timeout_s=timeout_s), timeout_s)

    async def _post(self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float) -> HttpAnswer:
        target = self._guard.check_url(url)
        bounds = aiohttp.ClientTimeout(total=timeout_s, sock_connect=min(CONNECT_S, timeout_s))
        async with self._open_session.post(
            target.url, data=body, headers=headers, allow_redirects=False, timeout=bounds
        ) as answer:
            _check_headers(answer)
            text = await _read_text(answer)
        shown = {name: value for name in _SHOWN_HEADERS if (value := answer.headers.get(name)) is not None}
        return HttpAnswer(answer.status, shown, text)

    async def tell(
        self, url: str, body: bytes, *, headers: Mapping[str, str], timeout_s: float, most_octets: int = BODY_OCTETS
    ) -> Told:
        """Post a body and read the whole answer. Raises `CallFailed`, which says whether the call may have left."""
        return await self.ask(Asked("POST", url, headers, body), timeout_s=timeout_s, most_octets=most_octets)

    async def ask(self, asked: Asked, *, timeout_s: float, most_octets: int = BODY_OCTETS) -> Told:
        """The same, by any method."""
        return await _in_our_words(self._ask(asked, timeout_s, most_octets), timeout_s)

    async def _ask(self, asked: Asked, timeout_s: float, most_octets: int) -> Told:
        target = self._guard.check_url(asked.url)
        # Of both limits the one for connecting comes first: what exceeds the other may have left.
        connect_s = min(CONNECT_S, timeout_s / 2)
        bounds = aiohttp.ClientTimeout(total=timeout_s, connect=connect_s, sock_connect=connect_s)
        async with self._open_session.request(
            asked.method, target.url, data=asked.body, headers=asked.headers, allow_redirects=False, timeout=bounds
        ) as answer:
            _check_headers(answer)
            content = bytearray()
            async for piece in answer.content.iter_any():
                content += piece
                if len(content) > most_octets:
                    answer.close()
                    raise CallFailed(f"the answer is larger than {most_octets} octets")
            return Told(answer.status, _declared(answer), bytes(content), answer.headers.get("Retry-After", ""))

    async def get(self, url: str, *, most_octets: int, timeout_s: float = 30.0) -> Fetched:
        """Fetch a file, over three redirects at most, in `timeout_s` seconds all told. Raises `CallFailed`.

        Only a whole file comes back: one that is larger than `most_octets`, or breaks off, is a failure.
        """
        return await _in_our_words(self._get(url, most_octets, timeout_s), timeout_s)

    async def _get(self, url: str, most_octets: int, timeout_s: float) -> Fetched:
        async with asyncio.timeout(timeout_s):
            for _ in range(1 + MOST_REDIRECTS):
                found = await self._get_once(self._guard.check_url(url), most_octets)
                if isinstance(found, Fetched):
                    return found
                url = _joined(url, found)
        raise CallFailed(f"redirected more than {MOST_REDIRECTS} times")

    async def _get_once(self, target: GuardedUrl, most_octets: int) -> Fetched | str:
        """A file, or where it is said to be."""
        bounds = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_S)
        async with self._open_session.get(target.url, allow_redirects=False, timeout=bounds) as answer:
            try:
                _check_headers(answer)
                place = answer.headers.get("Location")
                if answer.status in _REDIRECTS and place:
                    return place
                return Fetched(answer.status, await _read_file(answer, most_octets), _declared(answer))
            finally:
                # What was not read is not worth a connection.
                answer.close()

    @property
    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the client is used outside its context")
        return self._session

    def _open_socket(self, info: AddrInfoType) -> socket.socket:
        """Open a socket for an address, after the last look at it: addresses in URLs are never resolved."""
        family, kind, protocol, _, address = info
        objection = self._guard.objection(ip_address(address[0]))
        if objection:
            raise PermissionError(f"{address[0]} is {objection}; {HINT}")
        return socket.socket(family, kind, protocol)

    async def _system_lookup(self, host: str) -> list[str]:
        loop = asyncio.get_running_loop()
        infos = await loop.run_in_executor(self._threads, _addresses_of, host)
        return [str(info[4][0]) for info in infos]


class _CheckedResolver(AbstractResolver):
    """Answers aiohttp's question for addresses. One bad address condemns the name: it is how rebinding looks."""

    def __init__(self, guard: Guard, lookup: Lookup) -> None:
        self._guard = guard
        self._lookup = lookup

    async def resolve(  # type: ignore[override]  # aiohttp names the family when it asks
        self, host: str, port: int = 0, *, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """All addresses of a host. Raises `Forbidden`, or OSError when there are none."""
        found = await self._lookup(host)
        for text in found:
            objection = self._guard.objection(ip_address(text))
            if objection:
                raise Forbidden(f"{host} leads to {objection}; {HINT}")
        if not found:
            raise OSError(f"{host} has no address")
        return [
            ResolveResult(hostname=host, host=text, port=port, family=family, proto=0, flags=socket.AI_NUMERICHOST)
            for text in found
        ]

    async def close(self) -> None:
        """Nothing is held."""


def _addresses_of(host: str) -> list[tuple[object, object, int, str, tuple[object, ...]]]:
    return list(socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG))


@functools.cache
def _tls_context() -> ssl.SSLContext:
    """One for all clients: to read what this machine trusts takes longer than most of a start."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def _joined(url: str, place: str) -> str:
    """Where a redirect leads, as text: whatever odd spelling is in it must come before the guard, not be read away."""
    try:
        return urldefrag(urljoin(url, place)).url
    except ValueError as error:
        raise CallFailed("redirected to what is no address") from error


def _check_headers(answer: aiohttp.ClientResponse) -> None:
    if sum(len(name) + len(value) for name, value in answer.raw_headers) > HEADER_OCTETS:
        answer.close()
        raise CallFailed(f"answered {answer.status} with headers of more than {HEADER_OCTETS // 1024} KiB")


def _declared(answer: aiohttp.ClientResponse) -> str:
    return answer.headers.get("Content-Type", "")


async def _read_file(answer: aiohttp.ClientResponse, most_octets: int) -> bytes:
    """The whole body. Raises CallFailed for one that is none, too large, packed or broken off."""
    status = answer.status
    if not 200 <= status < 300:
        raise CallFailed(f"answered {status}", is_passing=status in _PASSING)
    if answer.headers.get("Content-Encoding", "identity").strip().lower() not in ("identity", ""):
        raise CallFailed("the file was sent compressed, although we do not take that")
    too_large = f"the file is larger than {most_octets} octets"
    if (answer.content_length or 0) > most_octets:
        raise CallFailed(too_large)
    content = bytearray()
    try:
        async for piece in answer.content.iter_any():
            content += piece
            if len(content) > most_octets:
                raise CallFailed(too_large)
    except aiohttp.ClientPayloadError as error:
        raise CallFailed("the file broke off", is_passing=True) from error
    return bytes(content)


async def _read_text(answer: aiohttp.ClientResponse) -> str:
    """The beginning of the body. The status is the answer: a body that breaks off or never ends changes nothing."""
    kept, octets = b"", 0
    with suppress(aiohttp.ClientError, TimeoutError):
        async for chunk in answer.content.iter_any():
            octets += len(chunk)
            if len(kept) < TEXT_OCTETS:
                kept = (kept + chunk)[:TEXT_OCTETS]
            if octets > BODY_OCTETS:
                answer.close()
                break
    return kept.decode(errors="replace")


async def _in_our_words(call: Awaitable[T], timeout_s: float) -> T:
    """What a call gives; whatever goes wrong is a CallFailed."""
    try:
        return await call
    except Forbidden as error:
        raise CallFailed(str(error), may_have_left=False) from error
    except TimeoutError as error:
        has_connected = not isinstance(error, aiohttp.ConnectionTimeoutError)
        raise CallFailed(_timeout_note(error, timeout_s), is_passing=True, may_have_left=has_connected) from error
    except aiohttp.ClientError as error:
        has_connected = not isinstance(error, aiohttp.ClientConnectorError)
        raise CallFailed(_note(error), is_passing=True, may_have_left=has_connected) from error


def _timeout_note(error: TimeoutError, timeout_s: float) -> str:
    if isinstance(error, aiohttp.ConnectionTimeoutError):
        return "no connection in time"
    return f"no answer within {timeout_s:g} s"


def _note(error: aiohttp.ClientError) -> str:
    """What went wrong, without the words of libraries: they hold addresses and octets of the other end."""
    match error:
        case aiohttp.ClientConnectorDNSError():
            return f"the name {error.host} does not resolve"
        case aiohttp.ClientConnectorCertificateError():
            reason = getattr(error.certificate_error, "verify_message", "") or "it is not for this name"
            return f"the certificate is not accepted: {reason}"
        case aiohttp.ClientConnectorSSLError():
            return "TLS could not be agreed"
        case aiohttp.ClientConnectorError(os_error=PermissionError() as refusal) if refusal.errno is None:
            return str(refusal)
        case aiohttp.ClientConnectorError():
            number = error.os_error.errno
            return f"no connection: {os.strerror(number).lower() if number else 'every address failed'}"
        case aiohttp.ServerDisconnectedError() | aiohttp.ClientOSError():
            return "the connection was closed without an answer"
        case aiohttp.ClientResponseError():
            return "the answer is not HTTP, or its headers are too long"
        case _:
            return "the call failed"
