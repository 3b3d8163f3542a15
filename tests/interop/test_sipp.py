"""SIPp as the party called: what it says becomes the states of messages."""

import re
import time
from hashlib import md5
from pathlib import Path

import pytest

from heliograph.core.outcomes import Deferred, Refused, Submitted
from heliograph.core.receipts import match_key
from heliograph.core.states import MessageState
from heliograph.rtp.g711 import Law, encode
from heliograph.testing.ports import free_ports
from heliograph.testing.speech import likeness, murmur
from tests.faults.rig import live
from tests.interop.calling import ALIKE, calling, ear, voice_parcels
from tests.interop.sipp import HANG_UP, REMEMBER, Sipp, answer, label, pause, receive

CALLEE = "+27831234567"
RINGS = (receive("INVITE", actions=REMEMBER), answer("180 Ringing"))
HEARS = (receive("ACK"), receive("BYE"), answer("200 OK"))
BOTH_TRANSPORTS = pytest.mark.parametrize(("transport", "flag"), [("udp", "u1"), ("tcp", "t1")])


def url_of(sipp: Sipp, *, credentials: str = "") -> str:
    return f"sip://{credentials}127.0.0.1:{sipp.port}"


@pytest.mark.parametrize(
    ("transport", "flag", "payload_types"), [("udp", "u1", "0"), ("udp", "u1", "8 0 101"), ("tcp", "t1", "8")]
)
@live
async def test_the_callee_hears_what_was_said(tmp_path: Path, transport: str, flag: str, payload_types: str) -> None:
    steps = (*RINGS, answer("200 OK", payload_types=payload_types), *HEARS)
    async with (
        ear() as heard,
        Sipp(tmp_path, *steps, transport=flag, rtp=heard.port) as sipp,
        calling(url_of(sipp), transport=transport) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert await sipp.succeeded()
        (outcome,), (receipt,) = it.feed.outcomes, it.feed.receipts
        assert isinstance(outcome, Submitted)
        assert receipt.key == match_key(outcome.carrier_message_id, is_hex=False)
        assert receipt.state is MessageState.DELIVERED
        assert likeness(await it.said(), heard.recording.samples()) >= ALIKE
        assert heard.stream.heard.lost == 0


@pytest.mark.parametrize(
    ("transport", "status", "headers", "says"),
    [
        ("udp", "486 Busy Here", "", "busy: 486 Busy Here"),
        ("tcp", "486 Busy Here", "", "busy: 486 Busy Here"),
        ("udp", "480 Temporarily Unavailable", "", "no answer: 480"),
        ("udp", "480 Temporarily Unavailable", 'Reason: Q.850;cause=17;text="User busy"', "busy: 480"),
        ("udp", "503 Service Unavailable", "Retry-After: 7", "congested: 503"),
    ],
)
@live
async def test_a_callee_that_cannot_now_is_called_again(
    tmp_path: Path, transport: str, status: str, headers: str, says: str
) -> None:
    steps = (*RINGS, answer(status, headers=headers), receive("ACK"))
    async with (
        Sipp(tmp_path, *steps, transport=f"{transport[0]}1") as sipp,
        calling(url_of(sipp), transport=transport) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert await sipp.succeeded()
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert outcome.status.startswith(says)
        assert outcome.counts
        assert outcome.pause_ms == (7_000 if "503" in status else 0)


@pytest.mark.parametrize(
    ("transport", "status", "says"),
    [
        ("udp", "603 Decline", "declined: 603"),
        ("tcp", "603 Decline", "declined: 603"),
        ("udp", "404 Not Found", "no such number: 404"),
        ("udp", "302 Moved Temporarily", "refused: 302"),
    ],
)
@live
async def test_a_callee_that_will_not_is_left_alone(tmp_path: Path, transport: str, status: str, says: str) -> None:
    steps = (*RINGS, answer(status), receive("ACK"))
    async with (
        Sipp(tmp_path, *steps, transport=f"{transport[0]}1") as sipp,
        calling(url_of(sipp), transport=transport) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert await sipp.succeeded()
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Refused)
        assert outcome.status.startswith(says)


@BOTH_TRANSPORTS
@live
async def test_nobody_answers(tmp_path: Path, transport: str, flag: str) -> None:
    terminated = answer("487 Request Terminated").replace("[last_CSeq:]", "CSeq: 1 INVITE").replace(
        "[last_Via:]", "Via:[$via]"
    )  # fmt: skip
    invite = receive("INVITE", actions=REMEMBER + '<ereg regexp=".*" search_in="hdr" header="Via:" assign_to="via"/>')
    steps = (invite, answer("180 Ringing"), receive("CANCEL"), answer("200 OK"), terminated, receive("ACK"))
    async with (
        Sipp(tmp_path, *steps, transport=flag) as sipp,
        calling(url_of(sipp), transport=transport, ring_s=1) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert await sipp.succeeded()
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert outcome.status.startswith("no answer: 487")


CHALLENGES = pytest.mark.parametrize(("status", "header"), [
    ("401 Unauthorized", "WWW-Authenticate"), ("407 Proxy Authentication Required", "Proxy-Authenticate"),
])  # fmt: skip
NONCE = 'Digest realm="trunk", nonce="{}[call_number]", algorithm=MD5'

# SIPp can check an Authorization; a Proxy-Authorization it can only write down.
VERIFY = '<verifyauth assign_to="ok" username="crane" password="secret"/>'
WRITE_DOWN = (
    '<ereg regexp="Digest .*" search_in="hdr" header="Proxy-Authorization:" check_it="true" assign_to="proof"/>'
    '<log message="[$proof]"/>'
    '<assign assign_to="one" value="1"/><test assign_to="ok" variable="one" compare="equal" value="1"/>'
)


def challenged(status: str, header: str) -> tuple[str, ...]:
    """A first INVITE that is challenged, and a second one whose proof is looked at: a good one goes to `good`."""
    is_proxy = status.startswith("407")
    return (
        receive("INVITE"),
        answer(status, headers=f"{header}: {NONCE.format('abc')}"),
        receive("ACK"),
        receive("INVITE", actions=WRITE_DOWN if is_proxy else VERIFY, attributes='next="good" test="ok"'),
        answer(status, headers=f"{header}: {NONCE.format('xyz')}"),
        receive("ACK", attributes='next="end"'),
        label("good"),
        answer("200 OK", payload_types="0"),
        *HEARS,
        label("end"),
    )


def is_proof(written: str, *, password: str) -> bool:
    """Whether the digest of a written proof is that of RFC 2617 without quality of protection."""
    fields: dict[str, str] = dict(re.findall(r'(\w+)="([^"]*)"', written))
    secret = md5(f"{fields['username']}:{fields['realm']}:{password}".encode()).hexdigest()
    asked = md5(f"INVITE:{fields['uri']}".encode()).hexdigest()
    return fields["response"] == md5(f"{secret}:{fields['nonce']}:{asked}".encode()).hexdigest()


@BOTH_TRANSPORTS
@CHALLENGES
@live
async def test_a_challenge_is_answered(tmp_path: Path, transport: str, flag: str, status: str, header: str) -> None:
    async with (
        ear() as heard,
        Sipp(tmp_path, *challenged(status, header), transport=flag, rtp=heard.port) as sipp,
        calling(url_of(sipp, credentials="crane:secret@"), transport=transport) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert await sipp.succeeded()
        assert it.feed.receipts[0].state is MessageState.DELIVERED
        assert status.startswith("401") or is_proof(sipp.logged(), password="secret")


@BOTH_TRANSPORTS
@CHALLENGES
@live
async def test_a_wrong_password_stops_the_trunk_and_not_the_message(
    tmp_path: Path, transport: str, flag: str, status: str, header: str
) -> None:
    refused = challenged(status, header)
    if status.startswith("407"):
        refused = tuple(step.replace('next="good" test="ok"', "") for step in refused)
    async with (
        Sipp(tmp_path, *refused, transport=flag) as sipp,
        calling(url_of(sipp, credentials="crane:wrong@"), transport=transport) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert await sipp.succeeded()
        (outcome,) = it.feed.outcomes
        assert isinstance(outcome, Deferred)
        assert outcome.status.startswith(f"credentials refused: {status[:3]}")
        assert not outcome.counts
        assert outcome.pause_ms == 60_000
        assert status.startswith("401") or not is_proof(sipp.logged(), password="secret")


@BOTH_TRANSPORTS
@live
async def test_sound_before_the_answer_is_not_the_callee(tmp_path: Path, transport: str, flag: str) -> None:
    sound = tmp_path / "announcement.pcmu"
    sound.write_bytes(encode(murmur("announcement", seconds=0.4), Law.PCMU))
    steps = (
        receive("INVITE"),
        answer("183 Session Progress", payload_types="0"),
        f'<nop><action><exec rtp_stream="{sound},1,0"/></action></nop>',
        pause(500),
        answer("200 OK", payload_types="0"),
        *HEARS,
    )
    async with (
        ear() as heard,
        Sipp(tmp_path, *steps, transport=flag, rtp=heard.port) as sipp,
        calling(url_of(sipp), transport=transport) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        started = time.monotonic()
        await it.feed.until(lambda: len(it.feed.outcomes) == 1)
        assert time.monotonic() - started >= 0.5
        assert heard.recording.samples() == b""
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert await sipp.succeeded()
        assert likeness(await it.said(), heard.recording.samples()) >= ALIKE


@pytest.mark.parametrize(("transport", "flag", "partial"), [("udp", "u1", "delivered"), ("tcp", "t1", "undelivered")])
@live
async def test_a_callee_that_hangs_up_early(tmp_path: Path, transport: str, flag: str, partial: str) -> None:
    steps = (*RINGS, answer("200 OK", payload_types="0"), receive("ACK"), pause(500), HANG_UP)
    async with (
        ear() as heard,
        Sipp(tmp_path, *steps, transport=flag, rtp=heard.port) as sipp,
        calling(url_of(sipp), transport=transport, partial=partial) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert await sipp.succeeded()
        (receipt,) = it.feed.receipts
        assert (receipt.state, receipt.error) == (MessageState[partial.upper()], "hung up")
        assert 0.3 <= heard.recording.seconds <= 0.9


@live
async def test_speech_that_nobody_can_hear_is_not_delivered(tmp_path: Path) -> None:
    (nowhere,) = free_ports(1)
    steps = (*RINGS, answer("200 OK", payload_types="0"), *HEARS)
    async with (
        Sipp(tmp_path, *steps, rtp=nowhere) as sipp,
        calling(url_of(sipp), partial="delivered") as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert await sipp.succeeded()
        (receipt,) = it.feed.receipts
        assert (receipt.state, receipt.error) == (MessageState.UNDELIVERED, "no way for the speech")


@live
async def test_it_is_said_twice_when_the_settings_say_so(tmp_path: Path) -> None:
    steps = (*RINGS, answer("200 OK", payload_types="0"), *HEARS)
    async with (
        ear() as heard,
        Sipp(tmp_path, *steps, rtp=heard.port) as sipp,
        calling(url_of(sipp), times=2, between_ms=200) as it,
    ):
        it.feed.offer(voice_parcels([CALLEE]))
        await it.feed.until(lambda: len(it.feed.receipts) == 1)
        assert await sipp.succeeded()
        said, samples = await it.said(), heard.recording.samples()
        both = said + bytes(2 * 1_600) + said
        assert likeness(both, samples) >= ALIKE
