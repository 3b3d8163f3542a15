"""Opening the media store that the settings name."""

import asyncio
from pathlib import Path

from heliograph.store.blobs.address import address_of
from heliograph.store.blobs.blobs import Blobs
from heliograph.store.blobs.folder import FolderBlobs
from heliograph.store.engine import StoreRefused


async def open_blobs(written: str, data: Path) -> Blobs:
    """Open a media store. written: its address, "" for the folder `media` in the data folder. Raises StoreRefused."""
    address = address_of(written) if written else data / "media"
    if not isinstance(address, Path):
        try:
            # Only those who have a bucket need the library.
            from heliograph.store.blobs.bucket import BucketBlobs  # noqa: PLC0415
        except ImportError:
            raise StoreRefused("a bucket for media needs one more package: pip install 'heliograph[s3]'") from None
        return BucketBlobs(address)
    folder = FolderBlobs(address)
    try:
        await asyncio.to_thread(folder.open)
    except OSError as error:
        raise StoreRefused(f"the media folder {address} cannot be used: {error.strerror or error}") from error
    return folder
