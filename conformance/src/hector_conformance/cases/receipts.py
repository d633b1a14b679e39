"""What tools promise that say `keeps_receipts`: a call with a key is executed once, whatever dies in between.

The sample call of conformance.yaml answers something new each time it is executed, so an answer that comes again was
not executed again.
"""

from __future__ import annotations

import asyncio
import secrets
from typing import TYPE_CHECKING

from grpc import StatusCode

from hector_conformance.answers import refusal
from hector_conformance.case import RESTART, Failed, case
from hector_conformance.statuses import answered, answered_or_refused
from hector_conformance.toolbox import execution, receipt
from hector_host.config import Kind
from hector_host.errors import quoted

if TYPE_CHECKING:
    from hector.plugin.v1.tool_pb2 import ExecuteToolResponse
    from hector_conformance.instance import Instance
    from hector_conformance.settings import ReceiptCall
    from hector_conformance.subject import Subject

SHOWN = 100
NEEDED = (RESTART, "ListTools", "ExecuteTool")  # in a directory of its own: a receipt is kept for 30 days
AT_ONCE = 8


@case(Kind.TOOL, "receipts", requires=NEEDED)
async def a_key_is_executed_once(subject: Subject) -> None:
    """A call with the same key is answered from its receipt."""
    async with subject.running(fresh=True) as instance:
        sample, key = await receipt(subject, instance), secrets.token_hex(8)
        first, second = await _run(instance, sample, key), await _run(instance, sample, key)
    _same(first, second, "a second call with the same key")


@case(Kind.TOOL, "receipts", requires=NEEDED)
async def another_key_is_executed_again(subject: Subject) -> None:
    """A call with another key, or with none, is executed again."""
    async with subject.running(fresh=True) as instance:
        sample = await receipt(subject, instance)
        answers = [await _run(instance, sample, key) for key in (secrets.token_hex(8), secrets.token_hex(8), "", "")]
    distinct = {answer.SerializeToString(deterministic=True) for answer in answers}
    if len(distinct) != len(answers):
        raise Failed(
            "calls with two keys, and two without, have four answers (the sample says something new each time);"
            f' they had {len(distinct)}, such as "{quoted(answers[0].result, SHOWN)}"'
        )


@case(Kind.TOOL, "receipts", requires=NEEDED)
async def a_key_is_executed_once_at_a_time(subject: Subject) -> None:
    """8 calls with one key at once are executed once: they have one answer, or are ABORTED or UNAVAILABLE."""
    async with subject.running(fresh=True) as instance:
        sample, key = await receipt(subject, instance), secrets.token_hex(8)
        request = execution(sample.tool, sample.parameters, key)
        calls = [instance.stubs.tools.ExecuteTool(request) for _ in range(AT_ONCE)]
        codes = (StatusCode.ABORTED, StatusCode.UNAVAILABLE)
        what = "ExecuteTool, 8 at once with one key,"
        answers = await asyncio.gather(*(answered_or_refused(what, call, *codes) for call in calls))
    distinct = {answer.SerializeToString(deterministic=True) for answer in answers if answer is not None}
    if len(distinct) != 1:
        raise Failed(f"{AT_ONCE} calls with one key have one answer; they had {len(distinct)}")


@case(Kind.TOOL, "receipts", requires=NEEDED)
async def a_receipt_outlives_its_process(subject: Subject) -> None:
    """After SIGKILL and a new start with the same data directory, the key is answered from its receipt."""
    folder, key = subject.folder(), secrets.token_hex(8)
    async with subject.running(data=folder) as instance:
        sample = await receipt(subject, instance)
        first = await _run(instance, sample, key)
        instance.kill()
    async with subject.running(data=folder) as instance:
        second = await _run(instance, sample, key)
    _same(first, second, "the same key after a kill")


@case(Kind.TOOL, "receipts", requires=NEEDED)
async def a_key_belongs_to_its_parameters(subject: Subject) -> None:
    """The same key with other parameters is INVALID_ARGUMENT."""
    async with subject.running(fresh=True) as instance:
        sample, key = await receipt(subject, instance), secrets.token_hex(8)
        await _run(instance, sample, key)
        call = instance.stubs.tools.ExecuteTool(execution(sample.tool, sample.other, key))
        what = f"ExecuteTool {sample.tool} with a used key and other parameters"
        await refusal(subject, call, StatusCode.INVALID_ARGUMENT, what)


async def _run(instance: Instance, sample: ReceiptCall, key: str) -> ExecuteToolResponse:
    call = instance.stubs.tools.ExecuteTool(execution(sample.tool, sample.parameters, key))
    response = await answered(f"ExecuteTool {sample.tool}", call)
    if not response.success:
        raise Failed(f'the sample call of {sample.tool} succeeds; it says "{quoted(response.error, SHOWN)}"')
    return response


def _same(first: ExecuteToolResponse, second: ExecuteToolResponse, what: str) -> None:
    if first != second:
        one, other = quoted(first.result, SHOWN), quoted(second.result, SHOWN)
        raise Failed(f'{what} is answered "{one}" from its receipt; it was "{other}"')
