"""Pictures made to fit a carrier, looked at by no process that holds anything worth having.

`adapting.py` makes one picture fit: `opening.py` reads it, `fitting.py` looks for the size and the quality, `bare/`
takes out what a picture says beside itself without touching it. `worker.py` does that in a process of its own, which
`near.py` starts, watches and ends; `frames.py` is what the two say to each other; `cache.py` keeps what came of it.
Only the worker imports the imaging library.
"""
