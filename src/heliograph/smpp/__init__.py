"""SMPP 3.4: PDUs, receipts and a session machine without I/O, on the standard library alone; see the README beside."""
