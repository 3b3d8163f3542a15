"""Files in the media store as their rows know them, and the keys that links to them are signed with."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, delete, exists, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.store.schema import incoming_media, media, secret, submission_media


class MediaRow(NamedTuple):
    """A file."""

    digest: str
    content_type: str
    octets: int


async def find(connection: AsyncConnection, digest: str) -> MediaRow | None:
    """What a file is, None when there is none."""
    wanted = select(media.c.digest, media.c.content_type, media.c.octets).where(media.c.digest == digest)
    row = (await connection.execute(wanted)).first()
    return MediaRow(*row) if row is not None else None


async def of_submission(
    connection: AsyncConnection, account_id: int, submission_id: int
) -> list[tuple[str, str | None]]:
    """The addresses of a submission's files in their order, each with its digest once it has been fetched."""
    wanted = (
        select(submission_media.c.url, submission_media.c.digest)
        .where(submission_media.c.account_id == account_id, submission_media.c.submission_id == submission_id)
        .order_by(submission_media.c.position)
    )
    return [(row.url, row.digest) for row in await connection.execute(wanted)]


def _is_unneeded(before_ms: int) -> ColumnElement[bool]:
    """Nothing refers to it, and it has been here for longer than a message needs to refer to it."""
    used = [exists().where(table.c.digest == media.c.digest) for table in (submission_media, incoming_media)]
    return (media.c.stored_at_ms < before_ms) & ~used[0] & ~used[1]


async def unneeded(connection: AsyncConnection, digests: Sequence[str], *, before_ms: int) -> list[str]:
    """Those of some files that nothing refers to and that were kept before a time."""
    wanted = select(media.c.digest).where(media.c.digest.in_(digests), _is_unneeded(before_ms))
    return list(await connection.scalars(wanted))


async def page(connection: AsyncConnection, after: str, *, most: int) -> list[str]:
    """Up to `most` files behind one, in the order of their digests."""
    wanted = select(media.c.digest).where(media.c.digest > after).order_by(media.c.digest).limit(most)
    return list(await connection.scalars(wanted))


async def forget(connection: AsyncConnection, digest: str, *, before_ms: int) -> None:
    """Forget the row of a file, if it is still unneeded."""
    await connection.execute(delete(media).where(media.c.digest == digest, _is_unneeded(before_ms)))


async def secret_named(connection: AsyncConnection, name: str) -> str | None:
    """A key of this installation."""
    found: str | None = await connection.scalar(select(secret.c.value).where(secret.c.name == name))
    return found


async def add_secret(connection: AsyncConnection, name: str, *, value: str) -> None:
    """Keep a new key; the caller has looked, in the same transaction, that there is none."""
    await connection.execute(insert(secret).values(name=name, value=value))
