from itertools import chain

import pytest

from heliograph.carriers.sip.mapping import (
    TAIL_MS,
    Script,
    caller_from,
    invitation_from,
    receipt_of,
    slices_of,
    state_after,
)
from heliograph.carriers.sip.profile import Partial, Profile
from heliograph.core.receipts import fits
from heliograph.core.states import MessageState
from heliograph.rtp.g711 import Law, encode
from heliograph.sip.digest import Credentials
from heliograph.sip.sdp import Codec, Media
from heliograph.sip.uris import SipUri
from heliograph.testing.feeds import parcels_for

PROFILE = Profile(host="192.0.2.1", port=5070, credentials=Credentials("me", "secret"))


def profile(**changes: object) -> Profile:
    return Profile(**{"host": "192.0.2.1", "port": 5070, "credentials": PROFILE.credentials, **changes})  # type: ignore[arg-type]


def test_a_message_calls_its_recipient_as_its_sender() -> None:
    (parcel,) = parcels_for(["+27831234567"], sender="+27820000000")
    invitation = invitation_from(parcel, profile(laws=(Law.PCMA,)), host="192.0.2.9", port=20_000)
    assert invitation.called == SipUri(user="+27831234567", host="192.0.2.1", port=5070)
    assert invitation.caller.uri == SipUri(user="+27820000000", host="192.0.2.1")
    assert invitation.media == Media(host="192.0.2.9", port=20_000, codecs=(Codec.PCMA,))
    assert invitation.credentials == Credentials("me", "secret")


def test_a_domain_stands_in_all_addresses() -> None:
    (parcel,) = parcels_for(["+27831234567"])
    invitation = invitation_from(parcel, profile(domain="trunk.example", has_plus=False), host="192.0.2.9", port=2)
    assert invitation.called == SipUri(user="27831234567", host="trunk.example")
    assert invitation.caller.uri.host == "trunk.example"


@pytest.mark.parametrize(
    ("sender", "changes", "shown"),
    [
        ("+27820000000", {}, "+27820000000"),
        ("27820000000", {"has_plus": False, "caller": "1"}, "27820000000"),
        ("41122", {}, "41122"),
        ("Heliograph", {}, "me"),
        ("Heliograph", {"caller": "+27100000000"}, "+27100000000"),
        ("Heliograph", {"credentials": None}, "anonymous"),
    ],
)
def test_whose_number_is_shown(sender: str, changes: dict[str, object], shown: str) -> None:
    assert caller_from(sender, profile(**changes)) == shown


def test_a_script_has_its_pauses() -> None:
    script = Script(b"\x10" * 1_600, profile(pause_ms=500, between_ms=250, times=2), Law.PCMU)
    quiet = b"\xff"
    tail = quiet * TAIL_MS * 8
    assert script.octets == quiet * 4_000 + b"\x10" * 1_600 + quiet * 2_000 + b"\x10" * 1_600 + tail
    assert (script.pause_octets, script.once_octets) == (4_000, 5_600)


def test_slices_are_the_whole_speech() -> None:
    samples = bytes(chain.from_iterable((number % 251, number % 120) for number in range(20_001)))
    slices = list(slices_of(samples, Law.PCMA))
    assert [len(each) for each in slices] == [8_000, 8_000, 4_001]
    assert b"".join(slices) == encode(samples, Law.PCMA)
    assert list(slices_of(b"", Law.PCMA)) == []


@pytest.mark.parametrize(
    ("said", "partial", "state"),
    [
        (0, Partial.DELIVERED, MessageState.UNDELIVERED),
        (4_000, Partial.DELIVERED, MessageState.UNDELIVERED),
        (4_160, Partial.DELIVERED, MessageState.DELIVERED),
        (4_160, Partial.UNDELIVERED, MessageState.UNDELIVERED),
        (5_600, Partial.UNDELIVERED, MessageState.DELIVERED),
    ],
)
def test_how_much_must_have_been_said(said: int, partial: Partial, state: MessageState) -> None:
    script = Script(b"\x10" * 1_600, profile(pause_ms=500), Law.PCMU)
    assert state_after(said, script, partial) is state


def test_a_receipt_is_known_by_the_name_of_its_call() -> None:
    (parcel,) = parcels_for(["+27831234567"], sender="+27820000000")
    receipt = receipt_of(parcel, "00AB-1", state=MessageState.DELIVERED, error="")
    assert receipt.key == "ab1"
    assert fits("+27831234567", receipt.addresses)
