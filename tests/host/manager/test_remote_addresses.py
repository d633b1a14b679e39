"""A plugin whose name stands for several processes, in a manager: each is a replica, and they follow the name.

The lookup is replaced: no test can change what a name resolves to for everybody on the machine.
"""

import asyncio
import socket

import far
import pytest

from hector.plugin.v1 import llm_pb2, llm_pb2_grpc
from hector_host.errors import PluginError
from hector_host.manager import State
from hector_host.manager.connect.addresses import Resolver, single
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


def failing(targets):
    """In the place of `Resolver.watch`: tells of the targets, and fails."""

    async def watch(_):
        for each in targets:
            yield each
        raise ZeroDivisionError

    return watch


def logged(caplog):
    records = [record for record in caplog.records if record.levelname == "ERROR" and record.name.startswith("hector")]
    return [(record.message, record.exc_info[0]) for record in records]


async def test_a_bug_in_following_a_name_is_told_to_who_waits(host, servers, monkeypatch, caplog, until):
    _, port = servers.plugin("127.0.0.2:0")
    watch = Resolver.watch
    monkeypatch.setattr(Resolver, "watch", failing([]))
    async with host.manager(x={"address": f"127.0.0.2:{port}"}) as manager:
        for _ in range(2):
            with pytest.raises(PluginError) as failed:
                await manager.ready("x")
            assert str(failed.value) == (
                "llm_provider/x: its address is not followed: internal error: ZeroDivisionError\n"
                "  This is a bug of Hector. To follow it again: hector plugin reload x"
            )
        with pytest.raises(PluginError, match="its address is not followed"):
            await manager.lease("x", Ticket("GenerateText"), 5)
        assert manager.state("x") is State.FAILED
        assert manager.status("x").replicas == ()
        await until(lambda: logged(caplog) == [("addresses of x: failed", ZeroDivisionError)])

        monkeypatch.setattr(Resolver, "watch", watch)
        await manager.reload("x")
        assert states(manager) == {f"127.0.0.2:{port}": State.READY}


async def test_what_serves_goes_on_when_its_name_is_no_longer_followed(host, servers, monkeypatch, caplog, until):
    _, port = servers.plugin("127.0.0.2:0")
    address = f"127.0.0.2:{port}"
    monkeypatch.setattr(Resolver, "watch", failing([(single(address),)]))
    async with host.manager(x={"address": f"dns:///plugin.test:{port}"}) as manager:
        await manager.ready("x")
        await until(lambda: logged(caplog) == [("addresses of x: failed", ZeroDivisionError)])
        assert states(manager) == {address: State.READY}
        lease = await manager.lease("x", Ticket("GenerateText"))
        assert await ask(lease) == "far"
        lease.release()


async def test_a_replica_whose_address_went_is_discarded_with_the_others(host, servers, monkeypatch, until):
    _, port = servers.plugin("127.0.0.2:0")
    servers.plugin(f"127.0.0.3:{port}")
    first, second = (single(f"127.0.0.{each}:{port}") for each in (2, 3))
    moved = asyncio.Event()

    async def watch(_):
        yield (first,)
        await moved.wait()
        yield (second,)
        await asyncio.Event().wait()

    monkeypatch.setattr(Resolver, "watch", watch)

    async def live():
        async with host.manager(x={"address": f"dns:///plugin.test:{port}"}) as manager:
            await manager.lease("x", Ticket("GenerateText"))  # which is never given back
            moved.set()
            await until(lambda: states(manager) == {second.address: State.READY})

    living = asyncio.create_task(live())
    await until(lambda: any(change.replica == 2 and change.new is State.DRAINING for change in host.changes))
    living.cancel()
    await asyncio.wait((living,))
    assert [change.new for change in host.changes if change.replica == 1][-2:] == [State.DRAINING, State.STOPPED]
