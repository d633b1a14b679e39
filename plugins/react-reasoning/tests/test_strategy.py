"""The strategy as a host sees it, and the promises of a pure function."""

import grpc
import pytest

from hector.plugin.v1.reasoning_pb2 import (
    FAILURE_KIND_CONTEXT_OVERFLOW,
    Failure,
    FinalizeRequest,
    InitializeRequest,
    Outcome,
    ProcessIterationRequest,
)
from hector_react_reasoning.strategy import React
from hector_sdk import Failure as GaveUp
from hector_sdk.testing import running

LS = 'Thought: I look.\nAction: run\nAction Input: {"command": "ls"}'


@pytest.mark.parametrize("native", [True, False])
async def test_the_same_request_has_the_same_response_to_the_byte(host, native):
    replies = [[("c1", "run", '{"command": "ls"}')], "A file."] if native else [LS, "Final Answer: A file."]
    run = host(replies, {"run": "a.txt"}, tool_calling=native)
    await run.run()
    for request in run.requests:
        answers = {
            (await strategy.process_iteration(request)).SerializeToString(deterministic=True)
            for strategy in (React(), React(), run.strategies[0])
        }
        assert len(answers) == 1


async def test_two_replicas_take_turns(host):
    alone = host([LS, LS, "Final Answer: A file."], {"run": "a.txt"})
    shared = host([LS, LS, "Final Answer: A file."], {"run": "a.txt"}, strategies=(React(), React()))
    assert await alone.run() == await shared.run()
    assert alone.states == shared.states


@pytest.mark.parametrize("native", [True, False])
async def test_states_grow_with_the_number_of_steps_and_not_with_what_is_said(host, native):
    replies = (
        [
            [("c", "run", "{}")],
        ]
        * 50
        if native
        else [LS + " " + "x" * 5000] * 50
    )
    run = host([*replies, "Final Answer: ok"], {"run": "y"}, tool_calling=native, max_iterations=200)
    await run.run()
    sizes = [state.ByteSize() for state in run.states]
    growth = [later - earlier for earlier, later in zip(sizes[2::2], sizes[4::2], strict=False)]
    assert max(growth) <= 80


async def test_a_state_stays_below_the_limit_of_the_contract(host):
    run = host([LS] * 100 + ["Final Answer: ok"], {"run": "日" * 100_000}, max_iterations=300)
    await run.run()
    assert max(state.ByteSize() for state in run.states) < 1 << 20


@pytest.mark.parametrize("native", [True, False])
async def test_what_is_too_long_for_the_model_is_left_out_in_whole_steps(host, conversation, native):
    too_long = Outcome(failure=Failure(kind=FAILURE_KIND_CONTEXT_OVERFLOW, message="too long"))
    acts = [[(f"c{n}", "run", "{}")] if native else f"Action: run\nAction Input: {n}" for n in range(3)]
    run = host([*acts, too_long, "Final Answer: ok"], {"run": "y"}, tool_calling=native)
    await run.run()
    assert "the conversation is too long for the model: older steps are left out" in run.thoughts
    after = conversation(run.asked[-1])
    assert after[:2] == conversation(run.asked[0])
    assert len(after) == 4
    assert after[2] == conversation(run.asked[3])[6]
    run = host([too_long])
    with pytest.raises(
        GaveUp, match=r"^the conversation is too long for the model, even without the steps of this run$"
    ):
        await run.run()


async def test_options(host):
    for options, words in [
        ({"style": "x", "depth": 3}, "unknown option depth, style: there is form"),
        ({"form": "song"}, "form: 'song' is none of auto, text"),
    ]:
        async with running(React(), config={}) as stubs:
            request = InitializeRequest()
            request.options.update(options)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stubs.reasoning.Initialize(request)
        assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, words)


async def test_errors_have_the_codes_of_the_contract(host):
    run = host()
    begun = await run.initialize()
    async with running(React(), config={}) as stubs:
        empty = await stubs.reasoning.Initialize(InitializeRequest())
        assert (empty.success, empty.error) == (False, "there is no message to answer")
        early = await stubs.reasoning.Finalize(FinalizeRequest(state=begun.state, state_version=1))
        assert (early.success, early.error) == (False, "the model was still at work")
        asked = await stubs.reasoning.ProcessIteration(
            ProcessIterationRequest(state=begun.state, state_version=1, iteration=1)
        )
        nothing = ProcessIterationRequest(state=asked.state, state_version=1, iteration=2)
        anonymous = ProcessIterationRequest(state=asked.state, state_version=1, iteration=2)
        anonymous.input.outcomes.add(id="g1")
        for request, code, words in [
            (
                ProcessIterationRequest(state=begun.state, state_version=7, iteration=1),
                grpc.StatusCode.FAILED_PRECONDITION,
                "the state is of version 7; this strategy reads version 1",
            ),
            (
                ProcessIterationRequest(state_version=1, iteration=1),
                grpc.StatusCode.INVALID_ARGUMENT,
                "the state cannot be read: KeyError: 'form'",
            ),
            (nothing, grpc.StatusCode.INVALID_ARGUMENT, "there is no outcome of effect 'g1'"),
            (
                anonymous,
                grpc.StatusCode.INVALID_ARGUMENT,
                "the outcome of effect 'g1' has neither a failure nor a message with an id",
            ),
        ]:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stubs.reasoning.ProcessIteration(request)
            assert (caught.value.code(), caught.value.details()) == (code, words)
