from heliograph.sip.digest import Proofs
from heliograph.sip.forks import MOST_FORKS, MOST_PRACKS, Forks
from heliograph.sip.headers import Headers, first
from heliograph.sip.messages import Response, response_to, tag_of
from heliograph.sip.transactions import ClientTransaction, Transactions
from heliograph.sip.wire import Wire
from tests.unit.sip.samples import CREDENTIALS, THEM, a_wire, accepting, an_invite, read_all, summary


class Ring:
    """An INVITE on its way to several phones."""

    def __init__(self, headers: Headers = ()) -> None:
        self.wire: Wire = a_wire()
        transactions = Transactions(self.wire)
        self.invite: ClientTransaction = transactions.ask(an_invite(headers=headers), THEM, now=0.0)
        self.forks = Forks(self.wire, transactions, Proofs(CREDENTIALS, lambda: "c"))
        self.wire.drained()

    def rings(self, tag: str, *headers: tuple[str, str]) -> bool:
        made: Headers = headers
        response = response_to(self.invite.request, 180, tag=tag, headers=made)
        return self.forks.is_news(response, invite=self.invite, now=0.0)

    def answers(self, tag: str) -> Response:
        return accepting(self.invite.request, tag=tag)

    def said(self) -> list[str]:
        return summary(read_all(self.wire.drained()))


def test_each_phone_is_told_that_its_answer_came() -> None:
    ring = Ring()
    for tag in ("one", "two"):
        dialog = ring.forks.acknowledge(ring.answers(tag), invite=ring.invite)
        assert dialog is not None
        (ack,) = read_all(ring.wire.drained())
        assert (tag_of(ack, "To"), first(ack.headers, "CSeq")) == (tag, "7 ACK")
        assert ring.forks.acknowledge(ring.answers(tag), invite=ring.invite) is None
        assert read_all(ring.wire.drained()) == [ack]


def test_an_ack_carries_the_proofs_of_its_invite() -> None:
    ring = Ring((("Authorization", "Digest x"),))
    ring.forks.acknowledge(ring.answers("one"), invite=ring.invite)
    (ack,) = read_all(ring.wire.drained())
    assert first(ack.headers, "Authorization") == "Digest x"


def test_phones_without_number_fill_nothing() -> None:
    ring = Ring()
    for number in range(2 * MOST_FORKS):
        ring.forks.acknowledge(ring.answers(str(number)), invite=ring.invite)
    assert len(ring.said()) == MOST_FORKS


def test_ringing_is_acknowledged_when_it_must_be() -> None:
    ring = Ring()
    reliable = (("Require", "100rel"), ("RSeq", "1"))
    assert ring.rings("one")
    assert ring.rings("one", ("RSeq", "1"))
    assert ring.rings("", *reliable)
    assert ring.said() == []
    assert [ring.rings(tag, *reliable) for tag in ("one", "one", "two")] == [True, False, True]
    assert ring.said() == ["PRACK 8", "PRACK 8"]
    assert ring.rings("one", reliable[0], ("RSeq", "2"))
    assert ring.said() == ["PRACK 9"]
    dialog = ring.forks.acknowledge(ring.answers("one"), invite=ring.invite)
    assert dialog is not None
    assert dialog.number == 9


def test_ringing_without_end_fills_nothing() -> None:
    ring = Ring()
    news = [ring.rings("one", ("Require", "100rel"), ("RSeq", str(number))) for number in range(2 * MOST_PRACKS)]
    assert news.count(True) == MOST_PRACKS
