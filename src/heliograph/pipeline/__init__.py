"""The hops: accept, submit, receive, notify. Decides with `core`, keeps in `store`, reaches out through ports."""
