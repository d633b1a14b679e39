"""Starts the plugin."""

from hector_openai_llm.provider import OpenAILLM
from hector_sdk import serve

if __name__ == "__main__":
    serve(OpenAILLM())
