"""The writer in a process of its own, so that it and the event loop do not wait for each other's interpreter lock.

`near` is a `Writer` on the event loop; `far` reads batches from the socket that is its standard input, commits each,
and writes back what came of it. While the far end commits one batch the next waits in the socket, and what comes after
gathers at the near end. The far end ends when the near end does, and drops what it has not begun: nobody was told of
it. Until then it holds the server's lock, which it inherits, so that no other server begins before its last commit.

A batch crosses as the names of hops and their packed requests. Back come the number of commits so far, lines for the
log, and a pair for each request: what failed or None, and the packed result or the error's text.
"""
