"""Two ends of a call for the tests: their addresses, and what they say."""

from typing import Final

from heliograph.sip.digest import Credentials
from heliograph.sip.headers import Headers, first
from heliograph.sip.messages import Message, Request, Response, read, response_to
from heliograph.sip.outgoing import Invitation, OutgoingCall
from heliograph.sip.sdp import Media, offer
from heliograph.sip.timers import Timers
from heliograph.sip.uris import NameAddr, SipUri
from heliograph.sip.ways import Hop, Packet, Transport, Way
from heliograph.sip.wire import Wire

US: Final = Hop("192.0.2.1", 5060)
THEM: Final = Hop("198.51.100.7", 5070)
OUR_MEDIA: Final = Media(host=US.host, port=40_000)
THEIR_MEDIA: Final = Media(host=THEM.host, port=50_000)
CREDENTIALS: Final = Credentials("bob", "secret")
THEIR_SDP: Final = offer(THEIR_MEDIA, session_id=2)
SDP: Final[Headers] = (("Content-Type", "application/sdp"),)
THEIR_CONTACT: Final = ("Contact", "<sip:278@198.51.100.7:5070>")


def way(transport: Transport = Transport.UDP) -> Way:
    return Way(transport=transport, local=US, remote=THEM)


def a_wire(transport: Transport = Transport.UDP) -> Wire:
    return Wire(way(transport), seed=b"s" * 16, timers=Timers())


def invitation(credentials: Credentials | None = None) -> Invitation:
    return Invitation(
        called=SipUri(user="27821234567", host="carrier.example"),
        caller=NameAddr(uri=SipUri(user="27110000000", host="us.example"), display='The "Shop"'),
        media=OUR_MEDIA,
        credentials=credentials,
    )


def a_call(transport: Transport = Transport.UDP, credentials: Credentials | None = None) -> OutgoingCall:
    return OutgoingCall(invitation(credentials), way=way(transport), seed=b"seed" * 4, now=0.0)


def read_all(packets: list[Packet]) -> list[Message]:
    return [read(packet.octets) for packet in packets]


def summary(messages: list[Message]) -> list[str]:
    """INVITE 1, 200 INVITE …"""
    made = []
    for each in messages:
        cseq = first(each.headers, "CSeq") or ""
        made.append(f"{each.status} {cseq.split()[1]}" if isinstance(each, Response) else " ".join(cseq.split()[::-1]))
    return made


def said(call: OutgoingCall) -> list[Message]:
    """What a call sends."""
    return read_all(call.packets_to_send())


def one_request(call: OutgoingCall, method: str) -> Request:
    """The one request of a method that a call sends now."""
    (found,) = [each for each in said(call) if isinstance(each, Request) and each.method == method]
    return found


def accepting(invite: Request, *, tag: str = "them", body: bytes = THEIR_SDP, headers: Headers = ()) -> Response:
    return response_to(invite, 200, tag=tag, headers=(THEIR_CONTACT, *SDP, *headers), body=body)


def from_them(
    call: OutgoingCall, invite: Request, method: str, number: int, *, headers: Headers = (), body: bytes = b""
) -> Request:
    """A request of the peer within the call that our INVITE began."""
    fixed: Headers = (
        ("Via", f"SIP/2.0/UDP {THEM.host}:{THEM.port};branch=z9hG4bK-{method}-{number}"),
        ("From", f"{first(invite.headers, 'To')};tag=them"),
        ("To", first(invite.headers, "From") or ""),
        ("Call-ID", call.call_id),
        ("CSeq", f"{number} {method}"),
        THEIR_CONTACT,
    )
    return Request(method=method, uri=f"sip:{US.host}", headers=(*fixed, *headers), body=body)


def an_invite(*, headers: Headers = (), body: bytes = THEIR_SDP, branch: str = "z9hG4bKfirst") -> Request:
    """A call that comes in, from THEM."""
    fixed: Headers = (
        ("Via", f"SIP/2.0/UDP {THEM.host}:{THEM.port};branch={branch}"),
        ("From", '"Ann" <sip:ann@them.example>;tag=ann'),
        ("To", "<sip:278@us.example>"),
        ("Call-ID", "call-1"),
        ("CSeq", "7 INVITE"),
        THEIR_CONTACT,
    )
    content = SDP if body else ()
    return Request(method="INVITE", uri="sip:278@us.example", headers=(*fixed, *content, *headers), body=body)
