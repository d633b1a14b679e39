"""The tools of counting, called as a host calls them."""

from counting import count_words, most_frequent
from google.protobuf.struct_pb2 import Struct

from hector.plugin.v1.tool_pb2 import ExecuteToolRequest, ListToolsRequest
from hector_sdk import Tools
from hector_sdk.testing import running


def parameters(**values: object) -> Struct:
    struct = Struct()
    struct.update(values)
    return struct


async def test_the_functions_are_offered_with_their_descriptions() -> None:
    async with running(Tools(count_words, most_frequent), config={}) as stubs:
        offered = await stubs.tools.ListTools(ListToolsRequest())
    assert {each.name: each.description for each in offered.tools} == {
        "count_words": "Count the words of a text.",
        "most_frequent": "Find the word that a text uses most.",
    }


async def test_a_result_and_a_no() -> None:
    async with running(Tools(count_words, most_frequent), config={}) as stubs:
        found = await stubs.tools.ExecuteTool(
            ExecuteToolRequest(tool="most_frequent", parameters=parameters(text="a rose is a rose is a rose"))
        )
        missed = await stubs.tools.ExecuteTool(
            ExecuteToolRequest(tool="most_frequent", parameters=parameters(text="all words differ"))
        )
    assert (found.success, found.result) == (True, "a")
    assert (missed.success, missed.error) == (False, "no word is there 2 times")
