"""What every reasoning strategy promises of the runs that it leads."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from google.protobuf.struct_pb2 import Struct
from grpc import StatusCode
from grpc.aio import AioRpcError

from hector.plugin.v1.reasoning_pb2 import (
    FAILURE_KIND_OUTCOME_UNKNOWN,
    FAILURE_KIND_TOOL,
    RUN_END_BUDGET,
    RUN_END_CANCELLED,
    FailureKind,
    FinalizeRequest,
    ProcessIterationRequest,
    RunEnd,
)
from hector_conformance.answers import beyond_bare, refusal
from hector_conformance.case import Failed, NotOffered, case
from hector_conformance.rehearsal import TOOLS, Rehearsal, Script, state_of
from hector_conformance.statuses import answered, told
from hector_host.config import Kind
from hector_host.errors import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hector.plugin.v1.message_pb2 import Message
    from hector.plugin.v1.reasoning_pb2 import Effect
    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

_KINDS: list[Any] = list(FailureKind.values())
LARGEST_STATE = 1 << 20
MOST_EFFECTS = 64
PATIENCE = 5.0
"""Seconds for a run of a plugin that may be stuck."""
DELAYS = (0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2)
"""Seconds after which a call is cancelled, so that it is met in whatever it does."""
SCRIPTS = (Script(), Script(native=False))
"""With a model that calls tools, and with one that does not."""
LONG = tuple(f"{number}: {'words ' * 800}" for number in range(1000))
"""A conversation of 5 MB."""


async def _runs(subject: Subject, *scripts: Script) -> list[Rehearsal]:
    async with subject.running() as instance:
        return [await Rehearsal(script, instance).run() for script in scripts or SCRIPTS]


@case(Kind.REASONING, "contract")
async def runs_end_with_an_answer(subject: Subject) -> None:
    """A run whose model and tools answer comes to its end, and Finalize gives the answer."""
    for run in await _runs(subject):
        if run.said_no is not None:
            raise Failed(
                f'a run whose model and tools answer: should have an answer, ended with "{_short(run.said_no)}"'
            )
        if run.final is None or not run.final.success:
            words = "" if run.final is None else run.final.error
            raise Failed(f'Finalize of such a run: should give the answer, said "{_short(words)}"')


@case(Kind.REASONING, "contract")
async def effect_ids_are_unique(subject: Subject) -> None:
    """Every effect has an id that is unique in the run, and is of a kind that there is."""
    for run in await _runs(subject):
        seen: set[str] = set()
        for effect in _effects(run):
            if not effect.id or effect.id in seen:
                raise Failed(f'the id of an effect: should be new in the run, was "{_short(effect.id)}" again')
            if effect.WhichOneof("effect") is None:
                raise Failed(f'effect "{_short(effect.id)}": is of no kind')
            seen.add(effect.id)


@case(Kind.REASONING, "contract")
async def effects_name_messages_that_exist(subject: Subject) -> None:
    """A generation names only messages of the run: of the conversation, or of outcomes."""
    for run in await _runs(subject):
        for message in _asked(run):
            if message.id and not message.parts and message.id not in run.held:
                raise Failed(f'a generation names the message "{_short(message.id)}", which the run does not have')


@case(Kind.REASONING, "contract")
async def effects_call_tools_that_exist(subject: Subject) -> None:
    """Tool calls, and the tools of a generation, are tools that the agent has."""
    for run in await _runs(subject):
        called = {effect.tool_call.tool for effect in _effects(run) if effect.HasField("tool_call")}
        offered = {tool.name for effect in _effects(run) for tool in effect.generate.input.tools}
        if strange := (called | offered) - set(run.script.tools):
            raise Failed(f"tools: should be of {sorted(run.script.tools)}, were {_short(str(sorted(strange)))} too")


@case(Kind.REASONING, "contract")
async def done_asks_for_nothing(subject: Subject) -> None:
    """An answer with done asks for no effects, and no answer asks for more than 64."""
    for run in await _runs(subject):
        if run.done and run.effects[-1]:
            raise Failed(f"an answer with done: should ask for no effects, asked for {len(run.effects[-1])}")
        if (most := max(map(len, run.effects), default=0)) > MOST_EFFECTS:
            raise Failed(f"effects of one iteration: should be 64 at most, were {most}")


@case(Kind.REASONING, "contract")
async def the_last_look_asks_for_nothing(subject: Subject) -> None:
    """With no iterations left it asks for nothing more: it is done, or says no."""
    scripts = [replace(script, max_iterations=most) for script in SCRIPTS for most in (1, 2, 3)]
    for run in await _runs(subject, *scripts):
        if len(run.effects) > run.script.max_iterations and not run.done and run.effects[-1]:
            most = run.script.max_iterations
            raise Failed(
                f"with left.iterations = 0 of {most}: should be done, asked for {len(run.effects[-1])} effects"
            )


@case(Kind.REASONING, "contract")
async def outcomes_are_matched_by_id(subject: Subject) -> None:
    """The order of outcomes does not matter: they are matched by id."""
    failing = Script(failing={TOOLS[0]: FAILURE_KIND_TOOL})
    for script in (Script(), failing):
        forward, backward = await _runs(subject, script, replace(script, reverse=True))
        if forward.outline != backward.outline or _contents(forward) != _contents(backward):
            raise Failed(
                "a run whose outcomes come in the opposite order: should be the same, asks or answers differently"
            )


@case(Kind.REASONING, "contract")
async def failing_tools_are_survived(subject: Subject) -> None:
    """A tool that fails, in whatever way, is an outcome like others: no call ends with a status."""
    kinds = [kind for kind in _KINDS if kind != FAILURE_KIND_OUTCOME_UNKNOWN]
    for run in await _runs(subject, *(Script(failing={TOOLS[0]: kind}) for kind in kinds)):
        _ended(run)


@case(Kind.REASONING, "contract")
async def unknown_outcomes_are_survived(subject: Subject) -> None:
    """A tool call that may or may not have happened is an outcome like others: no call ends with a status."""
    failing = dict.fromkeys(TOOLS, FAILURE_KIND_OUTCOME_UNKNOWN)
    for run in await _runs(subject, Script(failing=failing)):
        _ended(run)


@case(Kind.REASONING, "contract")
async def failing_models_are_survived(subject: Subject) -> None:
    """A model that always fails ends the run in words: no call ends with a status."""
    scripts = [Script(model_fails=kind) for kind in _KINDS]
    for run in await _runs(subject, *scripts):
        _ended(run)


@case(Kind.REASONING, "contract")
async def runs_may_end_early(subject: Subject) -> None:
    """Finalize of a run that was stopped on its way gives what there is, or says no in words."""
    async with subject.running() as instance:
        run = await Rehearsal(Script(), instance).run()
        for _, _, response in run.calls[:-1]:
            for end in (RUN_END_BUDGET, RUN_END_CANCELLED):
                request = FinalizeRequest(state=state_of(response), state_version=response.state_version, end=end)
                what = f"Finalize with {RunEnd.Name(end)} on the way"
                final = await answered(what, instance.stubs.reasoning.Finalize(request))
                if not final.success and not final.error:
                    raise Failed(f"{what}: should say why not, error was empty")


@case(Kind.REASONING, "statuses")
async def unknown_versions_are_refused(subject: Subject) -> None:
    """A state_version that it does not know is FAILED_PRECONDITION."""
    async with beyond_bare(subject, "state_version"), subject.running() as instance:
        run = await Rehearsal(Script(), instance).run()
        for rpc, request, _ in run.calls:
            if rpc == "Initialize":
                continue
            later = type(request)()
            later.CopyFrom(request)
            later.state_version += 1000
            call = getattr(instance.stubs.reasoning, rpc)(later)
            await refusal(subject, call, StatusCode.FAILED_PRECONDITION, f"{rpc} with a state_version from the future")


@case(Kind.REASONING, "statuses")
async def foreign_states_are_invalid(subject: Subject) -> None:
    """A state that is none of its own is INVALID_ARGUMENT."""
    async with beyond_bare(subject, "states that others wrote"), subject.running() as instance:
        begun = (await Rehearsal(Script(), instance).run()).calls[0][2]
        if not begun.state.fields:
            raise NotOffered("its first state is empty")
        foreign = Struct()
        foreign.update({"conformance": [1, {"nobody": "wrote this"}]})
        request = ProcessIterationRequest(state=foreign, state_version=begun.state_version, iteration=1)
        request.input.left.iterations = 1
        call = instance.stubs.reasoning.ProcessIteration(request)
        await refusal(subject, call, StatusCode.INVALID_ARGUMENT, "ProcessIteration with a state of nobody's")


@case(Kind.REASONING, "statuses")
async def unknown_options_are_invalid(subject: Subject) -> None:
    """Initialize with an option that it does not know is INVALID_ARGUMENT."""
    async with beyond_bare(subject, "options"), subject.running() as instance:
        request = Script().initialize()
        request.options.update({"hector-conformance-nobody": 1})
        call = instance.stubs.reasoning.Initialize(request)
        await refusal(subject, call, StatusCode.INVALID_ARGUMENT, "Initialize with an option that does not exist")


@case(Kind.REASONING, "empty input")
async def a_question_is_enough(subject: Subject) -> None:
    """Without tools, prompt, model, context and even words, a run still comes to its end."""
    bare = Script(messages=("",), prompt="", tools=(), answer="")
    for run in await _runs(subject, bare, replace(bare, native=False), replace(bare, answer="Yes.")):
        _ended(run)


@case(Kind.REASONING, "huge input")
async def long_conversations_stay_out_of_states(subject: Subject) -> None:
    """A conversation of 5 MB is taken, and states name its messages instead of copying them: they stay below 1 MiB."""
    async with beyond_bare(subject, "messages over 4 MiB"):
        (run,) = await _runs(subject, Script(messages=LONG))
        _small(run, "a run with a conversation of 5 MB")


@case(Kind.REASONING, "huge input")
async def large_results_stay_out_of_states(subject: Subject) -> None:
    """Results of 1 MiB are taken, and states name them instead of copying them: they stay below 1 MiB."""
    (run,) = await _runs(subject, Script(result="x" * (1 << 20)))
    _small(run, "a run with results of 1 MiB")


@case(Kind.REASONING, "concurrency")
async def parallel_runs_do_not_mix(subject: Subject) -> None:
    """Runs at the same time come to what they come to alone."""
    scripts = [Script(messages=(f"Question {n}?",), answer=f"Answer {n}.", result=f"says {n}.") for n in range(16)]
    alone = await _runs(subject, *scripts)
    async with subject.running() as instance:
        together = await asyncio.gather(*(Rehearsal(script, instance).run() for script in scripts))
    for one, other in zip(alone, together, strict=True):
        if one.outline != other.outline or _contents(one) != _contents(other):
            raise Failed("16 runs at the same time: should each be as alone, one asks or answers differently")


@case(Kind.REASONING, "cancellation")
async def cancelled_beginnings_harm_no_run(subject: Subject) -> None:
    """Initialize calls that are cancelled on their way harm no other run."""
    request = Script(messages=LONG[:200]).initialize()
    async with subject.running() as instance:
        for delay in DELAYS:
            call = instance.stubs.reasoning.Initialize(request)
            await asyncio.sleep(delay)
            call.cancel()
        await _unharmed(instance, "after cancelled calls")


@case(Kind.REASONING, "deadlines")
async def late_steps_harm_no_run(subject: Subject) -> None:
    """Steps whose deadline passes harm no other run."""
    async with subject.running() as instance:
        run = await Rehearsal(Script(messages=LONG[:200]), instance).run()
        request = next(request for rpc, request, _ in run.calls if rpc == "ProcessIteration")
        calls = [
            instance.stubs.reasoning.ProcessIteration(request, timeout=delay) for delay in DELAYS for _ in range(8)
        ]
        for came in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(came, AioRpcError) and came.code() is not StatusCode.DEADLINE_EXCEEDED:
                raise Failed(f"a step with a short deadline: should be answered or DEADLINE_EXCEEDED, was {told(came)}")
        await _unharmed(instance, "after late calls")


async def _unharmed(instance: Instance, when: str) -> None:
    try:
        async with asyncio.timeout(PATIENCE):
            await Rehearsal(Script(), instance).run()
    except TimeoutError:
        raise Failed(f"a run {when}: should be as always, is not over in {PATIENCE:g} s") from None


def _effects(run: Rehearsal) -> Iterator[Effect]:
    return (effect for effects in run.effects for effect in effects)


def _asked(run: Rehearsal) -> Iterator[Message]:
    return (message for effect in _effects(run) for message in effect.generate.input.messages)


def _contents(run: Rehearsal) -> list[bytes]:
    """What generations were asked, message by message, in no order."""
    return sorted(run.held.get(message.id, message).SerializeToString(deterministic=True) for message in _asked(run))


def _ended(run: Rehearsal) -> None:
    words = run.said_no if run.final is None else run.final.error or None
    if run.final is not None and run.final.success:
        return
    if not words:
        raise Failed("a run without an answer: should say why not, error was empty")


def _small(run: Rehearsal, what: str) -> None:
    _ended(run)
    if (largest := max(state.ByteSize() for state in run.states)) > LARGEST_STATE:
        raise Failed(f"states of {what}: should be 1 MiB at most, were up to {largest >> 10} KiB")


def _short(words: str) -> str:
    return quoted(words, 200)
