"""Speech on the wire: G.711 and RTP on the standard library alone, without a socket or a clock.

It imports nothing outside this folder.
"""
