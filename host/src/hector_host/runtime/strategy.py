"""What decides an agent's next step: a plugin, or the host's own `default`, pure functions behind one interface."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from hector_host.errors import PluginError

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Struct

    from hector.plugin.v1.reasoning_pb2 import (
        FinalizeRequest,
        FinalizeResponse,
        InitializeRequest,
        InitializeResponse,
        ProcessIterationRequest,
        ProcessIterationResponse,
    )
    from hector_host.providers.call import Call

STATE_LIMIT = 1 << 20
"""Bytes of a strategy's state (the contract's figure)."""


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


def bounded(state: Struct, engine: str) -> Struct:
    """The state, if it is small enough to be kept.

    Raises:
        PluginError: It is not.
    """
    size = state.ByteSize()
    if size > STATE_LIMIT:
        raise PluginError(
            f"{engine}: its state has {size:,} bytes, at most {STATE_LIMIT:,} are kept",
            "A strategy names messages by their id and does not copy them into its state.",
        )
    return state
