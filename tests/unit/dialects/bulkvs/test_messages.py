import re
from typing import Any

import pytest

from heliograph.core.ids import SubmissionId, id_from_uuid
from heliograph.core.ledger import Balance
from heliograph.core.messages import Channel, Refusal
from heliograph.core.money import CREDIT
from heliograph.core.reasons import Reason
from tests.unit.dialects.bulkvs.calls import FROM, call, failure, read, send
from tests.unit.dialects.world import MARK, OWN_NUMBER, account_of, world_with

SEED: dict[str, Any] = {
    "From": "13109060901",
    "To": ["13105551212", "13125551213"],
    "Message": "Content of Message from Sender to Receiver(s)",
    "MediaURLs": ["https://s3.aws.com/file1.png", "https://s3.aws.com/file2.jpg"],
}


def test_the_printed_request_gets_the_printed_answer() -> None:
    world = world_with()
    reply = call(world, "POST", "/api/v1.0/messageSend", SEED)
    answer = read(reply)
    assert reply.status == 200
    assert list(answer) == ["RefId", "From", "MessageType", "Fragments", "Results"]
    assert re.fullmatch("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", answer.pop("RefId"))
    assert answer == {
        "From": "13109060901",
        "MessageType": "MMS",
        "Fragments": 1,
        "Results": [{"To": "13105551212", "Status": "SUCCESS"}, {"To": "13125551213", "Status": "SUCCESS"}],
    }


def test_the_ref_id_is_the_submission_and_the_account_s_alone() -> None:
    world = world_with()
    first, second = read(send(world, "13105551212"))["RefId"], read(send(world, "13105551212"))["RefId"]
    assert first != second
    found = id_from_uuid(first, MARK)
    assert found is not None
    assert SubmissionId(found) < min(each for each in world.stored if each > found)
    assert id_from_uuid(first, "f" * 16) is None


@pytest.mark.parametrize(
    "written", ["3105551212", 3105551212, "13105551212", 13105551212, "+13105551212", "(310) 555-1212"]
)
@pytest.mark.parametrize("is_alone", [True, False])
def test_numbers_are_read_as_they_are_written_and_answered_with_eleven_digits(
    written: str | int, *, is_alone: bool
) -> None:
    world = world_with()
    answer = read(send(world, written if is_alone else [written], From=written))
    assert answer["Status"] == "Failed"
    answer = read(send(world, written if is_alone else [written]))
    assert answer["Results"] == [{"To": "13105551212", "Status": "SUCCESS"}]
    assert [each.recipient for each in world.stored.values()] == ["+13105551212"]


@pytest.mark.parametrize(
    "written", ["3109060901", 3109060901, FROM, int(FROM), OWN_NUMBER, "310-906-0901", "+1 (310) 906 0901"]
)
def test_the_sender_is_read_and_answered_alike(written: str | int) -> None:
    world = world_with()
    answer = read(send(world, "13105551212", From=written))
    assert answer["From"] == FROM
    assert world.submissions[-1].sender == FROM
    assert world.submissions[-1].owns_sender


def test_numbers_of_other_countries_keep_their_digits() -> None:
    world = world_with()
    answer = read(send(world, ["+4712345678", "447700900123", "27831234567"]))
    assert [result["To"] for result in answer["Results"]] == ["4712345678", "447700900123", "27831234567"]


def test_fragments_are_the_segments_of_each_message() -> None:
    for text, count in (("x" * 160, 1), ("x" * 161, 2), ("☀" * 71, 2), ("x" * 1500, 10)):
        assert read(send(world_with(credits=1000), "13105551212", text))["Fragments"] == count


def test_media_make_an_mms_whose_text_may_be_left_out() -> None:
    url = "https://example.com/a.png"
    for more in ({"MediaURLs": [url]}, {"MediaUrls": [url]}, {"MediaUrl": url}, {"MediaURLs": url}):
        world = world_with()
        for text in ("", None):
            answer = read(send(world, "13105551212", text, **more))
            assert (answer["MessageType"], answer["Fragments"]) == ("MMS", 1)
        submission = world.submissions[-1]
        assert (submission.channel, submission.media_urls, submission.text) == (Channel.MMS, (url,), "")
    left_out = call(world_with(), "POST", "/messageSend", {"From": FROM, "To": "13105551212", "MediaURLs": [url]})
    assert left_out.status == 200


