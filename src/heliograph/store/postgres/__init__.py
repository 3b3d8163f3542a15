"""The PostgreSQL engine: many machines may share it, and what it commits survives one of them.

`store` hands out connections for cold work, `writer` commits the hot work of a process, `days` keeps the partitions,
`promises` looks whether the server keeps what it commits, `trouble` tells its failures from ours.
"""
