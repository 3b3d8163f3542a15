import stat
from pathlib import Path

import openpyxl
import pytest

from heliograph.core.contact_rows import guarded
from heliograph.services.refused import Refused
from heliograph.services.tables import writing
from heliograph.services.tables.writing import written

TABLE = [["msisdn", "note"], ["+27831234567", "=1+1"], ["x", "a\r\n\tb"], ["", "'=1"]]


def _write(path: Path) -> None:
    with written(path, guarded) as write:
        for row in TABLE:
            write(row)


def test_no_cell_of_a_text_begins_like_a_formula(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    _write(path)
    assert path.read_bytes() == ("\ufeffmsisdn,note\r\n'+27831234567,'=1+1\r\nx,\"a\r\n\tb\"\r\n,''=1\r\n".encode())
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_cells_of_a_workbook_are_texts_that_stay_texts(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    _write(path)
    sheet = openpyxl.load_workbook(path).active
    assert sheet is not None
    cells = [[(each.value, each.data_type, each.quotePrefix) for each in row] for row in sheet.iter_rows()]
    assert cells[1] == [("+27831234567", "s", True), ("=1+1", "s", True)]
    assert cells[3][1] == ("''=1", "s", False)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("name", ["a.csv", "a.xlsx"])
def test_what_stops_half_way_leaves_what_was_there(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text("before")

    def stop() -> None:
        with written(path, guarded) as write:
            write(["a"])
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_what_cannot_be_written_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Refused, match=r"ends neither in \.csv nor in \.xlsx"):
        _write(tmp_path / "a.txt")
    with pytest.raises(Refused, match="cannot be written: No such file"):
        _write(tmp_path / "none" / "a.csv")
    monkeypatch.setattr(writing, "MOST_ROWS", 3)
    with pytest.raises(Refused, match="A sheet has 3 rows"):
        _write(tmp_path / "a.xlsx")
