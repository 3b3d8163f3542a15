"""MM7 (3GPP TS 23.140): octets in, values out, without any I/O; see README.md beside this file."""
