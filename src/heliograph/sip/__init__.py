"""SIP signalling (RFC 3261) for telephone calls, without I/O: see README.md."""
