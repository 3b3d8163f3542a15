import pytest

from heliograph.sip.headers import Headers
from heliograph.sip.messages import Response
from heliograph.sip.reasons import cause_of, reason_headers, retry_after_of, text_of, write_reason


def response(*headers: tuple[str, str]) -> Response:
    made: Headers = headers
    return Response(status=480, phrase="", headers=made)


@pytest.mark.parametrize(
    ("value", "cause"),
    [
        ('Q.850;cause=17;text="User busy"', 17),
        ("q.850 ; cause=127", 127),
        ('SIP;cause=600;text="x, Q.850;cause=1", Q.850;cause=21', 21),
        ("SIP;cause=600", None),
        ("Q.850", None),
        ("Q.850;cause=0", None),
        ("Q.850;cause=128", None),
        ("Q.850;cause=x", None),
        ("", None),
    ],
)
def test_causes(value: str, cause: int | None) -> None:
    assert cause_of(response(("Reason", value))) == cause


def test_words() -> None:
    assert text_of(response(("Reason", 'SIP;cause=1, Q.850;cause=2;text="on holiday"'))) == "on holiday"
    assert text_of(response()) == ""


def test_what_is_written_is_read() -> None:
    assert cause_of(response(("Reason", write_reason(31, 'say "bye"')))) == 31
    assert reason_headers(16) == (("Reason", "Q.850;cause=16"),)
    assert reason_headers(None) == ()


def test_when_to_try_again() -> None:
    assert retry_after_of(response(("Retry-After", "120 (in a meeting)"))) == 120
    assert retry_after_of(response(("Retry-After", "99999999"))) == 604_800
    assert retry_after_of(response()) is None
