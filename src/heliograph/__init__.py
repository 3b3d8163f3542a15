"""Heliograph: a self-hosted messaging exchange."""

__version__ = "0.1.0"
