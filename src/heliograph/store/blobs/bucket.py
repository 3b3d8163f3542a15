"""A media store in an S3-compatible bucket, for several machines.

Needs the extra `heliograph[s3]`. The keys of the bucket come from where they always come from: AWS_ACCESS_KEY_ID and
AWS_SECRET_ACCESS_KEY, or the machine's own role.
"""

from collections.abc import Awaitable
from datetime import timedelta
from typing import TypeVar

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from heliograph.store.blobs.address import BucketAddress
from heliograph.store.blobs.blobs import place_of
from heliograph.store.engine import StoreUnavailable

T = TypeVar("T")

CONNECT_S = 5
CALL_S = 30
RETRIES = 2
RETRY_S = 10


class BucketBlobs:
    """Implements `blobs.Blobs`."""

    def __init__(self, address: BucketAddress) -> None:
        self._store = S3Store(
            address.bucket,
            prefix=address.prefix or None,
            endpoint=address.endpoint,
            region=address.region,
            client_options={
                "allow_http": (address.endpoint or "").startswith("http://"),
                "connect_timeout": timedelta(seconds=CONNECT_S),
                "timeout": timedelta(seconds=CALL_S),
            },
            retry_config={"max_retries": RETRIES, "retry_timeout": timedelta(seconds=RETRY_S)},
        )

    async def put(self, digest: str, octets: bytes) -> None:
        """Upload; the same file again changes nothing."""
        try:
            await _told(obstore.put_async(self._store, place_of(digest), octets, use_multipart=False))
        except FileNotFoundError as error:
            raise StoreUnavailable("there is no such bucket for media") from error

    async def get(self, digest: str) -> bytes | None:
        """Download."""
        try:
            found = await _told(obstore.get_async(self._store, place_of(digest)))
            return bytes(await _told(found.bytes_async()))
        except FileNotFoundError:
            return None

    async def has(self, digest: str) -> bool:
        """Ask for its head."""
        try:
            await _told(obstore.head_async(self._store, place_of(digest)))
        except FileNotFoundError:
            return False
        return True

    async def delete(self, digest: str) -> None:
        """Delete; S3 has no objection when there is none."""
        try:
            await _told(obstore.delete_async(self._store, place_of(digest)))
        except FileNotFoundError:
            return


async def _told(work: Awaitable[T]) -> T:
    """Do something with the bucket. Raises FileNotFoundError, or StoreUnavailable for all other trouble."""
    try:
        return await work
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise StoreUnavailable(f"the media bucket: {type(error).__name__}") from error
