"""Starts the plugin."""

from hector_sdk import serve  # first: it keeps stdout for the handshake

# isort: split
from hector_shell_tools.tools import ShellTools

if __name__ == "__main__":
    serve(ShellTools())
