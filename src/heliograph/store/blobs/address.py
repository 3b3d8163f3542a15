"""Where a media store is: the path of a folder, or `s3://BUCKET/PREFIX?endpoint=URL&region=NAME`."""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

_KNOWN = frozenset({"endpoint", "region"})


class BucketAddress(NamedTuple):
    """An S3 bucket. prefix: "" or the folder in it. endpoint: of a service that is not Amazon's."""

    bucket: str
    prefix: str
    endpoint: str | None
    region: str | None


def address_of(written: str) -> Path | BucketAddress:
    """Read an address; raises ValueError.

    >>> address_of("s3://media/mms?endpoint=http://127.0.0.1:9000")
    BucketAddress(bucket='media', prefix='mms', endpoint='http://127.0.0.1:9000', region=None)
    """
    if "://" not in written:
        if not written:
            raise ValueError("no place for media")
        return Path(written).expanduser().absolute()
    address = urlsplit(written)
    options = dict(parse_qsl(address.query, keep_blank_values=True, strict_parsing=bool(address.query)))
    endpoint = options.get("endpoint")
    is_good = (
        address.scheme == "s3"
        and bool(address.netloc)
        and not {"@", ":"} & set(address.netloc)
        and not address.fragment
        and options.keys() <= _KNOWN
        and all(options.values())
        and (endpoint is None or endpoint.startswith(("http://", "https://")))
    )
    if not is_good:
        raise ValueError(f"no place for media: {written}")
    return BucketAddress(address.netloc, address.path.strip("/"), endpoint, options.get("region"))
