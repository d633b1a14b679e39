"""A plugin whose name stands for several processes, in a manager: each is a replica, and they follow the name.

The lookup is replaced: no test can change what a name resolves to for everybody on the machine.
"""

import socket

import far
import pytest

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc
from hector_host.manager import State
from hector_host.manager.lease import Ticket


@pytest.fixture
def servers():
    serving = far.Servers()
    yield serving
    serving.close()


@pytest.fixture
def names(monkeypatch):
    answers = far.Names()
    monkeypatch.setattr(socket, "getaddrinfo", answers)
    return answers


def states(manager):
    return {replica.address: replica.state for replica in manager.status("x").replicas}


async def ask(lease):
    stub = llm_pb2_grpc.LLMProviderStub(lease.plugin.channel)
    return (await stub.GenerateText(llm_pb2.GenerateTextRequest(prompt="hi"), metadata=lease.plugin.metadata)).text


async def test_each_address_is_a_replica_that_comes_and_goes(host, servers, names, until):
    first, port = servers.plugin("127.0.0.2:0")
    gone = servers.newest
    second, _ = servers.plugin(f"127.0.0.3:{port}")
    names.addresses = ("127.0.0.2", "127.0.0.3")
    address = f"dns:///plugin.test:{port}"
    async with host.manager(x={"address": address, "config": {"greeting": "hi"}}) as manager:
        await manager.ready("x")
        both = {f"127.0.0.2:{port}": State.READY, f"127.0.0.3:{port}": State.READY}
        await until(lambda: states(manager) == both)
        assert first.configured == second.configured == [("x", {"greeting": "hi"}, "")]

        leases = [await manager.lease("x", Ticket("GenerateText")) for _ in range(4)]
        assert [await ask(lease) for lease in leases] == ["far"] * 4
        assert [replica.in_flight for replica in manager.status("x").replicas] == [2, 2]
        for lease in leases:
            lease.release()

        gone.stop(None).wait()
        await until(lambda: states(manager)[f"127.0.0.2:{port}"] is State.BACKOFF)
        assert manager.state("x") is State.DEGRADED
        lease = await manager.lease("x", Ticket("GenerateText"))
        assert await ask(lease) == "far"
        lease.release()

        third, _ = servers.plugin(f"127.0.0.4:{port}")
        names.addresses = ("127.0.0.3", "127.0.0.4")
        await until(lambda: states(manager) == {f"127.0.0.{each}:{port}": State.READY for each in (3, 4)})
        assert third.configured == [("x", {"greeting": "hi"}, "")]
        assert [replica.number for replica in manager.status("x").replicas] == [2, 3]


async def test_a_name_that_does_not_resolve_at_first(host, servers, names, until):
    _, port = servers.plugin("127.0.0.2:0")
    async with host.manager(x={"address": f"dns:///plugin.invalid:{port}"}) as manager:
        manager.start(["x"])
        await until(lambda: manager.state("x") is State.BACKOFF)
        assert states(manager) == {f"dns:///plugin.invalid:{port}": State.BACKOFF}
        names.addresses = ("127.0.0.2",)
        await until(lambda: states(manager) == {f"127.0.0.2:{port}": State.READY})
