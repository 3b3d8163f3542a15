"""All sockets: listening ones, carriers' and the guarded HTTP client."""
