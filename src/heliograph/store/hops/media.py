"""Media: what a file is, and that those of a submission have been fetched.

The row of a file is written before the file, so that there is none in the media store that no row knows of; whoever
writes that something refers to it does so after both.
"""

import sqlite3
from typing import NamedTuple

from heliograph.core.ids import AccountId, SubmissionId
from heliograph.store.engine import Hop
from heliograph.store.hops.rows import Batched, rows


class KeepRequest(NamedTuple):
    """A file that is about to be kept. content_type: what it is if it is new."""

    digest: str
    content_type: str
    octets: int
    at_ms: int


_KEEP = Batched(
    """
insert into media(digest, content_type, octets, stored_at_ms)
select * from ({rows}) where column1 is not null
on conflict do update set stored_at_ms = max(stored_at_ms, excluded.stored_at_ms)
""",
    columns=4,
)
_TYPES = """
select m.digest, m.content_type from json_each(?) j cross join media m on m.digest = j.value
"""


def _keep(connection: sqlite3.Connection, requests: list[KeepRequest]) -> list[str]:
    """The type of each file: the first that it was kept under."""
    _KEEP.run(connection, requests)
    digests = list({request.digest for request in requests})
    types = dict(connection.execute(_TYPES, (rows(digests),)).fetchall())
    return [types[request.digest] for request in requests]


KEEP: Hop[KeepRequest, str] = Hop("keep", lambda _: 1, _keep)


class FetchedRequest(NamedTuple):
    """The files of a submission, in their order: all of them are in the media store now."""

    account_id: AccountId
    submission_id: SubmissionId
    digests: tuple[str, ...]


_FETCHED = Batched(
    """
update submission_media set digest = column4 from ({rows})
where account_id = column1 and submission_id = column2 and position = column3
""",
    columns=4,
)


def _fetched(connection: sqlite3.Connection, requests: list[FetchedRequest]) -> list[None]:
    # Of two requests about one submission the last one holds, as `update … from` takes any one row.
    last = {(request.account_id, request.submission_id): request.digests for request in requests}
    files = [(*key, position, digest) for key, digests in last.items() for position, digest in enumerate(digests)]
    _FETCHED.run(connection, files)
    return [None] * len(requests)


FETCHED: Hop[FetchedRequest, None] = Hop("fetched", lambda request: len(request.digests), _fetched)
