"""Starts the plugin."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
from hector_echo_llm.plugin import EchoLLM

if __name__ == "__main__":
    serve(EchoLLM())
