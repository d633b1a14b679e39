"""What every provider of tools promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.plugin.v1.tool_pb2 import ExecuteToolRequest
from hector_conformance.case import case
from hector_conformance.offered import NOBODY
from hector_conformance.statuses import StatusCode, refused
from hector_host.config import Kind

if TYPE_CHECKING:
    from hector_conformance.subject import Subject


@case(Kind.TOOL, "statuses", requires=("ExecuteTool",))
async def unknown_tool_is_not_found(subject: Subject) -> None:
    """ExecuteTool with a tool that does not exist is NOT_FOUND."""
    async with subject.running() as instance:
        call = instance.stubs.tools.ExecuteTool(ExecuteToolRequest(tool=NOBODY))
        await refused("ExecuteTool with a tool that does not exist", call, StatusCode.NOT_FOUND)
