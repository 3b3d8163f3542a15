import hashlib

import pytest

from heliograph.sip.digest import (
    Challenge,
    Credentials,
    Proofs,
    Use,
    is_proved,
    read_challenge,
    read_pairs,
    response_of,
    write_answer,
    write_challenge,
)
from heliograph.sip.headers import Headers
from heliograph.sip.messages import Request, Response

MUFASA = Credentials("Mufasa", "Circle of Life")
BOB = Credentials("bob", "secret")


def challenged(*values: str, status: int = 401) -> Response:
    name = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    headers: Headers = tuple((name, value) for value in values)
    return Response(status=status, phrase="", headers=headers)


def proofs(credentials: Credentials | None = BOB) -> Proofs:
    return Proofs(credentials, lambda: "fixed")


@pytest.mark.parametrize(
    ("algorithm", "proof"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_examples_of_the_standard(algorithm: str, proof: str) -> None:
    """RFC 7616 3.9.1."""
    challenge = Challenge(
        realm="http-auth@example.org",
        nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
        algorithm=algorithm,
        qop="auth",
    )
    use = Use("GET", "/dir/index.html", b"", 1, "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")
    assert response_of(challenge, MUFASA, use) == proof


def test_the_example_of_servers_without_qop() -> None:
    """RFC 2069's form, the values of RFC 2617 3.5."""
    challenge = Challenge(realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093")
    use = Use("GET", "/dir/index.html", b"", 1, "")
    assert response_of(challenge, Credentials("Mufasa", "Circle Of Life"), use) == "670fd8c2df070c60b045671b8b24ff02"


def test_a_challenge_is_read_and_written() -> None:
    challenge = read_challenge(
        'Digest realm="a, \\"b\\"",nonce="n", opaque="", qop="auth-int , auth", stale=TRUE, algorithm=sha-256-sess'
    )
    assert challenge == Challenge('a, "b"', "n", "", "SHA-256", is_session=True, qop="auth", is_stale=True)
    assert read_challenge(write_challenge(challenge)) == challenge


@pytest.mark.parametrize(
    "text",
    ["", "Basic realm=x", 'Digest realm="x"', 'Digest nonce="n", algorithm=AKAv1-MD5', 'Digest nonce="n", qop="magic"'],
)
def test_challenges_that_we_cannot_meet(text: str) -> None:
    assert read_challenge(text) is None


def test_fields_without_quotes() -> None:
    assert read_pairs("Digest a=1 ,B = x") == ("digest", {"a": "1", "b": "x"})


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256", "SHA-512-256"])
@pytest.mark.parametrize("qop", ["", "auth", "auth-int"])
@pytest.mark.parametrize("is_session", [False, True])
def test_what_one_end_proves_the_other_believes(algorithm: str, qop: str, is_session: bool) -> None:
    if algorithm == "SHA-512-256" and "sha512_256" not in hashlib.algorithms_available:
        pytest.skip("this Python's OpenSSL does not know SHA-512/256")
    challenge = Challenge('r"', "nonce", "o", algorithm, is_session, qop)
    use = Use("INVITE", "sip:x", b"body", 1, "c")
    headers = (("Authorization", write_answer(challenge, BOB, use)),)
    request = Request(method="INVITE", uri="sip:x", headers=headers, body=b"body")
    assert is_proved(request, challenge, BOB)
    assert not is_proved(request, challenge, Credentials("bob", "wrong"))
    assert not is_proved(request, challenge, Credentials("ann", "secret"))
    assert not is_proved(request, challenge._replace(nonce="other"), BOB)
    other = Request(method="BYE", uri="sip:x", headers=headers, body=b"body")
    assert not is_proved(other, challenge, BOB)
    altered = Request(method="INVITE", uri="sip:x", headers=headers, body=b"else")
    assert is_proved(altered, challenge, BOB) == (qop != "auth-int")


def test_nothing_is_believed_that_is_no_proof() -> None:
    for headers in (
        (),
        (("Authorization", "Basic x"),),
        (("Authorization", 'Digest nonce="n", username="bob", nc=zz'),),
    ):
        request = Request(method="INVITE", uri="sip:x", headers=headers)
        assert not is_proved(request, Challenge("r", "n"), BOB)


def test_without_credentials_nothing_is_proved() -> None:
    nobody = proofs(None)
    assert not nobody.challenged(challenged('Digest realm="r", nonce="n"'))
    assert nobody.headers("INVITE", "sip:x") == ()


def test_a_nonce_is_counted_up_with_each_use() -> None:
    mine = proofs()
    assert mine.challenged(challenged('Digest realm="r", nonce="n", qop="auth"'))
    counts = [read_pairs(mine.headers("INVITE", "sip:x")[0][1])[1]["nc"] for _ in range(3)]
    assert counts == ["00000001", "00000002", "00000003"]
    mine.fresh()
    assert mine.challenged(challenged('Digest realm="r", nonce="m", qop="auth"'))
    assert read_pairs(mine.headers("BYE", "sip:x")[0][1])[1]["nc"] == "00000001"


def test_a_second_challenge_is_a_no_unless_the_nonce_was_stale() -> None:
    mine = proofs()
    assert mine.challenged(challenged('Digest realm="r", nonce="n"'))
    assert mine.challenged(challenged('Digest realm="r", nonce="m", stale=true'))
    assert read_pairs(mine.headers("INVITE", "sip:x")[0][1])[1]["nonce"] == "m"
    assert not mine.challenged(challenged('Digest realm="r", nonce="o"'))


def test_a_server_that_calls_every_nonce_stale_is_given_up() -> None:
    mine = proofs()
    stale = challenged('Digest realm="r", nonce="n", stale=true')
    assert [mine.challenged(stale) for _ in range(6)] == [True, True, True, True, False, False]


def test_a_proxy_and_the_other_end_are_both_satisfied() -> None:
    mine = proofs()
    assert mine.challenged(challenged('Digest realm="proxy", nonce="p"', status=407))
    assert mine.challenged(challenged('Digest realm="end", nonce="e"'))
    assert [name for name, _ in mine.headers("INVITE", "sip:x")] == ["Proxy-Authorization", "Authorization"]


def test_the_first_algorithm_that_we_know_is_taken() -> None:
    """RFC 8760 2.4: the server lists what it likes best first; all in one header or in several."""
    one = 'Digest realm="r", algorithm=NEW-1, nonce="a", Digest realm="r", algorithm=SHA-256, nonce="b"'
    for values in (
        (one,),
        ('Digest realm="r", algorithm=SHA-256, nonce="b"', 'Digest realm="r", algorithm=MD5, nonce="c"'),
    ):
        mine = proofs()
        assert mine.challenged(challenged(*values))
        ((_, value),) = mine.headers("INVITE", "sip:x")
        assert read_pairs(value)[1]["algorithm"] == "SHA-256"


def test_another_answer_is_no_challenge() -> None:
    assert not proofs().challenged(Response(status=403, phrase="", headers=()))
    assert not proofs().challenged(challenged("Basic realm=x"))
