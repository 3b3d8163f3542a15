"""The phones that one INVITE of ours reached: a proxy may ring several, and each that answers wants to be told so."""

from typing import Final

from heliograph.sip.dialogs import PROOF_HEADERS, Dialog, dialog_as_caller
from heliograph.sip.digest import Proofs
from heliograph.sip.headers import every, first, read_number
from heliograph.sip.messages import Response, cseq_of, tag_of
from heliograph.sip.transactions import ClientTransaction, Transactions
from heliograph.sip.ways import Packet
from heliograph.sip.wire import Wire

MOST_FORKS: Final = 8
"""Phones that may answer one call; more of them get no ACK."""

MOST_PRACKS: Final = 64
"""Provisional answers of one call that are acknowledged."""


class Forks:
    """Acknowledges answers, each phone's in a dialog of its own. A phone is known by its tag."""

    def __init__(self, wire: Wire, transactions: Transactions, proofs: Proofs) -> None:
        self._wire = wire
        self._transactions = transactions
        self._proofs = proofs
        self._early: dict[str, Dialog] = {}
        self._pracks: set[tuple[str, int]] = set()
        self._acks: dict[str, Packet] = {}

    def is_news(self, response: Response, *, invite: ClientTransaction, now: float) -> bool:
        """Whether a provisional answer is no repetition. One that must be acknowledged is (RFC 3262 4), although we do
        not offer it: some peers ask for it all the same."""
        number, tag = read_number(first(response.headers, "RSeq"), most=2**32), tag_of(response, "To")
        if number is None or not tag or "100rel" not in every(response.headers, "Require"):
            return True
        if (tag, number) in self._pracks or len(self._pracks) >= MOST_PRACKS:
            return False
        self._pracks.add((tag, number))
        dialog = self._early.setdefault(tag, dialog_as_caller(invite.request, response, hop=invite.hop))
        proofs = self._proofs.headers("PRACK", dialog.target)
        headers = (("RAck", f"{number} {cseq_of(invite.request).number} INVITE"), *proofs)
        self._transactions.ask(dialog.request(self._wire, "PRACK", headers=headers), dialog.hop, now=now)
        return True

    def acknowledge(self, response: Response, *, invite: ClientTransaction) -> Dialog | None:
        """ACK of a 2xx: a request of its own with the INVITE's number and proofs (13.2.2.4, 22.1).

        None when the phone answered before: its ACK was lost, and is said again.
        """
        tag = tag_of(response, "To")
        if tag in self._acks:
            self._wire.repeat(self._acks[tag])
            return None
        if len(self._acks) >= MOST_FORKS:
            return None
        dialog = dialog_as_caller(invite.request, response, hop=invite.hop)
        if tag in self._early:
            dialog.number = self._early[tag].number
        proofs = tuple(header for header in invite.request.headers if header[0] in PROOF_HEADERS)
        ack = dialog.request(self._wire, "ACK", number=cseq_of(invite.request).number, headers=proofs)
        self._acks[tag] = self._wire.send(ack, dialog.hop)
        return dialog
