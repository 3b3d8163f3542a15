from collections.abc import Sequence
from pathlib import Path

import pytest

from heliograph.services.refused import Refused
from heliograph.services.tables import delimited
from heliograph.services.tables.reading import opened


def _rows(path: Path, octets: bytes, encoding: str | None = None) -> list[Sequence[str]]:
    path.write_bytes(octets)
    rows: list[Sequence[str]] = []
    with opened(path, encoding=encoding) as table:
        rows += [list(row) for row in table.rows]
        assert table.done() == table.total == len(octets)
    return rows


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_text_is_read_however_it_is_delimited(tmp_path: Path, delimiter: str, end: str, mark: bytes) -> None:
    lines = [delimiter.join(["phone", '"a;b,c"', "né"]), "", delimiter.join(["1", '"two""\n\nlines"', ""])]
    rows = _rows(tmp_path / "a.csv", mark + end.join(lines).encode())
    assert rows == [["phone", "a;b,c", "né"], [], ["1", 'two"\n\nlines', ""]]


def test_an_empty_file_has_no_rows(tmp_path: Path) -> None:
    assert not any(_rows(tmp_path / "a.csv", b""))


def test_text_in_another_encoding_is_refused_until_it_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    for octets, encoding in (
        ("name\nMüller".encode("windows-1252"), "windows-1252"),
        ("a\nü".encode("utf-16"), "utf-16"),
    ):
        with pytest.raises(Refused, match=r"The text is not UTF-8 .* say which it is, such as --encoding windows-1252"):
            _rows(path, octets)
        assert "ü" in _rows(path, octets, encoding)[1][0]
    with pytest.raises(Refused, match="'klingon' is no encoding"):
        _rows(path, b"a", "klingon")
    with pytest.raises(Refused, match=r"The text is not ascii \(somewhere behind octet 0\)\."):
        _rows(path, "ü".encode(), "ascii")


def test_what_does_not_end_is_refused_and_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.csv"
    with pytest.raises(Refused, match="Is a quotation mark missing"):
        _rows(path, b'phone\n"' + b"a\n" * 100_000)
    monkeypatch.setattr(delimited, "LONGEST_LINE", 1_000)
    with pytest.raises(Refused, match="Line 2 has more than 1000 characters"):
        _rows(path, b"phone\n" + b"1" * 1_001)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot be read: No such file"), opened(tmp_path / "none.csv"):
        pass
