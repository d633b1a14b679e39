"""What decides an agent's next step: a plugin, or the host's own `default`, pure functions behind one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from hector.plugin.v1.reasoning_pb2 import (
        FinalizeRequest,
        FinalizeResponse,
        InitializeRequest,
        InitializeResponse,
        ProcessIterationRequest,
        ProcessIterationResponse,
    )
    from hector_host.providers.call import Call


class Strategy(Protocol):
    """See ReasoningStrategy in the contract. Every method raises CallError when the strategy says no."""

    async def initialize(self, request: InitializeRequest, call: Call) -> InitializeResponse:
        """The state that the run begins with."""
        ...

    async def process_iteration(self, request: ProcessIterationRequest, call: Call) -> ProcessIterationResponse:
        """The effects that the strategy wants next, or that it is done."""
        ...

    async def finalize(self, request: FinalizeRequest, call: Call) -> FinalizeResponse:
        """The answer."""
        ...
