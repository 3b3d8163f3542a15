"""The other end, made of our own protocol machines: what the demo, people and the tests send to.

A product of its own: `heliograph message-centre` runs it alone. What happens to a message is in `core.fates`.
"""
