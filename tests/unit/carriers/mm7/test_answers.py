import pytest

from heliograph.carriers.mm7.answers import STATUSES, outcome_of, treatment_of
from heliograph.carriers.treatments import Defer, Refuse, StatusTable
from heliograph.core.outcomes import Ambiguous, Deferred, Refused, SubmitOutcome, Submitted
from heliograph.core.reasons import Reason
from heliograph.mm7.codec import encode
from heliograph.mm7.messages import DeliverRsp, DeliveryReportReq, Fault, Message, RSErrorRsp, Status, SubmitRsp
from heliograph.mm7.status import PASSING, StatusCode, is_success
from heliograph.net.http import Told
from heliograph.testing.feeds import parcels_for

(PARCEL,) = parcels_for(["+27831234567"])


def outcome(message: Message | bytes, *, http: int = 200, overrides: StatusTable | None = None) -> SubmitOutcome:
    body = message if isinstance(message, bytes) else encode(message, transaction_id="T")
    return outcome_of(PARCEL, Told(http, "text/xml", body), transaction_id="T", overrides=overrides or {})


def answer(code: int, *, message_id: str = "", text: str = "") -> SubmitRsp:
    return SubmitRsp(status=Status(status_code=code, status_text=text), message_id=message_id)


def test_success_is_a_name() -> None:
    assert outcome(answer(1000, message_id="MM-1")) == Submitted(PARCEL, "MM-1")
    assert outcome(answer(1100, message_id="MM-1"), http=202) == Submitted(PARCEL, "MM-1")
    assert outcome(answer(1000)) == Submitted(PARCEL, "T")


@pytest.mark.parametrize("code", [code for code in StatusCode if not is_success(code) and code not in STATUSES])
def test_every_other_known_code_is_a_refusal(code: StatusCode) -> None:
    assert treatment_of(code, {}) == Refuse()


@pytest.mark.parametrize("code", PASSING)
def test_what_may_pass_counts_as_a_try(code: StatusCode) -> None:
    treatment = treatment_of(code, {})
    assert isinstance(treatment, Defer)
    assert treatment.counts


def test_a_bad_address_is_a_bad_recipient() -> None:
    assert outcome(answer(2002, text="what?\n\x85")) == Refused(PARCEL, Reason.INVALID_RECIPIENT, "2002 what?")


def test_a_carriers_own_table_comes_first() -> None:
    assert outcome(answer(2001, text="busy"), overrides={2001: Defer(5)}) == Deferred(PARCEL, 5, True, "2001 busy")


@pytest.mark.parametrize("http", [200, 400, 500])
def test_an_error_in_a_fault_is_read(http: int) -> None:
    error = RSErrorRsp(status=Status(status_code=3000, status_text="down"))
    found = outcome(error, http=http)
    assert isinstance(found, Deferred)
    assert found.status == "3000 down"


@pytest.mark.parametrize(
    ("code", "http", "kind"),
    [
        ("soap:Server", 500, Deferred),
        ("soap:Client", 500, Refused),
        ("env:Receiver", 200, Deferred),
        ("VersionMismatch", 500, Refused),
        ("soap:Client", 401, Deferred),
    ],
)
def test_a_fault_of_soap_says_whose_fault_it_is(code: str, http: int, kind: type[SubmitOutcome]) -> None:
    assert type(outcome(Fault(fault_code=code, fault_string="no"), http=http)) is kind


@pytest.mark.parametrize(
    ("http", "kind"),
    [
        (200, Ambiguous), (204, Ambiguous), (302, Deferred), (400, Refused), (401, Deferred), (404, Deferred),
        (413, Refused), (429, Deferred), (500, Ambiguous), (502, Ambiguous), (503, Deferred), (504, Ambiguous),
    ],
)  # fmt: skip
def test_without_mm7_the_status_of_http_is_what_there_is(http: int, kind: type[SubmitOutcome]) -> None:
    assert type(outcome(b"<html>", http=http)) is kind


def test_another_message_leaves_it_in_doubt() -> None:
    assert isinstance(outcome(DeliverRsp(status=Status(status_code=1000))), Ambiguous)
    assert isinstance(outcome(DeliveryReportReq(message_id="1", mm_status="Expired")), Ambiguous)


def test_words_are_one_short_line() -> None:
    found = outcome(answer(2001, text="a \n\x00 b" + "c" * 500))
    assert isinstance(found, Refused)
    assert found.status.startswith("2001 a")
    assert len(found.status) == 120
    assert found.status.isprintable()
