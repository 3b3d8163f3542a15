"""Workbooks as other programs write them, and as nobody should."""

import zipfile
from pathlib import Path

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_RELATIONS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def workbook(path: Path, sheet: str, *, strings: str | None = None, styles: str | None = None, head: str = "") -> Path:
    """A workbook whose sheet has this between `<sheetData>` and its end. head: before the sheet's first tag."""
    relations = [("rId1", "worksheet", "worksheets/sheet1.xml")]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(
            "xl/workbook.xml",
            f'<workbook xmlns="{MAIN}" xmlns:r="{_RELATIONS}"><sheets><sheet name="Data" sheetId="1" r:id="rId1"/>'
            "</sheets></workbook>",
        )
        archive.writestr(
            "xl/worksheets/sheet1.xml", f'{head}<worksheet xmlns="{MAIN}"><sheetData>{sheet}</sheetData></worksheet>'
        )
        if strings is not None:
            relations.append(("rId2", "sharedStrings", "/xl/sharedStrings.xml"))
            archive.writestr("xl/sharedStrings.xml", f'<sst xmlns="{MAIN}">{strings}</sst>')
        if styles is not None:
            relations.append(("rId3", "styles", "styles.xml"))
            archive.writestr("xl/styles.xml", f'<styleSheet xmlns="{MAIN}">{styles}</styleSheet>')
        archive.writestr(
            "xl/_rels/workbook.xml.rels",
            "<Relationships>"
            + "".join(f'<Relationship Id="{a}" Type="{_RELATIONS}/{b}" Target="{c}"/>' for a, b, c in relations)
            + "</Relationships>",
        )
    return path
