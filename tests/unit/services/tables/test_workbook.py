import tracemalloc
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path

import openpyxl
import pytest

from heliograph.services.refused import Refused
from heliograph.services.tables import workbook as module
from heliograph.services.tables.reading import opened
from heliograph.services.tables.workbook import SharedStrings
from tests.unit.services.tables.workbooks import workbook


def _rows(path: Path) -> list[Sequence[str]]:
    with opened(path) as table:
        return [list(row) for row in table.rows]


def test_a_workbook_of_another_program_is_read(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.append(["phone", "name", "born", "paid", "share"])
    first.append(["+27831234567", "Ada <&> Müller 🙂", date(1990, 2, 3), True, 0.1 + 0.2])
    first.append([27831234567, "", datetime(2026, 1, 31, 18, 30), False, 2])  # noqa: DTZ001 (a sheet has no zone)
    first.append([27831234568.0, " two\nlines ", time(7, 5), None, "=1+1"])
    book.create_sheet("Other").append(["nobody asks for this"])
    path = tmp_path / "book.xlsx"
    book.save(path)
    assert _rows(path) == [
        ["phone", "name", "born", "paid", "share"],
        ["+27831234567", "Ada <&> Müller 🙂", "1990-02-03", "TRUE", "0.3"],
        ["27831234567", "", "2026-01-31 18:30", "FALSE", "2"],
        # A formula that was never calculated has no value.
        ["27831234568", " two\nlines ", "07:05"],
    ]


def test_cells_are_found_by_their_references_and_rows_keep_their_numbers(tmp_path: Path) -> None:
    sheet = (
        '<row r="2"><c r="C2" t="inlineStr"><is><r><t>a</t></r><r><t>b</t></r><rPh sb="0"><t>x</t></rPh></is></c>'
        '<c r="A2"><v>5</v></c></row><row/><row><c t="str"><f>1</f><v>x_x0041_</v></c><c><v>6</v></c></row>'
        '<row><c t="e"><v>#N/A</v></c><c t="d"><v>2026-01-31</v></c></row>'
    )
    path = workbook(tmp_path / "book.xlsx", sheet)
    assert _rows(path) == [[], ["5", "", "ab"], [], ["xA", "6"], ["", "2026-01-31"]]


def test_dates_of_any_format_are_dates_and_other_numbers_are_not(tmp_path: Path) -> None:
    styles = (
        '<numFmts><numFmt numFmtId="170" formatCode="dd\\.mm\\.yyyy"/><numFmt numFmtId="171" '
        'formatCode="0.0&quot;days&quot;"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs>'
        '<cellXfs><xf numFmtId="0"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="14"/></cellXfs>'
    )
    cells = "".join(f'<c s="{style}"><v>{value}</v></c>' for style in range(4) for value in ("59", "61", "1e300"))
    assert _rows(workbook(tmp_path / "book.xlsx", f"<row>{cells}</row>", styles=styles))[0] == [
        each for _ in range(2) for each in ("59", "61", "1e+300", "1900-02-28", "1900-03-01", "1e+300")
    ]


def test_shared_texts_are_found_by_number(tmp_path: Path) -> None:
    strings = "<si><t>number</t></si><si/><si><r><t>a</t></r><r><t> b</t></r></si>"
    sheet = '<row><c t="s"><v>2</v></c><c t="s"><v>1</v></c><c t="s"><v>0</v></c></row>'
    assert _rows(workbook(tmp_path / "a.xlsx", sheet, strings=strings)) == [["a b", "", "number"]]
    for number in ("3", "-1", "x"):
        bad = f'<row><c t="s"><v>{number}</v></c></row>'
        with pytest.raises(Refused, match="names a text that is not there"):
            _rows(workbook(tmp_path / "b.xlsx", bad, strings=strings))


_TAG = '<c r="A1"'


@pytest.mark.parametrize(
    ("sheet", "head", "why"),
    [
        ('<row r="1048577"/>', "", "more than 1048576 rows"),
        ('<row r="99999999999999999999"/>', "", "more than 1048576 rows"),
        ('<row><c r="XFD1"><v>1</v></c></row>', "", "more than 1000 columns"),
        ("<row>" + "<c/>" * 1001 + "</row>", "", "more than 1000 columns"),
        ('<row><c r="$1"/></row>', "", "more than 1000 columns"),
        ("<a>" * 40, "", "nested deeper"),
        ("<row><c><v>" + "1" * 40_000 + "</v></c></row>", "", "more than 32767 characters"),
        (f"<row>{_TAG} x='{'y' * 3_000_000}'/></row>", "", "does not end"),
        ("<row>&lol;</row>", '<!DOCTYPE a [<!ENTITY lol "lol">]>', "declares a document type"),
        ("<row>", "", "damaged"),
        ("<row>\x01</row>", "", "damaged"),
    ],
)
def test_what_no_spreadsheet_writes_is_refused(tmp_path: Path, sheet: str, head: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        _rows(workbook(tmp_path / "book.xlsx", sheet, head=head))


def test_a_sheet_that_says_it_ends_in_the_last_corner_costs_no_memory(tmp_path: Path) -> None:
    path = workbook(tmp_path / "book.xlsx", '<row><c><v>1</v></c></row><row r="1048576"><c r="B1"><v>2</v></c></row>')
    tracemalloc.start()
    with opened(path) as table:
        count = sum(1 for _ in table.rows)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 1_048_576
    assert peak < 32 << 20


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("worksheets/sheet1.xml", "MOST_SHEET_OCTETS"),
        ("sharedStrings.xml", "MOST_STRING_OCTETS"),
        ("styles.xml", "MOST_OTHER_OCTETS"),
    ],
)
def test_files_that_unpack_to_more_than_is_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, most: str
) -> None:
    path = workbook(tmp_path / "book.xlsx", " " * (3 << 20), strings=" " * (3 << 20), styles=" " * (3 << 20))
    assert path.stat().st_size < 100_000
    monkeypatch.setattr(module, most, 2 << 20)
    with pytest.raises(Refused, match=f"{name} of the workbook has more than 2 MiB"):
        _rows(path)


def test_shared_texts_have_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_STRINGS", 2)
    strings = SharedStrings()
    strings.append("a")
    strings.append("b")
    assert (strings[0], strings[1]) == ("a", "b")
    with pytest.raises(Refused, match="more than 2 texts"):
        strings.append("c")


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.xlsx"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(Refused, match="no workbook that can be read"):
        _rows(path)
    whole = workbook(tmp_path / "b.xlsx", "<row/>").read_bytes()
    path.write_bytes(whole[:-30])
    with pytest.raises(Refused, match="damaged"):
        _rows(path)
    path.write_bytes(b"\xd0\xcf\x11\xe0rest")
    with pytest.raises(Refused, match="workbook of the old kind"):
        _rows(path)
