"""Starts the plugin."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
from hector_react_reasoning.strategy import React

if __name__ == "__main__":
    serve(React())
