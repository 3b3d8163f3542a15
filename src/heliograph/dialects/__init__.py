"""The HTTP interfaces that customers' software already speaks, each in a folder of its own.

A dialect translates and never decides: wire bytes become a `Submission`, every `Reason` gets the dialect's words.
What all of them share stands beside the folders: what a dialect is (`dialect`), finding the endpoint (`router`),
the HTTP edge (`http`), limits (`limiter`) and the document of all endpoints (`openapi`). None of these knows a
dialect by name; `server.py` holds the table.
"""
