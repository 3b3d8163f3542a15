"""Calling customers' webhooks: one call, signed and guarded. When and whether is decided in the pipeline."""
