"""Whole lives of messages, simulated: the product's own pipeline, loops and store between carriers, customers, people
and faults that a seed decides on, under a time that leaps.

`plan` says what a simulation is about, `process` puts the product together, `carriers` and `customers` are whom it
talks to, `troubles` what happens to it, `witness` what was seen from outside, `verdict` what must be so in the end,
`run` one simulation, and `shortening` finds the shortest one that fails in the same way.
"""
