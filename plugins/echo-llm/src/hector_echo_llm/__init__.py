"""The echo-llm plugin."""
