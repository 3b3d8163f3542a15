import asyncio
import json
from typing import Any

import pytest

from heliograph.core.ids import MessageId, shown_id
from heliograph.core.ledger import Balance
from heliograph.core.money import CREDIT
from heliograph.core.states import MessageState
from tests.unit.dialects.world import MARK, Caller, Reply, account_of, world_with

MALFORMED = b'{"status":400,"message":"The request was not properly formatted."}'


def post(caller: Caller, path: str, body: object, **headers: str) -> Reply:
    written = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return asyncio.run(caller("POST", path, written, headers=named))


def send(body: object, **headers: str) -> Reply:
    return post(Caller(world_with()), "/sms/messages", body, **headers)


def verdicts_of(reply: Reply) -> list[dict[str, Any]]:
    messages = json.loads(reply.body)["messages"]
    assert isinstance(messages, list)
    return messages


def test_the_printed_request_gets_the_printed_answer() -> None:
    reply = send({"text": "Hello everyone!", "to": [2783123456, 2783234567]})
    assert reply.status == 202
    first, second = verdicts_of(reply)
    assert list(first) == ["apiMessageId", "accepted", "to", "errorCode", "error", "errorDescription"]
    assert (first["to"], second["to"], first["accepted"], second["accepted"]) == (2783123456, 2783234567, True, True)
    assert len(first["apiMessageId"]) == 32
    assert first["apiMessageId"] != second["apiMessageId"]
    assert reply.body.endswith(b'],"errorCode":null,"error":null,"errorDescription":null}')


def test_a_repeated_number_is_one_message_whatever_its_spelling() -> None:
    world = world_with()
    reply = post(Caller(world), "/sms/messages", {"text": "x", "to": ["+2783 123-456", 2783123456]})
    first, second = verdicts_of(reply)
    assert (first["to"], second["to"]) == ("+2783 123-456", 2783123456)
    assert first["apiMessageId"] == second["apiMessageId"]
    assert world.funds == Balance(99 * CREDIT, CREDIT, 0)


def test_a_bad_number_among_good_ones_is_told_by_itself() -> None:
    bad, good = verdicts_of(send({"text": "x", "to": ["12345", "+2783123456"]}))
    assert (bad["apiMessageId"], bad["accepted"], bad["errorCode"]) == (None, False, "25")
    assert good["accepted"]


@pytest.mark.parametrize("number", [int("9" * 40), "9" * 40, -2783123456, "", "\0", "call me"])
def test_numbers_that_cannot_be_are_echoed_and_cost_nothing(number: int | str) -> None:
    world = world_with()
    reply = post(Caller(world), "/sms/messages", {"text": "x", "to": [number]})
    assert reply.status == 202
    assert verdicts_of(reply)[0]["to"] == number
    assert (world.funds.held, world.stored) == (0, {})


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{body}",
        b"null",
        b"[]",
        b'{"text":"x"}',
        b'{"text":"x","to":[]}',
        b'{"text":"x","to":"+2783123456"}',
        b'{"text":"x","to":[2783123456.5]}',
        b'{"text":"x","to":[true]}',
        b'{"text":"x","to":[null]}',
        b'{"to":["+2783123456"]}',
        b'{"text":"","to":["+2783123456"]}',
        b'{"text":5,"to":["+2783123456"]}',
        b'{"text":null,"to":["+2783123456"]}',
        b'{"text":"\\ud800","to":["+2783123456"]}',
        b'{"text":"\xff","to":["+2783123456"]}',
        b'{"text":"x","to":[' + b"9" * 5000 + b"]}",
        b'{"text":"x","to":["+2783123456"],"more":' + b"[" * 100_000,
        b'{"text":"x","to":["+2783123456"],"id":"' + b"i" * 257 + b'"}',
    ],
    ids=range(19),
)
def test_what_is_not_properly_formatted_is_refused_whole(body: bytes) -> None:
    world = world_with()
    reply = post(Caller(world), "/sms/messages", body)
    assert (reply.status, reply.body) == (400, MALFORMED)
    assert world.stored == {}


def test_a_text_with_nul_is_refused() -> None:
    reply = send({"text": "a\0b", "to": [2783123456]})
    assert (reply.status, json.loads(reply.body)["message"][:39]) == (400, "The request was not properly formatted.")


@pytest.mark.parametrize(("count", "status"), [(10_000, 202), (10_001, 400)])
def test_ten_thousand_numbers_are_the_most(count: int, status: int) -> None:
    world = world_with(credits=20_000)
    reply = post(Caller(world), "/sms/messages", {"text": "x", "to": [2783000000 + n for n in range(count)]})
    assert reply.status == status
    assert (len(world.submissions) == 1) is (status == 202)


def test_unknown_members_and_parameters_are_ignored() -> None:
    reply = post(Caller(world_with()), "/sms/messages?entities=true", {"text": "x", "to": [2783123456], "from": 1})
    assert reply.status == 202


def test_what_the_pipeline_is_given() -> None:
    world = world_with()
    post(Caller(world), "/sms/messages", {"text": "x", "to": [2783123456], "id": 17})
    post(Caller(world), "/sms/messages", {"text": "x", "to": [2783123456]})
    post(Caller(world), "/sms/message", {"Text": "x", "Number": "2783123456", "Id": "mine"})
    post(Caller(world), "/sms/message", {"Text": "x", "Number": 2783123456})
    assert [each.reference for each in world.submissions] == ["17", None, "mine", ""]
    assert {(each.dialect, each.sender, each.idempotency) for each in world.submissions} == {
        ("touchbasepro", None, None)
    }


