"""What makes a reasoning strategy a pure function: equal requests have equal answers, whenever and wherever."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from google.protobuf.json_format import MessageToJson, Parse
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1.reasoning_pb2 import FAILURE_KIND_TOOL
from hector_conformance.answers import bare
from hector_conformance.case import RESTART, Failed, NotOffered, case
from hector_conformance.rehearsal import TOOLS, Rehearsal, Script
from hector_conformance.statuses import answered
from hector_host.config import Kind

if TYPE_CHECKING:
    from hector_conformance.instance import Instance
    from hector_conformance.subject import Subject

SCRIPTS = (Script(), Script(native=False), Script(failing={TOOLS[0]: FAILURE_KIND_TOOL}))
TICK = 1.1
"""Seconds in which a clock that tells seconds goes on."""


@case(Kind.REASONING, "purity")
async def equal_requests_have_equal_answers(subject: Subject) -> None:
    """The same request, sent again, has the same answer to the byte."""
    async with subject.running() as instance:
        for script in SCRIPTS:
            for _ in range(2):
                await _repeated(await Rehearsal(script, instance).run(), instance, "sent again")


@case(Kind.REASONING, "purity")
async def no_clock_is_read(subject: Subject) -> None:
    """The same request, sent later, has the same answer, and no answer tells today's date: `now` is in the request."""
    async with subject.running() as instance:
        runs = [await Rehearsal(script, instance).run() for script in SCRIPTS]
        await _steady(runs, instance)
        began = time.monotonic()
        dates = {
            f"{datetime.now(zone):{form}}" for zone in (UTC, None) for form in ("%Y-%m-%d", "%d %B %Y", "%B %d, %Y")
        }
        for rpc, _, response in (call for run in runs for call in run.calls):
            if told := [date for date in dates if date in str(response)]:
                raise Failed(f"{rpc} of a run in September 2001, as `now` has it: tells the date {told[0]}")
        await asyncio.sleep(TICK - (time.monotonic() - began))
        for run in runs:
            await _repeated(run, instance, f"sent {TICK} s later")


@case(Kind.REASONING, "purity", requires=(RESTART,))
async def processes_answer_alike(subject: Subject) -> None:
    """Another process of the plugin has the same answers to the byte."""
    if await bare(subject):
        raise NotOffered("a bare server has its port for itself")
    async with subject.running() as instance, subject.running(fresh=True) as other:
        runs = [await Rehearsal(script, instance).run() for script in SCRIPTS]
        await _steady(runs, instance)
        for run in runs:
            await _repeated(run, other, "sent to another process")


@case(Kind.REASONING, "purity")
async def states_survive_json(subject: Subject) -> None:
    """A state is JSON: written as text and read again between any two calls, it means the same."""
    async with subject.running() as instance:
        for script in SCRIPTS:
            direct = await Rehearsal(script, instance).run()
            through = await Rehearsal(replace(script, pass_on=_through_json), instance).run()
            if direct.outline != through.outline:
                raise Failed("a run whose states go through JSON: should be as without, asks or answers differently")


@case(Kind.REASONING, "statelessness", requires=(RESTART,))
async def replicas_take_turns(subject: Subject) -> None:
    """Two processes that take the calls of a run in turn come to what one comes to."""
    if await bare(subject):
        raise NotOffered("a bare server has its port for itself")
    async with subject.running() as one, subject.running(fresh=True) as other:
        for script in SCRIPTS:
            alone = await Rehearsal(script, one).run()
            for order in ((one, other), (other, one)):
                shared = await Rehearsal(script, *order).run()
                if alone.outline != shared.outline:
                    raise Failed("a run of two processes in turn: should be as of one, asks or answers differently")


async def _repeated(run: Rehearsal, instance: Instance, how: str) -> None:
    for number, (rpc, request, response) in enumerate(run.calls, 1):
        what = f"{rpc}, call {number} of a run, {how}"
        again = await answered(what, getattr(instance.stubs.reasoning, rpc)(request))
        if again.SerializeToString(deterministic=True) != response.SerializeToString(deterministic=True):
            fields = [
                field.name
                for field in response.DESCRIPTOR.fields
                if getattr(again, field.name) != getattr(response, field.name)
            ]
            raise Failed(f"{what}: should have the same answer, differs in {', '.join(fields)}")


async def _steady(runs: list[Rehearsal], instance: Instance) -> None:
    """Whoever answers differently each time has a case of its own, and cannot be judged by others."""
    try:
        for run in runs:
            await _repeated(run, instance, "sent again")
    except Failed:
        raise NotOffered("it answers differently each time, so this cannot be judged") from None


def _through_json(state: Struct) -> Struct:
    try:
        return Parse(MessageToJson(state), Struct())
    except (ValueError, TypeError) as error:
        raise Failed(f"a state: should be JSON, cannot be written as JSON: {error}") from None
