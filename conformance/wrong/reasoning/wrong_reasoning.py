"""A strategy that keeps every promise but one: the case that its option `fault` names, if any.

It asks the model, calls the tools that the model wants, tells it what came of them, and asks again.
"""

import asyncio
import itertools
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime

import grpc
from google.protobuf.json_format import MessageToDict

from hector.plugin.v1 import reasoning_pb2 as pb
from hector.plugin.v1.llm_pb2 import TOOL_CHOICE_NONE, ModelInput
from hector.plugin.v1.message_pb2 import ROLE_SYSTEM, ROLE_USER, Message, Part
from hector.plugin.v1.tool_pb2 import Tool
from hector_sdk import Failure, Reasoning, Status, calls, serve, text

VERSION = 1
STUCK = 7.0
"""Seconds for which a fault holds everybody up: longer than the suite is patient."""


@dataclass(frozen=True)
class Options:
    fault: str = ""


class Wrong(Reasoning[Options]):
    async def start(self):
        self.stuck = False
        self.counter = itertools.count()
        self.tools = []
        self.current = None

    def wrong(self, case):
        return self.options.fault == case

    async def initialize(self, request):
        if request.options.fields and not self.wrong("unknown_options_are_invalid"):
            raise status("INVALID_ARGUMENT")
        if not request.tools and self.wrong("a_question_is_enough"):
            raise status("INTERNAL")
        if len(request.messages) == 200:
            await self.slow("cancelled_beginnings_harm_no_run")
        state = {
            "prompt": request.system_prompt,
            "messages": [message.id for message in request.messages],
            "tools": [tool.name for tool in request.tools] if request.model.tool_calling else [],
            "asked": "",
            "called": {},
            "notes": "",
        }
        if self.wrong("long_conversations_stay_out_of_states"):
            state["copies"] = [text(message) for message in request.messages]
        if self.wrong("states_survive_json"):
            state["best"] = float("-inf")
        self.tools = state["tools"]
        if self.wrong("replicas_take_turns"):
            state["tools"] = []
        return self.answered(pb.InitializeResponse(success=True, state_version=VERSION), state)

    async def process_iteration(self, request):
        state = self.read(request)
        left, number = request.input.left.iterations, request.iteration
        response = pb.ProcessIterationResponse(success=True, state_version=VERSION)
        response.result.thought = self.thought()
        if len(state["messages"]) >= 200 and not state["asked"]:
            await self.slow("late_steps_harm_no_run")
        outcomes = {outcome.id: outcome for outcome in request.input.outcomes}
        if self.wrong("outcomes_are_matched_by_id") and len(outcomes) > 1:
            outcomes = dict(zip(sorted(outcomes), request.input.outcomes, strict=True))
        if state["called"]:
            await self.observe(state, outcomes)
        elif state["asked"]:
            self.hear(state, outcomes[state["asked"]], number, left, response)
        if "answer" not in state and not state["called"]:
            if left or self.wrong("the_last_look_asks_for_nothing"):
                self.ask(state, number, left, response)
            else:
                raise Failure("there was no time")
        response.done = "answer" in state
        if self.wrong("runs_end_with_an_answer"):
            state.pop("answer", None)
        if response.done and self.wrong("done_asks_for_nothing"):
            response.result.effects.add(id="more").question.text = "Was that good?"
        return self.answered(response, state)

    def thought(self):
        if self.wrong("equal_requests_have_equal_answers"):
            return f"thought {next(self.counter)}"
        if self.wrong("no_clock_is_read"):
            return f"It is {datetime.now(UTC):%Y-%m-%d}."
        if self.wrong("processes_answer_alike"):
            return f"I am {os.getpid()}."
        return "thinking"

    def ask(self, state, number, left, response):
        tools = self.tools if self.wrong("replicas_take_turns") else state["tools"]
        asked = ModelInput(messages=[Message(id=name) for name in state["messages"]])
        asked.tools.extend(Tool(name=name) for name in tools)
        if state["prompt"]:
            asked.messages.insert(0, Message(role=ROLE_SYSTEM, parts=[Part(text=state["prompt"])]))
        if state["notes"]:
            asked.messages.append(Message(role=ROLE_USER, parts=[Part(text=state["notes"])]))
        if self.wrong("effects_name_messages_that_exist"):
            asked.messages.append(Message(id="nobody"))
        if left <= 1:
            asked.tool_choice = TOOL_CHOICE_NONE
        state["asked"] = "ask" if self.wrong("effect_ids_are_unique") else f"g{number}"
        response.result.effects.add(id=state["asked"]).generate.input.CopyFrom(asked)
        if self.wrong("effects_call_tools_that_exist") and number == 1:
            response.result.effects.add(id="guess").tool_call.tool = "search"

    def hear(self, state, outcome, number, left, response):
        state["asked"] = ""
        if outcome.HasField("failure"):
            raise status("INTERNAL") if self.wrong("failing_models_are_survived") else Failure(outcome.failure.message)
        state["messages"].append(outcome.message.id)
        wanted = calls(outcome.message)
        if not wanted or left <= 1:
            state["answer"] = text(outcome.message)
            if self.wrong("the_last_look_asks_for_nothing") and left == 0:
                del state["answer"]
            return
        for place, call in enumerate(wanted):
            response.result.effects.add(id=f"t{number}.{place}").tool_call.CopyFrom(call)
            state["called"][f"t{number}.{place}"] = call.tool

    async def observe(self, state, outcomes):
        if self.wrong("parallel_runs_do_not_mix"):
            self.current = outcomes
            await asyncio.sleep(0.01)
            outcomes = self.current
        for name, tool in sorted(state["called"].items()):  # a Struct has no order
            outcome = outcomes[name]
            failure = outcome.failure.kind
            unknown = failure == pb.FAILURE_KIND_OUTCOME_UNKNOWN
            if unknown and self.wrong("unknown_outcomes_are_survived"):
                raise status("UNKNOWN")
            if failure == pb.FAILURE_KIND_DENIED and self.wrong("failing_tools_are_survived"):
                raise status("PERMISSION_DENIED")
            state["messages"].append(outcome.message.id)
            said = "".join(text(part.tool_result) for part in outcome.message.parts)
            kept = said if self.wrong("large_results_stay_out_of_states") else said[:100]
            state["notes"] += f"{tool}: {kept}\n"
        state["called"] = {}

    async def slow(self, case):
        """Takes its time; with the fault, whoever leaves meanwhile holds everybody up."""
        try:
            await asyncio.sleep(0.5 if self.wrong(case) else 0.01)
        except asyncio.CancelledError:
            if self.wrong(case) and not self.stuck:
                self.stuck = True  # once is enough
                time.sleep(STUCK)  # noqa: ASYNC251  that is the fault
            raise

    async def finalize(self, request):
        state = self.read(request)
        if "answer" not in state:
            raise status("INTERNAL") if self.wrong("runs_may_end_early") else Failure("it had not come that far")
        return pb.FinalizeResponse(success=True, result=state["answer"])

    def read(self, request):
        if request.state_version != VERSION and not self.wrong("unknown_versions_are_refused"):
            raise status("FAILED_PRECONDITION")
        state = plain(request.state)
        if "messages" not in state:
            raise status("INTERNAL" if self.wrong("foreign_states_are_invalid") else "INVALID_ARGUMENT")
        return state

    def answered(self, response, state):
        response.state.update(state)
        return response


def plain(state):
    """As MessageToDict has it, which refuses numbers that are not finite."""
    kept = type(state)()
    kept.CopyFrom(state)
    best = kept.fields.pop("best", None)
    value = MessageToDict(kept)
    return value if best is None else {**value, "best": best.number_value}


def status(code):
    return Status(grpc.StatusCode[code], f"that is {code}")


if __name__ == "__main__":
    serve(Wrong(), name="wrong-reasoning", version="0.1.0", description="Breaks one promise.")