def test_an_idempotency_key_names_the_request() -> None:
    world = world_with()
    caller = Caller(world)
    body = {"text": "x", "to": [2783123456]}
    first = post(caller, "/sms/messages", body, idempotency_key="k1")
    again = post(caller, "/sms/messages", body, idempotency_key="k1")
    assert (again.status, again.body) == (202, first.body)
    assert ("idempotent-replayed" in first.headers, again.headers["idempotent-replayed"]) == (False, "true")
    assert len(world.stored) == 1
    other = post(caller, "/sms/messages", {"text": "y", "to": [2783123456]}, idempotency_key="k1")
    assert (other.status, json.loads(other.body)["status"]) == (422, 422)


def test_one_key_for_two_endpoints_is_two_requests() -> None:
    world = world_with()
    body = {"text": "x", "to": [2783123456], "number": 2783123456}
    assert post(Caller(world), "/sms/messages", body, idempotency_key="k").status == 202
    assert post(Caller(world), "/sms/message", body, idempotency_key="k").status == 422


def test_a_long_key_is_as_good_as_a_short_one_and_a_blank_one_is_none() -> None:
    world = world_with()
    for key in ("k" * 256, "k" * 256, "k" * 257, " "):
        post(Caller(world), "/sms/messages", {"text": "x", "to": [2783123456]}, idempotency_key=key)
    keys = [each.idempotency.key if each.idempotency else None for each in world.submissions]
    assert keys[0] == keys[1] != keys[2]
    assert keys[3] is None
    assert max(len(key) for key in keys if key) <= 255


def test_credits_are_all_or_nothing() -> None:
    world = world_with(credits=3)
    reply = post(Caller(world), "/sms/messages", {"text": "x", "to": [2783000000 + n for n in range(5)]})
    assert reply.status == 405
    assert reply.body == b'{"status":405,"message":"You don\'t have enough credits on your account!"}'
    assert "allow" not in reply.headers
    assert world.stored == {}


def test_a_suspended_account_sends_nothing() -> None:
    world = world_with(account_of(is_suspended=True))
    reply = post(Caller(world), "/sms/messages", {"text": "x", "to": [2783123456]})
    assert (reply.status, b"suspended!" in reply.body) == (403, True)


def test_status_is_shown_at_both_addresses_in_capitals() -> None:
    world = world_with()
    caller = Caller(world)
    shown = verdicts_of(post(caller, "/sms/messages", {"text": "x", "to": [2783123456]}))[0]["apiMessageId"]
    world.stored[MessageId(int(shown[:16], 16))].state = MessageState.DELIVERED
    for path in (f"/sms/messages/{shown}", f"/sms/messages/{shown}/status"):
        reply = asyncio.run(caller("GET", path))
        assert (reply.status, reply.body) == (200, b'{"status":"DEVICE_ACK"}')


@pytest.mark.parametrize("shown", ["x", shown_id(1, MARK), shown_id(1, "f" * 16)])
def test_an_unknown_id_is_400_because_the_page_has_no_404(shown: str) -> None:
    reply = asyncio.run(Caller(world_with())("GET", f"/sms/messages/{shown}/status"))
    assert (reply.status, reply.body) == (400, b'{"status":400,"message":"Message record does not exist"}')


def test_the_first_generation_answers_with_a_whole_record() -> None:
    world = world_with()
    caller = Caller(world)
    reply = post(caller, "/sms/message", {"Text": "x" * 161, "Number": "+2783 123456", "Id": "mine"})
    assert reply.status == 200
    record = json.loads(reply.body)
    message_id = record.pop("MessageId")
    date = record.pop("Date")
    assert date == "2026-11-18T11:06:40Z"
    assert record == {
        "Number": "2783123456",
        "Text": "x" * 161,
        "Status": "Accepted",
        "Id": "mine",
        "MessageSize": 2,
        "RemainingCreditCount": 98,
    }
    world.stored[message_id].state = MessageState.SUBMITTED
    shown = asyncio.run(caller("GET", f"/sms/message/{message_id}"))
    assert json.loads(shown.body) == {
        "MessageId": message_id,
        "Text": "x" * 161,
        "Status": "Enroute",
        "Id": "mine",
        "Date": date,
    }


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{body}", 400, 1100),
        (b'{"Text":"x"}', 400, 1100),
        (b'{"Text":"x","Number":"12345"}', 400, 1110),
        (b'{"Text":"","Number":"2783123456"}', 400, 1117),
    ],
)
def test_the_first_generation_refuses_with_codes(body: bytes, status: int, code: int) -> None:
    reply = post(Caller(world_with()), "/sms/message", body)
    assert (reply.status, json.loads(reply.body)["Code"]) == (status, code)


@pytest.mark.parametrize("written", ["14", "x", "9" * 30])
def test_an_unknown_message_has_the_printed_code(written: str) -> None:
    reply = asyncio.run(Caller(world_with())("GET", f"/sms/message/{written}"))
    assert (reply.status, reply.body) == (404, b'{"Code":156,"Message":"Message record does not exist"}')


def test_the_balance_counts_credits() -> None:
    world = world_with()
    world.funds = Balance(97_500_000, 2_000_000, 500_000)
    reply = asyncio.run(Caller(world)("GET", "/sms/balance"))
    assert (reply.status, reply.body) == (200, b'{"CreditsAvailable":97.5,"CreditsReserved":2}')
