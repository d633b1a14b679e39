"""Starts the plugin."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
from hector_hashing_embedder.plugin import HashingEmbedder

if __name__ == "__main__":
    serve(HashingEmbedder())
