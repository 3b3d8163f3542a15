"""What this package raises about a peer."""


class NotReadable(ValueError):
    """The octets are not what the standard describes, or too many; the text says why, without them."""
