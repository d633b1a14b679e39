"""What is tried again when a plugin cannot be reached, and what never is; how long anything may take."""

import grpc
import pytest

from hector_host.errors import CallError
from hector_host.providers.call import Call
from hector_host.providers.packed import Row, components

AWAY = ["UNAVAILABLE", "out for lunch"]


async def test_what_changes_nothing_is_tried_three_times(providing):
    async with providing("embedder_providers", fail={"EmbedText": [AWAY, AWAY]}) as providers:
        assert await providers.registry.embedder("e").embed(["a"], call=providers.call) == [components([1, 0, 0])]
        assert providers.rpcs == ["EmbedText"] * 3
        assert [(step.kind, step.provider, step.plugin, step.ok) for step in providers.steps] == [
            ("embed", "embedder/e", "p", True)
        ]


async def test_and_not_a_fourth_time(providing):
    async with providing("embedder_providers", fail={"EmbedText": [AWAY] * 4}) as providers:
        with pytest.raises(CallError) as caught:
            await providers.registry.embedder("e").embed(["a"], call=providers.call)
        assert str(caught.value) == "embedder_provider/p: EmbedText: UNAVAILABLE: out for lunch"
        assert caught.value.retryable
        assert not caught.value.outcome_unknown
        assert providers.rpcs == ["EmbedText"] * 3
        assert [step.ok for step in providers.steps] == [False]


async def test_an_upsert_is_tried_again_because_twice_is_once(providing):
    async with providing("database_providers", fail={"UpsertVectors": [AWAY]}) as providers:
        await providers.registry.database("d").upsert("docs", rows(1, 3), providers.call)
        assert providers.rpcs == ["UpsertVectors"] * 2


async def test_a_tool_is_never_called_twice(providing):
    async with providing("tool_providers", fail={"ExecuteTool": [AWAY]}, tools={"t": {}}) as providers:
        with pytest.raises(CallError) as caught:
            await providers.registry.tools("p").execute("t", {}, "r/t1", providers.call)
        assert str(caught.value) == "tool_provider/p: ExecuteTool: UNAVAILABLE: out for lunch"
        assert caught.value.outcome_unknown
        assert providers.rpcs == ["ExecuteTool"]


@pytest.mark.parametrize("code", ["INTERNAL", "ABORTED", "RESOURCE_EXHAUSTED"])
async def test_nothing_is_tried_again_that_arrived(providing, code):
    async with providing("embedder_providers", fail={"EmbedText": [[code, "no"]]}) as providers:
        with pytest.raises(CallError) as caught:
            await providers.registry.embedder("e").embed(["a"], call=providers.call)
        assert caught.value.code is grpc.StatusCode[code]
        assert caught.value.retryable is (code != "INTERNAL")
        assert providers.rpcs == ["EmbedText"]


@pytest.mark.parametrize(("rpc", "unknown"), [("SearchVectors", False), ("CreateCollection", True)])
async def test_a_call_ends_at_its_deadline(providing, rpc, unknown):
    async with providing("database_providers", timeout="300ms", hang=[rpc]) as providers:
        database = providers.registry.database("d")
        calls = {
            "SearchVectors": lambda: database.search("docs", components([1, 0, 0]), limit=1, call=providers.call),
            "CreateCollection": lambda: database.create_collection("docs", 3, providers.call),
        }
        with pytest.raises(CallError) as caught:
            await calls[rpc]()
        log = providers.data.parents[1] / "logs/p.log"
    assert str(caught.value) == (
        f"database_provider/p: {rpc} did not answer within 0.3 s\n"
        f"  Give it more time with security.timeout of plugin p, or look into its log: {log}"
    )
    assert caught.value.code is grpc.StatusCode.DEADLINE_EXCEEDED
    assert caught.value.outcome_unknown is unknown


def rows(count: int, dimension: int):
    return [Row(str(number), components([0.5] * dimension)) for number in range(count)]


async def test_upserts_go_in_portions_of_8_mib(providing):
    async with providing("database_providers") as providers:
        # 40 vectors of a quarter of a mebibyte are 10 MiB.
        await providers.registry.database("d").upsert("docs", rows(40, 1 << 16), providers.call)
        counts, sizes = zip(*(request["vectors"] for _, request in providers.asked), strict=True)
        assert counts == (31, 9)
        assert all(size <= 8 << 20 for size in sizes)
        await providers.registry.database("d").upsert("docs", [], providers.call)
        assert len(providers.asked) == 2


async def test_the_facts_of_a_call_travel_with_it_in_ascii():
    assert Call(run="r1", session="früh", agent="a b").metadata == (
        ("hector-run", "r1"),
        ("hector-session", "fr%C3%BCh"),
        ("hector-agent", "a b"),
    )
