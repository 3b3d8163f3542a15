"""TouchBasePro's SMS API, both generations. What is served and what we chose stands in README.md."""

from collections.abc import Mapping

NAME = "touchbasepro"
"""The dialect's name in the store and on the command line."""

ACCOUNT_SETTINGS: Mapping[str, tuple[object, ...]] = {"message_id_in_events": (True, False)}
"""What can be set of an account: whether webhooks are told our id of a message that came with none of the caller's."""
