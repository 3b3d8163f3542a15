"""Files of messages: rows that come with a submission, are filled in when a file is there, and come with a claim."""

from heliograph.core.messages import Media
from heliograph.store.hops.accept import ACCEPT, NotEnough
from heliograph.store.hops.claim import CLAIM, Claimed, ClaimRequest
from heliograph.store.hops.media import FETCHED, KEEP, FetchedRequest, KeepRequest
from heliograph.testing.stores import GRANT, FreshStore
from tests.conformance.steps import OWNER, RECIPIENT, Steps

A, B = "aa" * 32, "bb" * 32
URLS = ("http://cdn.example/a", "http://cdn.example/b")


def keep(engine: FreshStore, digest: str, content_type: str = "image/gif", *, at_ms: int = 1, octets: int = 7) -> str:
    return engine.do(KEEP, KeepRequest(digest, content_type, octets, at_ms))


def claimed(engine: FreshStore, steps: Steps) -> list[Claimed]:
    return engine.do(CLAIM, ClaimRequest(OWNER, steps.now_ms, 10)).messages


def test_files_are_stored_with_their_submission(engine: FreshStore, steps: Steps) -> None:
    request = steps.request([RECIPIENT, RECIPIENT], media=URLS)
    plain = steps.request([RECIPIENT])
    poor = steps.request([RECIPIENT], media=URLS, price=2 * GRANT)
    nobody = steps.request([], media=URLS)
    results = engine.together(ACCEPT, [request, plain, poor, nobody])
    assert isinstance(results[2], NotEnough)
    assert engine.rows("select account_id, submission_id, position, url, digest from submission_media") == [
        (engine.account_id, request.bodies[0].submission_id, position, url, None) for position, url in enumerate(URLS)
    ]


def test_a_claim_brings_what_is_known_of_the_files(engine: FreshStore, steps: Steps) -> None:
    first, second, plain = (steps.request([RECIPIENT], waits=True, media=media) for media in (URLS, URLS[:1], ()))
    engine.together(ACCEPT, [first, second, plain])
    for digest in (A, B):
        keep(engine, digest)
    engine.do(FETCHED, FetchedRequest(engine.account_id, first.bodies[0].submission_id, (A, B)))
    assert {each.submission_id: each.media for each in claimed(engine, steps)} == {
        first.bodies[0].submission_id: (Media(URLS[0], A, "image/gif", 7), Media(URLS[1], B, "image/gif", 7)),
        second.bodies[0].submission_id: (Media(URLS[0]),),
        plain.bodies[0].submission_id: (),
    }


def test_a_file_whose_row_is_gone_counts_as_not_fetched(engine: FreshStore, steps: Steps) -> None:
    request = steps.request([RECIPIENT], waits=True, media=URLS[:1])
    engine.do(ACCEPT, request)
    engine.do(FETCHED, FetchedRequest(engine.account_id, request.bodies[0].submission_id, (A,)))
    (message,) = claimed(engine, steps)
    assert message.media == (Media(URLS[0]),)


def test_fetched_twice_is_fetched_once(engine: FreshStore, steps: Steps) -> None:
    request, other = steps.request([RECIPIENT], media=URLS), steps.request([RECIPIENT], media=URLS)
    engine.together(ACCEPT, [request, other])
    done = FetchedRequest(engine.account_id, request.bodies[0].submission_id, (A, B))
    nobodys = FetchedRequest(engine.account_id, done.submission_id + 10_000_000, (A,))  # type: ignore[arg-type]
    assert engine.together(FETCHED, [done, done, nobodys, done._replace(digests=(B, A)), done]) == [None] * 5
    assert engine.rows("select submission_id, digest from submission_media order by submission_id, position") == [
        (request.bodies[0].submission_id, A),
        (request.bodies[0].submission_id, B),
        (other.bodies[0].submission_id, None),
        (other.bodies[0].submission_id, None),
    ]


def test_the_first_type_of_a_file_stays_and_its_last_time_counts(engine: FreshStore) -> None:
    assert keep(engine, A, "video/3gpp", at_ms=5) == "video/3gpp"
    assert keep(engine, A, "audio/3gpp", at_ms=9) == "video/3gpp"
    assert keep(engine, A, "audio/3gpp", at_ms=7) == "video/3gpp"
    together = engine.together(KEEP, [KeepRequest(B, kind, 1, 2) for kind in ("text/plain", "text/vcard")])
    assert together == ["text/plain"] * 2
    assert engine.rows("select content_type, stored_at_ms from media order by digest") == [
        ("video/3gpp", 9),
        ("text/plain", 2),
    ]
