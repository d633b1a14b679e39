"""Serves the embedder as a plugin process."""

from hector_sdk import serve
from hector_sentence_transformers_embedder.plugin import SentenceTransformersEmbedder

serve(SentenceTransformersEmbedder(), description="Embeddings by any sentence-transformers model.")
