"""Media: what a file is, and that those of a submission have been fetched.

The row of a file is written before the file, so that there is none in the media store that no row knows of; whoever
writes that something refers to it does so after both.
"""

from typing import NamedTuple

from heliograph.core.ids import AccountId, SubmissionId
from heliograph.store.hop import Hop
from heliograph.store.hops.statements import Script, Statement


class KeepRequest(NamedTuple):
    """A file that is about to be kept. content_type: what it is if it is new."""

    digest: str
    content_type: str
    octets: int
    at_ms: int


_KEEP = Statement(
    """
insert into media(digest, content_type, octets, stored_at_ms)
select * from ({rows}) j where column1 is not null
on conflict (digest) do update set stored_at_ms = excluded.stored_at_ms
  where excluded.stored_at_ms > media.stored_at_ms
""",
    columns="text text bigint bigint",
)
_TYPES = Statement(
    """
from ({rows}) j cross join media m where m.digest = j.column1
""",
    reads="m.digest, m.content_type",
    answer=tuple[str, str],
    columns="text",
)


def _keep(requests: list[KeepRequest]) -> Script[list[str]]:
    """The type of each file: the first that it was kept under."""
    # PostgreSQL does not write a row twice in one statement.
    last: dict[str, KeepRequest] = {}
    for request in requests:
        before = last.setdefault(request.digest, request)
        if request.at_ms > before.at_ms:
            last[request.digest] = before._replace(at_ms=request.at_ms)
    yield _KEEP.about(sorted(last.values()))
    types = dict((yield _TYPES.about([(digest,) for digest in last])))
    return [types[request.digest] for request in requests]


KEEP: Hop[KeepRequest, str] = Hop("keep", lambda _: 1, _keep)


class FetchedRequest(NamedTuple):
    """The files of a submission, in their order: all of them are in the media store now."""

    account_id: AccountId
    submission_id: SubmissionId
    digests: tuple[str, ...]


_FETCHED = Statement(
    """
update submission_media set digest = j.column4 from ({rows}) j
where account_id = j.column1 and submission_id = j.column2 and position = j.column3
""",
    columns="int bigint int text",
)


def _fetched(requests: list[FetchedRequest]) -> Script[list[None]]:
    # Of two requests about one submission the last one holds, as `update … from` takes any one row.
    last = {(request.account_id, request.submission_id): request.digests for request in requests}
    files = [(*key, position, digest) for key, digests in last.items() for position, digest in enumerate(digests)]
    yield _FETCHED.about(files)
    return [None] * len(requests)


FETCHED: Hop[FetchedRequest, None] = Hop("fetched", lambda request: len(request.digests), _fetched)
