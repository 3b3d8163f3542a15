"""The media store: files by the digest of what they hold, in a folder or in a bucket."""
