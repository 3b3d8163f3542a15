"""Adapted pictures on disk: found again, or made again."""

import os
from pathlib import Path

import pytest

from heliograph.services.pictures.cache import KEPT_S, UNNAMED_KEPT_S, PictureCache, Wish
from tests.unit.services.conftest import StillClock

WISH = Wish("ab" * 32, 1000, 0, 1)
GIF = "image/gif"


def test_a_picture_is_found_by_all_that_was_asked_for(tmp_path: Path, clock: StillClock) -> None:
    cache = PictureCache(tmp_path / "adapted", clock)
    assert cache.find(WISH) is None
    cache.keep(WISH, b"small\nenough", GIF)
    assert cache.find(WISH) == (b"small\nenough", GIF)
    assert PictureCache(tmp_path / "adapted", clock).find(WISH) == (b"small\nenough", GIF)
    others = (WISH._replace(digest="cd" * 32), WISH._replace(most_octets=10), WISH._replace(most_side=10))
    assert [cache.find(other) for other in (*others, WISH._replace(version=2))] == [None] * 4
    assert (tmp_path / "adapted").stat().st_mode & 0o777 == 0o700


def test_a_file_that_is_not_as_it_was_written_is_none(tmp_path: Path, clock: StillClock) -> None:
    cache = PictureCache(tmp_path, clock)
    cache.keep(WISH, b"small", GIF)
    path = tmp_path / WISH.name
    whole = path.read_bytes()
    for broken in (b"", whole[:-1], bytes(len(whole)), whole[:-1] + b"x"):
        path.write_bytes(broken)
        assert cache.find(WISH) is None
    cache.keep(WISH, b"small", GIF)
    assert cache.find(WISH) == (b"small", GIF)


def test_what_was_not_used_for_a_day_is_removed(tmp_path: Path, clock: StillClock) -> None:
    cache = PictureCache(tmp_path, clock)
    used, unused = WISH, WISH._replace(most_octets=2)
    cache.keep(used, b"used", GIF)
    cache.keep(unused, b"unused", GIF)
    clock.at_ms += (KEPT_S - 10) * 1000
    assert cache.find(used)
    clock.at_ms += 20_000
    cache.tidy()
    assert cache.find(used)
    assert cache.find(unused) is None


def test_what_a_crash_left_half_written_is_removed_when_nobody_writes_it(tmp_path: Path, clock: StillClock) -> None:
    cache = PictureCache(tmp_path, clock)
    left = tmp_path / "new-abc"
    left.write_bytes(b"half")
    os.utime(left, (clock.at_ms / 1000, clock.at_ms / 1000))
    cache.tidy()
    assert left.exists(), "another process may be writing it"
    clock.at_ms += (UNNAMED_KEPT_S + 1) * 1000
    cache.tidy()
    assert not left.exists()


def test_the_folder_holds_so_much_and_no_more(tmp_path: Path, clock: StillClock) -> None:
    cache = PictureCache(tmp_path, clock, most_octets=10_000)
    wishes = [WISH._replace(most_octets=place) for place in range(50)]
    for wish in wishes:
        clock.at_ms += 1000
        cache.keep(wish, bytes(900), GIF)
        assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 12_000
    assert cache.find(wishes[-1])
    assert cache.find(wishes[0]) is None


def test_a_disk_in_trouble_costs_time_only(tmp_path: Path, clock: StillClock, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = PictureCache(tmp_path / "file" / "adapted", clock)
    cache.keep(WISH, b"small", GIF)
    assert "could not be kept" in caplog.text
    assert cache.find(WISH) is None
    cache.tidy()
