"""The statements of the hot path, one module for each hop, the engines side by side."""
