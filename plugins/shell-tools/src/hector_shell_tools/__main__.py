"""Serves the tools."""

from hector_sdk import serve
from hector_shell_tools.tools import ShellTools

if __name__ == "__main__":
    serve(ShellTools())
