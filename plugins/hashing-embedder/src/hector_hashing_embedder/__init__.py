"""The hashing-embedder plugin."""
