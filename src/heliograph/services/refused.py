"""How a service says no to a person."""


class Refused(Exception):
    """What was asked cannot be done; the message is one sentence that says why, and what would work."""


class Unknown(Refused):
    """What was named is not there, or is somebody else's."""
