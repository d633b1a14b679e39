"""What every language model promises."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.plugin.v1.llm_pb2 import GenerateTextRequest
from hector_conformance.case import case
from hector_conformance.offered import NOBODY
from hector_conformance.statuses import StatusCode, refused
from hector_host.config import Kind

if TYPE_CHECKING:
    from hector_conformance.subject import Subject


@case(Kind.LLM, "statuses", requires=("GenerateText",))
async def unknown_model_is_not_found(subject: Subject) -> None:
    """GenerateText with a model that does not exist is NOT_FOUND."""
    async with subject.running() as instance:
        request = GenerateTextRequest(prompt="Hello.", model=NOBODY)
        call = instance.stubs.llm.GenerateText(request)
        await refused("GenerateText with a model that does not exist", call, StatusCode.NOT_FOUND)
