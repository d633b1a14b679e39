"""Reasoning strategies that run as plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector.plugin.v1.reasoning_pb2_grpc import ReasoningStrategyStub
from hector_host.providers.rpc import Rpc

if TYPE_CHECKING:
    from hector.plugin.v1.reasoning_pb2 import (
        FinalizeRequest,
        FinalizeResponse,
        InitializeRequest,
        InitializeResponse,
        ProcessIterationRequest,
        ProcessIterationResponse,
    )
    from hector_host.manager import Manager
    from hector_host.providers.call import Call


class ReasoningProvider:
    """The strategy of one plugin."""

    def __init__(self, plugin: str, manager: Manager) -> None:
        self._rpc: Rpc[ReasoningStrategyStub] = Rpc(f"reasoning/{plugin}", plugin, manager, ReasoningStrategyStub)

    async def initialize(self, request: InitializeRequest, call: Call) -> InitializeResponse:
        """See the contract. Raises CallError."""
        response: InitializeResponse = await self._rpc.unary("Initialize", request, call, step="reason")
        return response

    async def process_iteration(self, request: ProcessIterationRequest, call: Call) -> ProcessIterationResponse:
        """See the contract. Raises CallError."""
        response: ProcessIterationResponse = await self._rpc.unary("ProcessIteration", request, call, step="reason")
        return response

    async def finalize(self, request: FinalizeRequest, call: Call) -> FinalizeResponse:
        """See the contract. Raises CallError."""
        response: FinalizeResponse = await self._rpc.unary("Finalize", request, call, step="reason")
        return response
