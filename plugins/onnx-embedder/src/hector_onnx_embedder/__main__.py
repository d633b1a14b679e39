"""Starts the plugin."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
from hector_onnx_embedder.plugin import OnnxEmbedder

if __name__ == "__main__":
    serve(OnnxEmbedder())
