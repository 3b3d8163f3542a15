"""The one way in which a service says no to a person."""


class Refused(Exception):
    """What was asked cannot be done; the message is one sentence that says why, and what would work."""
