"""Decisions: pure functions over frozen values.

Nothing here waits, reads a clock, draws a random number, logs or touches the world: time is an argument,
in milliseconds since 1970-01-01 UTC unless a name says otherwise. Money is counted in micro-credits.
"""
