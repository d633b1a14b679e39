"""Starts the plugin."""

from hector_echo_llm.plugin import EchoLLM
from hector_sdk import serve

if __name__ == "__main__":
    serve(EchoLLM())
