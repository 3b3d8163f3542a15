"""Drivers: each speaks one carrier's protocol and reports in the pipeline's words.

A driver never decides what follows from an answer. It is made with its carrier, its feed and a clock, and runs until it
is cancelled.
"""
