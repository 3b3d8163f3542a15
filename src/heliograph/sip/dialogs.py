"""Dialogs (RFC 3261 12): how requests find the other end of a call once it has shown itself."""

from dataclasses import dataclass
from typing import Final

from heliograph.sip.errors import MessageError
from heliograph.sip.headers import Headers, every, first
from heliograph.sip.messages import Message, Request, Response, call_id_of, cseq_of
from heliograph.sip.uris import read_uri, split_name_addr
from heliograph.sip.ways import Hop
from heliograph.sip.wire import MAX_FORWARDS, Wire

PROOF_HEADERS: Final = ("Authorization", "Proxy-Authorization")


@dataclass(slots=True, kw_only=True)
class Dialog:
    """local, remote: the values of From and To in our requests, tags included. target: the URI of the other end.

    routes: proxies on the way. number: of our last request. peer_number: of the peer's last request.
    default_hop: where requests go when neither routes nor target can be read.
    """

    call_id: str
    local: str
    remote: str
    target: str
    routes: list[str]
    number: int
    default_hop: Hop
    peer_number: int | None = None

    @property
    def hop(self) -> Hop:
        """Where the next request goes."""
        try:
            return read_uri(_uri_of(self.routes[0]) if self.routes else self.target).hop
        except MessageError:
            return self.default_hop

    def request(self, wire: Wire, method: str, *, number: int | None = None, headers: Headers = ()) -> Request:
        """A request to the other end; number: of the INVITE, in its ACK."""
        if number is None:
            self.number += 1
            number = self.number
        uri, routes = self.target, self.routes
        if routes and not _is_loose(routes[0]):
            # A proxy older than RFC 3261 wants itself as the request's address (12.2.1.1).
            uri, routes = _uri_of(routes[0]), [*routes[1:], f"<{self.target}>"]
        head: Headers = (
            wire.via(wire.new_branch()),
            ("Max-Forwards", MAX_FORWARDS),
            *(("Route", route) for route in routes),
            ("From", self.local),
            ("To", self.remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{number} {method}"),
        )
        return Request(method=method, uri=uri, headers=(*head, *headers))

    def refresh(self, message: Message) -> None:
        """The other end may have moved: a 2xx, and an INVITE within the call, say where it is (12.2)."""
        self.target = contact_of(message) or self.target


def contact_of(message: Message) -> str | None:
    """The first Contact's URI as it stands; None when there is none that can be used."""
    try:
        uri = _uri_of(every(message.headers, "Contact")[0])
        return uri if read_uri(uri).host else None
    except (IndexError, MessageError):
        return None


def dialog_as_caller(invite: Request, response: Response, *, hop: Hop) -> Dialog:
    """What a response to our INVITE begins (12.1.2). hop: where the INVITE went."""
    return Dialog(
        call_id=call_id_of(invite),
        local=first(invite.headers, "From") or "",
        remote=first(response.headers, "To") or "",
        target=contact_of(response) or invite.uri,
        routes=every(response.headers, "Record-Route")[::-1],
        number=cseq_of(invite).number,
        default_hop=hop,
    )


def dialog_as_called(invite: Request, *, tag: str, hop: Hop) -> Dialog:
    """What our response to an INVITE begins (12.1.1). tag: ours."""
    return Dialog(
        call_id=call_id_of(invite),
        local=f"{first(invite.headers, 'To') or ''};tag={tag}",
        remote=first(invite.headers, "From") or "",
        target=contact_of(invite) or _uri_of(first(invite.headers, "From") or ""),
        routes=every(invite.headers, "Record-Route"),
        number=0,
        default_hop=hop,
        peer_number=cseq_of(invite).number,
    )


def _uri_of(text: str) -> str:
    return split_name_addr(text)[1]


def _is_loose(route: str) -> bool:
    try:
        return read_uri(_uri_of(route)).parameter("lr") is not None
    except MessageError:
        return True
