"""Starts the plugin."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
from hector_sentence_transformers_embedder.plugin import SentenceTransformersEmbedder

if __name__ == "__main__":
    serve(SentenceTransformersEmbedder())
