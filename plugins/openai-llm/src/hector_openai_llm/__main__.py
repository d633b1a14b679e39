"""Starts the plugin."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
from hector_openai_llm.provider import OpenAILLM

if __name__ == "__main__":
    serve(OpenAILLM())