def test_the_printed_spelling_of_media_goes_before_the_others() -> None:
    world = world_with()
    urls = {
        "MediaURLs": ["https://a.example/1"],
        "MediaUrls": ["https://b.example/2"],
        "MediaUrl": "https://c.example/3",
    }
    send(world, "13105551212", **urls)
    assert world.submissions[-1].media_urls == ("https://a.example/1",)


@pytest.mark.parametrize("more", [{}, {"MediaURLs": []}, {"MediaURLs": None, "MediaUrl": ""}])
def test_without_media_a_text_is_needed_and_an_sms_sent(more: dict[str, object]) -> None:
    world = world_with()
    assert read(send(world, "13105551212", **more))["MessageType"] == "SMS"
    for text in ("", None):
        assert send(world, "13105551212", text, **more).status == 400
    assert len(world.stored) == 1


def test_one_bad_number_is_told_among_the_good_ones() -> None:
    world = world_with()
    world.barred = frozenset({"+13125550000"})
    answer = read(send(world, ["13105551212", "call me", "13125550000", "+1 310 555 1212"]))
    assert answer["Results"] == [
        {"To": "13105551212", "Status": "SUCCESS"},
        {"To": "call me", "Status": "FAILED", "Description": Reason.INVALID_RECIPIENT.sentence},
        {"To": "13125550000", "Status": "FAILED", "Description": Reason.NO_ROUTE.sentence},
        {"To": "13105551212", "Status": "SUCCESS"},
    ]
    assert world.funds == Balance(99 * CREDIT, CREDIT, 0)


def test_what_is_good_for_nobody_is_an_error_for_programs_that_look_at_the_status_alone() -> None:
    world = world_with()
    world.barred = frozenset({"+13125550000"})
    bad = send(world, ["call me", "13125550000"])
    assert (bad.status, read(bad)) == (400, failure(400, Reason.INVALID_RECIPIENT.sentence))
    assert send(world, "13125550000").status == 403
    assert (world.stored, world.funds.held) == ({}, 0)


def test_a_sender_that_is_not_the_account_s_is_not_found() -> None:
    world = world_with()
    reply = send(world, "13105551212", From="13109060902")
    assert (reply.status, read(reply)) == (404, failure(404, Reason.SENDER_NOT_OWNED.sentence))


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.CHANNEL_NOT_ENABLED, 403),
        (Reason.NUMBER_NOT_ENABLED, 404),
        (Reason.KEY_IN_USE, 409),
        (Reason.BAD_MEDIA, 400),
    ],
)
def test_what_accept_refuses_is_worded(reason: Reason, status: int) -> None:
    world = world_with()
    world.refusing = Refusal(reason)
    reply = send(world, "13105551212")
    assert (reply.status, read(reply)) == (status, failure(status, reason.sentence))


