"""A reasoning strategy that breaks the contract as its option `fault` says.

twice       asks for two effects of one id
nameless    asks for an effect without an id
kindless    asks for an effect of no kind
large       answers a state of 2 MB
both        is done and asks for an effect
unknown     names a message that nobody wrote
never       asks for nothing and is never done
ask         asks the user a question, and answers what the user said
refuse      says no to a run
"""

from dataclasses import dataclass

from hector.plugin.v1.message_pb2 import Message
from hector.plugin.v1.reasoning_pb2 import (
    Effect,
    FinalizeRequest,
    FinalizeResponse,
    Generate,
    InitializeRequest,
    InitializeResponse,
    ProcessIterationRequest,
    ProcessIterationResponse,
    Question,
)
from hector_sdk import Failure, Reasoning, serve, text


@dataclass(frozen=True)
class Options:
    fault: str


class Strategy(Reasoning[Options]):
    async def initialize(self, request: InitializeRequest) -> InitializeResponse:
        if self.options.fault == "refuse":
            raise Failure("not this run")
        return InitializeResponse(success=True)

    async def process_iteration(self, request: ProcessIterationRequest) -> ProcessIterationResponse:
        response = ProcessIterationResponse(success=True)
        fault = self.options.fault
        effects = response.result.effects
        generate = Generate()
        if fault == "unknown":
            generate.input.messages.append(Message(id="nobody/1"))
        if fault == "ask" and request.iteration > 1:
            response.done = True
            response.state.update({"answer": text(request.input.outcomes[0].message)})
        elif fault == "ask":
            effects.append(Effect(id="q", question=Question(text="Which colour?")))
        elif fault == "kindless":
            effects.append(Effect(id="e"))
        elif fault == "large":
            response.state.update({"notes": "x" * 2_000_000})
        elif fault != "never":
            effects.append(Effect(id="" if fault == "nameless" else "e", generate=generate))
        if fault == "twice":
            effects.append(Effect(id="e", generate=generate))
        if fault == "both":
            response.done = True
        return response

    async def finalize(self, request: FinalizeRequest) -> FinalizeResponse:
        if "answer" not in request.state.fields:
            raise Failure("it has no answer")
        return FinalizeResponse(success=True, result=request.state["answer"])


if __name__ == "__main__":
    serve(Strategy())
