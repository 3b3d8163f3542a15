"""Keeping the octets of a PDU that has not arrived whole.

However small the chunks are, each octet is copied a bounded number of times: chunks are only added up until the PDU
that began can be whole.
"""


class Remainder:
    """The octets after the last whole PDU."""

    __slots__ = ("_octets", "_wanted")

    def __init__(self) -> None:
        self._octets = bytearray()
        self._wanted = 0

    def joined(self, chunk: bytes) -> bytes:
        """What was kept and the chunk, in one piece; nothing while that cannot hold the next PDU."""
        if not self._octets:
            return chunk
        self._octets += chunk
        if len(self._octets) < self._wanted:
            return b""
        whole = bytes(self._octets)
        self._octets.clear()
        return whole

    def keep(self, octets: bytes, wanted: int) -> None:
        """Keep these until at least `wanted` octets are there."""
        self._octets += octets
        self._wanted = wanted