def test_no_credits_and_suspension_forbid() -> None:
    assert send(world_with(credits=1), ["13105551212", "13105551213"]).status == 403
    assert send(world_with(account_of(is_suspended=True)), "13105551212").status == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{body}",
        b"null",
        b"[]",
        b'{"From":"13109060901","To":[]',
        b'{"To":"13105551212","Message":"x"}',
        b'{"From":"13109060901","Message":"x"}',
        b'{"From":"13109060901","To":[],"Message":"x"}',
        b'{"From":"13109060901","To":null,"Message":"x"}',
        b'{"From":"13109060901","To":{"a":1},"Message":"x"}',
        b'{"From":"13109060901","To":[true],"Message":"x"}',
        b'{"From":"13109060901","To":[null],"Message":"x"}',
        b'{"From":"13109060901","To":[["13105551212"]],"Message":"x"}',
        b'{"From":"13109060901","To":13105551212.5,"Message":"x"}',
        b'{"From":"13109060901","To":"","Message":"x"}',
        b'{"From":"","To":"13105551212","Message":"x"}',
        b'{"From":" ","To":"13105551212","Message":"x"}',
        b'{"From":null,"To":"13105551212","Message":"x"}',
        b'{"From":["13109060901"],"To":"13105551212","Message":"x"}',
        b'{"From":"13109060901","To":"13105551212"}',
        b'{"From":"13109060901","To":"13105551212","Message":5}',
        b'{"From":"13109060901","To":"13105551212","Message":"a\\u0000b"}',
        b'{"From":"13109060901","To":"13105551212","Message":"\\ud800"}',
        b'{"From":"13109060901","To":"13105551212","Message":"\xff\xfe"}',
        b'{"From":"13109060901","To":"13105551212","Message":"x","MediaURLs":[1]}',
        b'{"From":"13109060901","To":"13105551212","Message":"x","MediaURLs":{"a":"b"}}',
        b'{"From":"13109060901","To":' + b"9" * 5000 + b',"Message":"x"}',
        b'{"From":"13109060901","To":-13105551212,"Message":"x"}',
        b'{"From":"13109060901","To":"13105551212","Message":"x","More":' + b"[" * 100_000,
        b'{"From":"13109060901","To":"13105551212","Message":"' + b"x" * 1_000_000 + b'"}',
        b'{"From":"13109060901","To":"1' + b"3" * 1_000_000 + b'","Message":"x"}',
    ],
    ids=range(31),
)
@pytest.mark.parametrize("query", ["", "?pbx=3cx"])
def test_what_is_malformed_is_a_clear_400_and_stores_nothing(body: bytes, query: str) -> None:
    world = world_with()
    if query:
        for name, other in ((b"From", b"from"), (b"To", b"to"), (b"Message", b"text"), (b"MediaURLs", b"media_urls")):
            body = body.replace(b'"' + name + b'"', b'"' + other + b'"')
    reply = call(world, "POST", f"/api/v1.0/messageSend{query}", body)
    assert reply.status == 400
    said = read(reply)
    assert said == failure(400, said["Description"])
    assert len(said["Description"]) < 200
    assert (world.stored, world.funds.held) == ({}, 0)


def test_a_wrong_type_is_named_with_its_member() -> None:
    reply = call(world_with(), "POST", "/messageSend", {"From": FROM, "To": "13105551212", "Message": 5})
    assert "$.Message" in read(reply)["Description"]


@pytest.mark.parametrize(("count", "status"), [(4_000, 200), (10_000, 200), (10_001, 400)])
def test_ten_thousand_numbers_are_the_most(count: int, status: int) -> None:
    world = world_with(credits=20_000)
    numbers = [13100000000 + number for number in range(count)]
    reply = send(world, numbers)
    assert reply.status == status
    assert len(world.stored) == (count if status == 200 else 0)
    if status == 200:
        assert [result["To"] for result in read(reply)["Results"]] == [str(number) for number in numbers]
    else:
        assert read(reply) == failure(400, "To may name at most 10000 numbers.")


def test_unknown_members_and_parameters_are_ignored() -> None:
    world = world_with()
    body = {**SEED, "StatusCallback": "https://example.com/", "message": 7}
    assert call(world, "POST", "/messageSend?x=1&x", body).status == 200


def test_3cx_has_its_own_spelling_at_the_same_address() -> None:
    world = world_with()
    body = {"from": OWN_NUMBER, "to": "+13105551212", "text": "Hello", "Message": 7}
    answer = read(call(world, "POST", "/api/v1.0/messageSend?pbx=3cx", body))
    assert (answer["From"], answer["MessageType"]) == (FROM, "SMS")
    assert answer["Results"] == [{"To": "13105551212", "Status": "SUCCESS"}]
    with_media = {**body, "media_urls": ["https://example.com/a.png"]}
    assert read(call(world, "POST", "/messageSend?pbx=3cx", with_media))["MessageType"] == "MMS"
    assert call(world, "POST", "/messageSend", body).status == 400


def test_an_idempotency_key_names_the_request() -> None:
    world = world_with()
    body = {"From": FROM, "To": "13105551212", "Message": "x"}
    keyed = {"idempotency-key": "k1"}
    first = call(world, "POST", "/messageSend", body, headers=keyed)
    again = call(world, "POST", "/messageSend", body, headers=keyed)
    assert (again.status, again.body, again.headers["idempotent-replayed"]) == (200, first.body, "true")
    assert len(world.stored) == 1
    other = call(world, "POST", "/messageSend", {**body, "Message": "y"}, headers=keyed)
    assert (other.status, read(other)) == (422, failure(422, Reason.KEY_REUSED.sentence))
