"""Starts the plugin."""

from hector_sdk import serve

from hector_echo_llm.plugin import EchoLLM

if __name__ == "__main__":
    serve(EchoLLM())
