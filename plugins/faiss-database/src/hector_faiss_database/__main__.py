"""Starts the plugin, or does what `by_hand` is told."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
import sys

from hector_faiss_database.plugin import FaissDatabase

if __name__ == "__main__":
    if sys.argv[1:] and not sys.argv[1].startswith("-"):
        from hector_faiss_database import by_hand

        sys.exit(by_hand.main(sys.argv[1:]))
    serve(FaissDatabase())
