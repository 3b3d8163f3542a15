"""BulkVS's REST API, version 1.0. What is served and what we chose stands in README.md."""

NAME = "bulkvs"
"""The dialect's name in the store and on the command line."""
