"""Reasoning strategies that run as plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import grpc

from hector.plugin.v1.reasoning_pb2 import InitializeResponse, ProcessIterationResponse
from hector.plugin.v1.reasoning_pb2_grpc import ReasoningStrategyStub
from hector_host.errors import CallError
from hector_host.providers.rpc import Rpc

if TYPE_CHECKING:
    from hector.plugin.v1.reasoning_pb2 import (
        FinalizeRequest,
        FinalizeResponse,
        InitializeRequest,
        ProcessIterationRequest,
    )
    from hector_host.manager import Manager
    from hector_host.providers.call import Call

ResponseT = TypeVar("ResponseT", InitializeResponse, ProcessIterationResponse)

STATE_LIMIT = 1 << 20
"""Bytes of a strategy's state (the contract's figure)."""


class ReasoningProvider:
    """The strategy of one plugin."""

    def __init__(self, plugin: str, manager: Manager) -> None:
        self._rpc: Rpc[ReasoningStrategyStub] = Rpc(f"reasoning/{plugin}", plugin, manager, ReasoningStrategyStub)

    async def initialize(self, request: InitializeRequest, call: Call) -> InitializeResponse:
        """See the contract. Raises CallError."""
        response: InitializeResponse = await self._rpc.unary("Initialize", request, call, step="reason")
        return await self._bounded(response)

    async def process_iteration(self, request: ProcessIterationRequest, call: Call) -> ProcessIterationResponse:
        """See the contract. Raises CallError."""
        response: ProcessIterationResponse = await self._rpc.unary("ProcessIteration", request, call, step="reason")
        return await self._bounded(response)

    async def finalize(self, request: FinalizeRequest, call: Call) -> FinalizeResponse:
        """See the contract. Raises CallError."""
        response: FinalizeResponse = await self._rpc.unary("Finalize", request, call, step="reason")
        return response

    async def _bounded(self, response: ResponseT) -> ResponseT:
        size = response.state.ByteSize()
        if size > STATE_LIMIT:
            plugin = await self._rpc.plugin()
            raise CallError(
                f"{plugin.label}: its state has {size:,} bytes, at most {STATE_LIMIT:,} are kept",
                "A strategy names messages by their id and does not copy them into its state.",
                code=grpc.StatusCode.RESOURCE_EXHAUSTED,
            )
        return response
