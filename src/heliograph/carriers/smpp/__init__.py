"""Carriers over SMPP: `driver` and `session` hold sockets; `mapping`, `status` and `profile` are pure."""
