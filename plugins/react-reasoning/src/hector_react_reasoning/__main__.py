"""Serves the strategy."""

from hector_sdk import serve

from hector_react_reasoning.strategy import React

if __name__ == "__main__":
    serve(React())
