"""Carriers over HTTP: what is sent to one, and how its answers and calls are read, stands in a file, its recipe.

A recipe is data. It has no code and no expressions: templates with named places to fill, look-ups of single values,
and rules of which the first that fits counts. All of it is checked when the carrier is added; reading what a carrier
says is total, so that nothing it could say is an error of ours.
"""
