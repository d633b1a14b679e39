"""The tools themselves: what each is called, takes and may do."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from hector_sdk import Failure, Tools, tool
from hector_shell_tools import allowlist, files, listing, options
from hector_shell_tools.command import End, environment, execute
from hector_shell_tools.options import Options
from hector_shell_tools.words import printable, size
from hector_shell_tools.workspace import Workspace

if TYPE_CHECKING:
    from hector.plugin.v1.tool_pb2 import ListToolsRequest, ListToolsResponse
    from hector_shell_tools.command import Result
    from hector_shell_tools.options import Limits

_TAIL = 800
"""Characters of output that a failure shows, its end, where programs say why: hosts keep 1000 of an error."""


class ShellTools(Tools[Options]):
    """Commands and files of one working directory. Every path is relative to it."""

    async def start(self) -> None:
        """Raises InvalidOptions: a limit, a command or the directory cannot be."""
        self._limits = options.limits(self.options)
        self._allowed = allowlist.allowed(self.options.allowed_commands)
        self._workspace = Workspace(options.directory(self.options, self.data_dir))
        self._environ = environment(os.environ)

    async def list_tools(self, request: ListToolsRequest) -> ListToolsResponse:
        """All of them, but `run` only where a command is allowed, and then with what is."""
        response = await super().list_tools(request)
        kept = [each for each in response.tools if each.name != "run" or self._allowed]
        for each in kept:
            if each.name == "run":
                each.description += f" Allowed: {', '.join(map(shlex.join, self._allowed))}."
        del response.tools[:]
        response.tools.extend(kept)
        return response

    @tool(title="Run a command", keeps_receipts=True)
    async def run(self, command: str, directory: str = ".") -> str:
        """Runs one command and returns what it prints. There is no shell: no pipes, redirections, variables, wildcards.

        Args:
            command: The program and its arguments, quoted as in a shell.
            directory: Where to run it, relative to the working directory.
        """
        words = allowlist.parse(command, self._allowed)
        with self._workspace.directory(directory) as folder:
            ended = await execute(words, folder, self._environ, self._limits)
        return told(words[0], ended, self._limits)

    @tool(title="Read a file", read_only=True, idempotent=True, local=True, additive=True)
    def read_file(self, path: str, start_line: int = 1) -> str:
        """Returns the text of a file, or the part of a long one that begins with a line.

        Args:
            path: The file, relative to the working directory.
            start_line: The first line to return, counted from 1.
        """
        return files.read(self._workspace, path, start_line, self._limits.output)

    @tool(title="Write a file", idempotent=True, local=True, keeps_receipts=True)
    def write_file(self, path: str, content: str) -> str:
        """Makes a file with exactly this content, in place of one that is there. Missing directories are made.

        Args:
            path: The file, relative to the working directory.
            content: Its whole text.
        """
        return files.write(self._workspace, path, content)

    @tool(title="List files", read_only=True, idempotent=True, local=True, additive=True)
    def list_files(self, path: str = ".", pattern: str = "*", recursive: bool = False) -> str:
        """Lists a directory: one entry a line, directories with a slash, files with their size.

        Args:
            path: The directory, relative to the working directory.
            pattern: Only names like this, for example *.md.
            recursive: Also what lies deeper; hidden directories are not entered.
        """
        return listing.list_files(self._workspace, path, pattern, recursive=recursive)

    @tool(title="Search in files", read_only=True, idempotent=True, local=True, additive=True)
    def search_files(self, text: str, path: str = ".", pattern: str = "*", ignore_case: bool = False) -> str:
        """Finds the lines that contain a text, in all files below a directory, as `file:line: text`.

        Args:
            text: What to find, literally, within one line.
            path: The directory, relative to the working directory.
            pattern: Only files with a name like this, for example *.py.
            ignore_case: Whether upper and lower case are the same.
        """
        return listing.search_files(self._workspace, text, path, pattern, ignore_case=ignore_case)


def told(program: str, ended: Result, limits: Limits) -> str:
    """What the model is told of a command that has ended.

    Raises:
        Failure: It was stopped, or its exit code is not 0. Names the reason, then what it printed.
    """
    output = printable(ended.output).strip("\n")
    if ended.end is End.OUTPUT:
        raise Failure(
            f"`{program}` printed more than {size(limits.output)} and was stopped. It began: {output[:_TAIL]}"
        )
    last = f"Its output ended: {output[-_TAIL:]}" if output else "It printed nothing."
    if ended.end is End.TIMEOUT:
        raise Failure(
            f"`{program}` was stopped after {limits.seconds:g} s, the longest that a command may take. {last}"
        )
    if ended.exit_code:
        raise Failure(f"`{program}` ended with exit code {ended.exit_code}. {last}")
    return output or "It printed nothing."
