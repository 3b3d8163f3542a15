"""Pictures cut short and with octets that are not theirs: each is made to fit or refused, and nothing else happens."""

import asyncio
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.net.clock import SystemClock
from heliograph.services.pictures.bare import BARE
from heliograph.services.pictures.broken import BadPicture
from heliograph.services.pictures.frames import Order
from heliograph.services.pictures.near import PictureWorkers
from heliograph.services.pictures.sharing import TooMuch, is_picture, shares
from tests.unit.services.pictures.made import FORMATS, moving, photo, written

WHOLE = {kind: written(photo(64, 48), kind) for kind in FORMATS} | {"moving": moving()}
KINDS = st.sampled_from(sorted(WHOLE))
FLIPS = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.integers(1, 255)), max_size=4)
CUTS = st.one_of(st.just(1.0), st.floats(0, 1))
SIZES = st.integers(1, 3_000_000)
TYPES = st.sampled_from(["image/jpeg", "image/gif", "image/png", "image/avif", "audio/amr", "text/plain"])


def spoilt(kind: str, flips: list[tuple[float, int]], cut: float) -> tuple[bytes, str]:
    """A picture with octets changed and its end missing, and its type."""
    octets = bytearray(WHOLE[kind])
    for place, change in flips:
        octets[int(place * len(octets))] ^= change
    return bytes(octets[: int(len(octets) * cut)]), "image/gif" if kind == "moving" else kind


@pytest.fixture(scope="module")
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as one:
        yield one


@pytest.fixture(scope="module")
def workers(runner: asyncio.Runner) -> Iterator[PictureWorkers]:
    one = PictureWorkers(SystemClock())
    yield one
    runner.run(one.close())


@settings(max_examples=80)
@given(KINDS, FLIPS, CUTS, st.sampled_from([200, 1_000, 100_000]))
def test_whatever_a_picture_is_the_answer_fits(
    runner: asyncio.Runner,
    workers: PictureWorkers,
    kind: str,
    flips: list[tuple[float, int]],
    cut: float,
    most_octets: int,
) -> None:
    picture, content_type = spoilt(kind, flips, cut)
    try:
        content, made = runner.run(workers.adapt(Order(picture, content_type, most_octets, 0)))
    except BadPicture:
        return
    assert 0 < len(content) <= most_octets
    assert made in BARE


@given(KINDS, FLIPS, CUTS)
def test_what_is_bare_is_never_more_and_stays_bare(kind: str, flips: list[tuple[float, int]], cut: float) -> None:
    picture, content_type = spoilt(kind, flips, cut)
    if content_type not in BARE:
        return
    try:
        bare = BARE[content_type](picture)
    except BadPicture:
        return
    assert len(bare) <= len(picture) + 1
    assert BARE[content_type](bare) == bare


@given(st.lists(st.tuples(TYPES, SIZES), max_size=10), st.integers(0, 3_000_000))
def test_shares_are_never_more_than_there_is(files: list[tuple[str, int]], room: int) -> None:
    fixed = sum(octets for kind, octets in files if not is_picture(kind))
    if fixed + sum(is_picture(kind) for kind, _ in files) > room:
        with pytest.raises(TooMuch) as much:
            shares(files, room)
        assert much.value.octets == fixed
        return
    given_ = shares(files, room)
    assert sum(given_) <= room
    assert all(share > 0 for share in given_)
    fits = fixed + sum(octets for kind, octets in files if is_picture(kind)) <= room
    if fits and all(kind in BARE for kind, _ in files if is_picture(kind)):
        assert given_ == [octets for _, octets in files], "what fits needs no sharing"
