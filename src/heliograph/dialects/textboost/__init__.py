"""TextBoost's API, which is that of every install of Ultimate SMS. What is served and what we chose: README.md."""

from collections.abc import Mapping

NAME = "textboost"
"""The dialect's name in the store and on the command line."""

ACCOUNT_SETTINGS: Mapping[str, tuple[object, ...]] = {"errors": ("faithful", "strict")}
"""What can be set of an account: HTTP statuses of errors as the product has them, or as HTTP has."""
