"""Serves the strategy."""

from hector_react_reasoning.strategy import React
from hector_sdk import serve

if __name__ == "__main__":
    serve(React())
