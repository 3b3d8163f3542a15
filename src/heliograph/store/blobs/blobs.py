"""What a media store offers, whatever it is made of.

Files are named by the SHA-256 of what they hold: the same file twice is one file, and one that is there never changes.
They are at most some megabytes, so they are handled whole.
"""

import re
from hashlib import sha256
from typing import Protocol

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Blobs(Protocol):
    """Files by digest. Every method raises StoreUnavailable when the store cannot be reached, is full or refuses."""

    async def put(self, digest: str, octets: bytes) -> None:
        """Keep a file; when this returns it outlasts a power cut. One that is there stays as it is."""
        ...

    async def get(self, digest: str) -> bytes | None:
        """A file, None when there is none."""
        ...

    async def has(self, digest: str) -> bool:
        """Whether there is such a file."""
        ...

    async def delete(self, digest: str) -> None:
        """Forget a file; one that is not there is nothing."""
        ...


def digest_of(octets: bytes) -> str:
    """The name of a file: 64 hexadecimal digits."""
    return sha256(octets).hexdigest()


def place_of(digest: str) -> str:
    """Where a file stands below the root: no folder gets more than its share.

    >>> place_of("ab" * 32)[:10]
    'ab/ab/abab'
    """
    # A digest comes from our own tables or a signed link; what is none must still never name a file.
    if not _DIGEST.fullmatch(digest):
        raise ValueError("a digest is 64 hexadecimal digits in small letters")
    return f"{digest[:2]}/{digest[2:4]}/{digest}"
