"""Tables in files: read and written row by row, so that a file of any size needs the same little memory.

`reading.py` finds out what a file is; `delimited.py` is text with commas, semicolons, tabs or bars, `workbook.py` and
`sheet.py` read a spreadsheet, `writing.py` writes both. Nothing here knows what a row means.
"""
