"""Starts the plugin."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
from hector_faiss_database.plugin import FaissDatabase

if __name__ == "__main__":
    serve(FaissDatabase())
