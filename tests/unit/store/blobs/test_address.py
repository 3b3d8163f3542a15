from pathlib import Path

import pytest

from heliograph.store.blobs.address import BucketAddress, address_of


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("/srv/media", Path("/srv/media")),
        ("media", Path.cwd() / "media"),
        ("s3://media", BucketAddress("media", "", None, None)),
        ("s3://media/a/b/", BucketAddress("media", "a/b", None, None)),
        (
            "s3://media/mms?endpoint=https://s3.example:9000&region=eu-1",
            BucketAddress("media", "mms", "https://s3.example:9000", "eu-1"),
        ),
    ],
)
def test_where_a_media_store_is(written: str, address: Path | BucketAddress) -> None:
    assert address_of(written) == address


@pytest.mark.parametrize(
    "written",
    [
        "",
        "gs://media",
        "s3://",
        "s3:///prefix",
        "s3://key:secret@media",
        "s3://media:9000",
        "s3://media?endpoint=",
        "s3://media?endpoint=s3.example",
        "s3://media?secret=x",
        "s3://media?region",
        "s3://media#x",
    ],
)
def test_what_is_no_place(written: str) -> None:
    with pytest.raises(ValueError, match=r"no place for media|query"):
        address_of(written)
