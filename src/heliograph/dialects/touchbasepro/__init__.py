"""TouchBasePro's SMS API, both generations. What is served and what we chose stands in README.md."""

NAME = "touchbasepro"
"""The dialect's name in the store and on the command line."""
