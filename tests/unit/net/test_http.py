"""The guarded client against real servers on loopback: where it connects, what it reads, and when it gives up."""

import asyncio
import gzip
import socket
import ssl
from collections.abc import Sequence
from pathlib import Path

import pytest

from heliograph.net import http
from heliograph.net.guard import Guard, GuardedUrl
from heliograph.net.http import Asked, CallFailed, GuardedClient, HttpAnswer, Told
from heliograph.testing.receiver import Answer, Receiver
from tests.unit.net.servers import LOOPBACK, STRICT, Names, raw_server

SHORT_S = 0.5

# For the name hook.example, signed by itself, until 2126.
CERTIFICATE = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4hNUI6UU1fYs/Uyo
JA5t+US+2+hyaOJ4/Duzn2ZqVU+hRANCAARD54F7OsLXU0PnyT/F3eMs0gEwuPoB
A26Ld4wVrvBCqVcPzxvQAzVT6FeEzfF251Er6XMdtiAlTAXLDqC14qZt
-----END PRIVATE KEY-----
-----BEGIN CERTIFICATE-----
MIIBnDCCAUSgAwIBAgIUIKf1dovP+ifNy/J06DDOF+5SeZQwCgYIKoZIzj0EAwIw
FzEVMBMGA1UEAwwMaG9vay5leGFtcGxlMCAXDTI2MTEyMzE1MjIyNFoYDzIxMjYx
MDMwMTUyMjI0WjAXMRUwEwYDVQQDDAxob29rLmV4YW1wbGUwWTATBgcqhkjOPQIB
BggqhkjOPQMBBwNCAARD54F7OsLXU0PnyT/F3eMs0gEwuPoBA26Ld4wVrvBCqVcP
zxvQAzVT6FeEzfF251Er6XMdtiAlTAXLDqC14qZto2wwajAdBgNVHQ4EFgQUvoVx
snLTASyYH9qI39VoSzOyXwUwHwYDVR0jBBgwFoAUvoVxsnLTASyYH9qI39VoSzOy
XwUwDwYDVR0TAQH/BAUwAwEB/zAXBgNVHREEEDAOggxob29rLmV4YW1wbGUwCgYI
KoZIzj0EAwIDRgAwQwIfaEMfRqcpnTtZCnwlz0npvzEL+1iPVKeo+EYmnCWOIwIg
Z6HZSnAucFq8IeK1aYuWoNuPfRoFJwmiA1OowEXltds=
-----END CERTIFICATE-----
"""


async def post(
    client: GuardedClient, url: str, body: bytes = b'{"a": 1}', *, timeout_s: float = 5.0
) -> HttpAnswer | str:
    """The answer, or the note of the failure."""
    try:
        return await client.post(url, body, headers={"Content-Type": "application/json"}, timeout_s=timeout_s)
    except CallFailed as failure:
        return str(failure)


async def status_of(client: GuardedClient, url: str) -> int | str:
    answer = await post(client, url)
    return answer if isinstance(answer, str) else answer.status


def test_call_arrives_whole_over_one_kept_connection() -> None:
    async def story() -> None:
        async with Receiver(Answer(202, (("Retry-After", "7"), ("X-Other", "1")), b"thanks")) as receiver:
            async with GuardedClient(LOOPBACK) as client:
                for _ in range(3):
                    assert await post(client, receiver.url + "/hook?a=b", b"x" * 43_000) == HttpAnswer(
                        202, {"Retry-After": "7"}, "thanks"
                    )
            assert (receiver.count, receiver.connections) == (3, 1)
            call = receiver.calls[0]
            assert (call.path, call.body) == ("/hook?a=b", b"x" * 43_000)
            assert call.headers["content-length"] == "43000"
            assert call.headers["content-type"] == "application/json"
            assert call.headers["accept-encoding"] == "identity"
            assert call.headers["host"] == f"127.0.0.1:{receiver.port}"
            assert "transfer-encoding" not in call.headers

    asyncio.run(story())


@pytest.mark.parametrize("host", ["127.0.0.1", "[::ffff:127.0.0.1]"])
def test_literal_of_a_live_private_server_is_not_called(host: str) -> None:
    async def story() -> None:
        async with Receiver() as receiver, GuardedClient(STRICT) as client:
            note = await post(client, f"http://{host}:{receiver.port}/")
            assert "is a loopback address; the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW" in str(note)
            assert receiver.connections == 0

    asyncio.run(story())


def test_literal_is_stopped_at_the_socket_even_if_the_url_was_let_through(monkeypatch: pytest.MonkeyPatch) -> None:
    def lenient(_: Guard, text: str) -> GuardedUrl:
        return check_url(LOOPBACK, text)

    check_url = Guard.check_url
    monkeypatch.setattr(Guard, "check_url", lenient)

    async def story() -> None:
        async with Receiver() as receiver, GuardedClient(STRICT) as client:
            note = await post(client, receiver.url)
            assert note == "127.0.0.1 is a loopback address; the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW"
            assert receiver.connections == 0

    asyncio.run(story())


@pytest.mark.parametrize(
    ("addresses", "kind"),
    [
        (["127.0.0.1"], "a loopback address"),
        (["1.1.1.1", "10.0.0.1"], "a private address"),
        (["fe80::1", "1.1.1.1"], "a link-local address"),
        (["2606:4700::1111", "64:ff9b::a9fe:a9fe"], "a link-local address"),
    ],
)
def test_name_with_one_bad_address_is_refused_whole(addresses: list[str], kind: str) -> None:
    async def story() -> None:
        async with GuardedClient(STRICT, lookup=Names(addresses)) as client:
            note = await post(client, "http://hook.example/")
            assert note == f"hook.example leads to {kind}; the operator can allow it with HELIOGRAPH_WEBHOOK_ALLOW"

    asyncio.run(story())


def test_rebinding_name_is_asked_once_and_the_checked_address_is_called() -> None:
    async def story() -> None:
        names = Names(["127.0.0.1"], ["10.0.0.1"])
        async with Receiver() as receiver:
            async with GuardedClient(LOOPBACK, lookup=names) as client:
                url = f"http://hook.example:{receiver.port}/"
                assert await status_of(client, url) == 200
                assert names.asked == ["hook.example"]
                assert receiver.calls[0].headers["host"] == f"hook.example:{receiver.port}"
            async with GuardedClient(LOOPBACK, lookup=names) as client:
                assert "hook.example leads to a private address" in str(await post(client, url))
            assert receiver.count == 1

    asyncio.run(story())


def test_odd_spelling_never_reaches_the_resolver() -> None:
    async def story() -> None:
        names = Names(["127.0.0.1"])
        async with Receiver() as receiver, GuardedClient(LOOPBACK, lookup=names) as client:
            for host in ("127.1", "2130706433", "0x7f.1", "①②⑦.0.0.1", "u@127.0.0.1", "localhost."):
                assert isinstance(await post(client, f"http://{host}:{receiver.port}/"), str)
            assert (names.asked, receiver.connections) == ([], 0)

    asyncio.run(story())


def test_system_resolver_is_asked_off_the_loop_and_its_answer_checked() -> None:
    async def story() -> None:
        async with GuardedClient(STRICT) as client:
            assert "localhost leads to a loopback address" in str(await post(client, "http://localhost:9/"))

    asyncio.run(story())


def test_name_that_does_not_resolve_or_never_answers_fails_with_a_note() -> None:
    async def nowhere(host: str) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "internal words")

    async def silent(host: str) -> Sequence[str]:
        await asyncio.Event().wait()
        return []

    async def story() -> None:
        for lookup in (nowhere, Names([])):
            async with GuardedClient(LOOPBACK, lookup=lookup) as client:
                assert await post(client, "http://hook.example/") == "the name hook.example does not resolve"
        async with GuardedClient(LOOPBACK, lookup=silent) as client:
            assert await post(client, "http://hook.example/", timeout_s=SHORT_S) == "no answer within 0.5 s"

    asyncio.run(story())


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirect_is_an_answer_and_not_followed(status: int) -> None:
    async def story() -> None:
        async with Receiver() as receiver, GuardedClient(LOOPBACK) as client:
            target = receiver.url + "/inside"
            receiver.answers["/"] = Answer(status, (("Location", target),))
            assert await post(client, receiver.url + "/") == HttpAnswer(status, {"Location": target}, "")
            assert [call.path for call in receiver.calls] == ["/"]

    asyncio.run(story())


def test_environment_and_cookies_change_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login me password secret\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    async def story() -> None:
        async with Receiver(Answer(headers=(("Set-Cookie", "a=b"),))) as receiver, GuardedClient(LOOPBACK) as client:
            assert await status_of(client, receiver.url) == 200
            assert await status_of(client, receiver.url) == 200
            assert not {"cookie", "authorization"} & set(receiver.calls[1].headers)

    asyncio.run(story())


def test_endpoint_that_hangs_is_left_in_time() -> None:
    async def story() -> None:
        async with Receiver(Answer(hangs=True)) as receiver, GuardedClient(LOOPBACK) as client:
            assert await post(client, receiver.url, timeout_s=SHORT_S) == "no answer within 0.5 s"
            assert receiver.count == 1

    asyncio.run(story())


@pytest.mark.parametrize(
    ("lines", "octets"),
    [(3, 8000), (1, 9000), (40, 8000), (70, 1), (500, 8000)],
    ids=["16 KiB", "one line", "many long lines", "many lines", "four million"],
)
def test_endless_headers_are_refused(lines: int, octets: int) -> None:
    headers = tuple((f"X-{number}", "x" * octets) for number in range(lines))

    async def story() -> None:
        async with Receiver(Answer(200, headers)) as receiver, GuardedClient(LOOPBACK) as client:
            note = await post(client, receiver.url)
            assert note in {
                "answered 200 with headers of more than 16 KiB",
                "the answer is not HTTP, or its headers are too long",
            }

    asyncio.run(story())


def test_huge_body_is_left_unread_with_its_connection() -> None:
    async def story() -> None:
        async with Receiver(Answer(500, body=b"x" * 8_000_000)) as receiver, GuardedClient(LOOPBACK) as client:
            assert await post(client, receiver.url) == HttpAnswer(500, {}, "x" * 1024)
            assert await status_of(client, receiver.url) == 500
            assert receiver.connections == 2

    asyncio.run(story())


def test_body_below_the_bound_is_read_and_its_connection_kept() -> None:
    async def story() -> None:
        async with Receiver(Answer(500, body=b"x" * 60_000)) as receiver, GuardedClient(LOOPBACK) as client:
            assert await post(client, receiver.url) == HttpAnswer(500, {}, "x" * 1024)
            assert await status_of(client, receiver.url) == 500
            assert receiver.connections == 1

    asyncio.run(story())


def test_compressed_body_is_not_unpacked() -> None:
    bomb = gzip.compress(b"x" * 1_000_000)

    async def story() -> None:
        answer = Answer(200, (("Content-Encoding", "gzip"),), bomb)
        async with Receiver(answer) as receiver, GuardedClient(LOOPBACK) as client:
            assert await post(client, receiver.url) == HttpAnswer(200, {}, bomb[:1024].decode(errors="replace"))

    asyncio.run(story())


@pytest.mark.parametrize("closes", [True, False], ids=["breaks off", "stalls"])
def test_status_counts_although_the_body_never_ends(closes: bool) -> None:
    async def story() -> None:
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhello"
        async with raw_server(reply, closes=closes) as port, GuardedClient(LOOPBACK) as client:
            answer = await post(client, f"http://127.0.0.1:{port}/", timeout_s=SHORT_S)
            assert answer == HttpAnswer(200, {}, "hello")

    asyncio.run(story())


@pytest.mark.parametrize(
    ("reply", "note"),
    [
        (b"", "the connection was closed without an answer"),
        (b"HTTP/1.1 200", "the connection was closed without an answer"),
        (b"SSH-2.0-secret banner\r\n\r\n", "the answer is not HTTP, or its headers are too long"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: ten\r\n\r\n", "the answer is not HTTP, or its headers are too long"),
    ],
)
def test_what_is_no_answer_is_told_in_our_words(reply: bytes, note: str) -> None:
    async def story() -> None:
        async with raw_server(reply, closes=True) as port, GuardedClient(LOOPBACK) as client:
            assert await post(client, f"http://127.0.0.1:{port}/") == note

    asyncio.run(story())


def test_refused_connection_is_told() -> None:
    async def story() -> None:
        async with Receiver() as receiver:
            url = receiver.url
        async with GuardedClient(LOOPBACK) as client:
            assert await post(client, url) == "no connection: connection refused"

    asyncio.run(story())


@pytest.mark.parametrize(
    ("name", "is_trusted", "outcome"),
    [
        ("hook.example", True, 200),
        ("other.example", True, "the certificate is not accepted: Hostname mismatch"),
        ("hook.example", False, "the certificate is not accepted: self-signed certificate"),
    ],
)
def test_certificate_is_checked_for_the_name_not_the_address(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str, is_trusted: bool, outcome: int | str
) -> None:
    certificate = tmp_path / "certificate.pem"
    certificate.write_text(CERTIFICATE)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    monkeypatch.setattr(http, "_tls_context", http._tls_context.__wrapped__)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate)
    greeted: list[str | None] = []
    tls.sni_callback = lambda _, asked, __: greeted.append(asked)

    async def story() -> None:
        reply = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        client = GuardedClient(LOOPBACK, lookup=Names(["127.0.0.1"]))
        async with raw_server(reply, tls=tls) as port, client:
            status = await status_of(client, f"https://{name}:{port}/")
            assert str(status).startswith(str(outcome))
            assert greeted == [name]

    asyncio.run(story())


def test_server_that_speaks_no_tls_is_told() -> None:
    async def story() -> None:
        client = GuardedClient(LOOPBACK, lookup=Names(["127.0.0.1"]))
        async with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n", closes=True) as port, client:
            assert await post(client, f"https://hook.example:{port}/") == "TLS could not be agreed"

    asyncio.run(story())


def test_hanging_endpoint_does_not_delay_another() -> None:
    async def story() -> None:
        async with Receiver(Answer(hangs=True)) as hanging, Receiver() as quick, GuardedClient(LOOPBACK) as client:
            stuck = [asyncio.create_task(post(client, hanging.url, timeout_s=60.0)) for _ in range(200)]
            await hanging.wait_for(200)
            assert await status_of(client, quick.url) == 200
            assert not any(task.done() for task in stuck)
            for task in stuck:
                task.cancel()
            await asyncio.gather(*stuck, return_exceptions=True)

    asyncio.run(story())


def test_client_outside_its_context_is_a_mistake() -> None:
    with pytest.raises(RuntimeError, match="outside its context"):
        asyncio.run(post(GuardedClient(LOOPBACK), "http://127.0.0.1/"))


def test_a_whole_answer_comes_back_with_its_type() -> None:
    async def story() -> None:
        answer = Answer(500, (("Content-Type", "text/xml"), ("Retry-After", "9")), b"x" * 5_000)
        async with Receiver(answer) as receiver, GuardedClient(LOOPBACK) as client:
            told = await client.tell(receiver.url, b"hello", headers={}, timeout_s=5)
            assert told == Told(500, "text/xml", b"x" * 5_000, "9")
            assert receiver.calls[0].body == b"hello"
            with pytest.raises(CallFailed, match="larger than 100 octets"):
                await client.tell(receiver.url, b"hello", headers={}, timeout_s=5, most_octets=100)

    asyncio.run(story())


def test_a_failed_call_says_whether_it_may_have_left() -> None:
    async def story() -> None:
        async def has_left(url: str, client: GuardedClient) -> bool:
            with pytest.raises(CallFailed) as failed:
                await client.tell(url, b"hello", headers={}, timeout_s=SHORT_S)
            return failed.value.may_have_left

        with socket.socket() as unused:
            unused.bind(("127.0.0.1", 0))
            nobody = f"http://127.0.0.1:{unused.getsockname()[1]}/"
            async with GuardedClient(LOOPBACK) as client:
                assert not await has_left(nobody, client)
                assert not await has_left("http://10.0.0.1/", client)
                async with raw_server(b"", closes=True) as port:
                    assert await has_left(f"http://127.0.0.1:{port}/", client)
                async with raw_server(b"") as port:
                    assert await has_left(f"http://127.0.0.1:{port}/", client)
                async with raw_server(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx", closes=True) as port:
                    assert await has_left(f"http://127.0.0.1:{port}/", client)

    asyncio.run(story())


def test_a_name_that_takes_too_long_means_that_nothing_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "CONNECT_S", SHORT_S)

    async def stuck(host: str) -> Sequence[str]:
        await asyncio.Event().wait()
        raise AssertionError(host)

    async def story() -> None:
        async with GuardedClient(LOOPBACK, lookup=stuck) as client:
            for timeout_s in (SHORT_S / 2, 5):
                with pytest.raises(CallFailed) as failed:
                    await client.tell("http://mms.example/", b"hello", headers={}, timeout_s=timeout_s)
                assert not failed.value.may_have_left

    asyncio.run(story())


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_call_whose_connection_closes_without_an_answer_is_made_once_and_may_have_left(method: str) -> None:
    async def story() -> None:
        heard: list[bytes] = []

        async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            heard.append(await reader.read(1000))
            writer.close()

        async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server, GuardedClient(LOOPBACK) as client:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/send?a=b"
            with pytest.raises(CallFailed) as failure:
                await client.ask(Asked(method, url, {}), timeout_s=5)
        assert (len(heard), failure.value.may_have_left) == (1, True)

    asyncio.run(story())


def test_whole_answer_is_read_within_its_bounds() -> None:
    async def story() -> None:
        answer = Answer(200, (("Content-Type", "text/plain"), ("Retry-After", "3")), b"x" * 5_000)
        async with Receiver(answer) as receiver, GuardedClient(LOOPBACK) as client:
            asked = Asked("PUT", receiver.url + "/a?b=c", {"X-Key": "1"}, b"body")
            told = await client.ask(asked, timeout_s=5)
            assert told == Told(200, "text/plain", b"x" * 5_000, "3")
            assert (receiver.calls[0].path, receiver.calls[0].body) == ("/a?b=c", b"body")
            with pytest.raises(CallFailed, match="larger than 4999 octets"):
                await client.ask(asked, timeout_s=5, most_octets=4_999)

    asyncio.run(story())
