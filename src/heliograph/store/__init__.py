"""The only SQL. One durable store behind everything else."""
