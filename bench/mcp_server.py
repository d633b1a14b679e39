"""A server of the Model Context Protocol's own SDK with one tool, which tells its process."""

import os

from mcp.server import MCPServer

server = MCPServer("bench")


@server.tool()
def pid() -> int:
    """The server's process."""
    return os.getpid()


if __name__ == "__main__":
    server.run()
