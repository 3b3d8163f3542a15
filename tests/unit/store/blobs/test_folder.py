import asyncio
import os
import stat
from pathlib import Path

import pytest

from heliograph.store.blobs.blobs import digest_of
from heliograph.store.blobs.folder import FolderBlobs
from heliograph.store.blobs.opening import open_blobs
from heliograph.store.engine import StoreRefused, StoreUnavailable

DIGEST = digest_of(b"a file")


def opened(folder: Path) -> FolderBlobs:
    blobs = FolderBlobs(folder)
    blobs.open()
    return blobs


def test_a_file_stands_under_its_digest_and_is_nobody_elses_business(tmp_path: Path) -> None:
    asyncio.run(opened(tmp_path / "media").put(DIGEST, b"a file"))
    path = tmp_path / "media" / DIGEST[:2] / DIGEST[2:4] / DIGEST
    assert path.read_bytes() == b"a file"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert list((tmp_path / "media" / "new").iterdir()) == []


def test_the_octets_are_synced_before_they_are_named_and_the_name_before_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    blobs = opened(tmp_path)
    done: list[str] = []
    sync, name = os.fsync, os.replace

    def noted_sync(number: int) -> None:
        done.append("folder" if stat.S_ISDIR(os.fstat(number).st_mode) else "file")
        sync(number)

    def noted_name(source: str, target: Path) -> None:
        done.append("name")
        name(source, target)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(os, "replace", noted_name)
    asyncio.run(blobs.put(DIGEST, b"a file"))
    # The folder of the file, and the two whose content changed as folders were made.
    assert done == ["file", "name", "folder", "folder", "folder"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_cannot_be_written_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    blobs = opened(tmp_path)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(StoreUnavailable, match="the media folder: No space left on device"):
        asyncio.run(blobs.put(DIGEST, b"a file"))
    monkeypatch.undo()
    assert list((tmp_path / "new").iterdir()) == []
    assert asyncio.run(blobs.get(DIGEST)) is None
    asyncio.run(blobs.put(DIGEST, b"a file"))
    assert asyncio.run(blobs.get(DIGEST)) == b"a file"


def test_what_a_crash_left_half_written_is_removed(tmp_path: Path) -> None:
    opened(tmp_path)
    (tmp_path / "new" / "tmpabc").write_bytes(b"a fi")
    blobs = opened(tmp_path)
    assert list((tmp_path / "new").iterdir()) == []
    assert not asyncio.run(blobs.has(DIGEST))


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "media").write_bytes(b"")
    with pytest.raises(StoreRefused, match="cannot be used"):
        asyncio.run(open_blobs("", tmp_path))
