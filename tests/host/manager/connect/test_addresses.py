"""What an address stands for, now and later.

The lookup is injected. What names resolve to is decided by files and servers of the machine, on the port that DNS has:
no test can change those without being root and disturbing everybody else on it.
"""

import asyncio
import socket
import threading
from contextlib import asynccontextmanager

import far
import pytest

from hector_host import config
from hector_host.manager.connect.addresses import Resolver, Target, single

NAME = "dns:///plugin.test:9000"
UNRESOLVED = Target(NAME, NAME, "plugin.test:9000")


def target(address):
    scheme = "ipv6" if address.startswith("[") else "ipv4"
    return Target(f"{address}:9000", f"{scheme}:{address}:9000", "plugin.test:9000")


@pytest.fixture
def resolver(host):
    def make(address=NAME, lookup=None, **times):
        return Resolver(config.load(host.write(x={"address": address})).plugin("x"), lookup, **times)

    return make


@asynccontextmanager
async def followed(resolver):
    """The next set of targets, each time that it is called."""
    async with asyncio.timeout(20), resolver:
        watching = resolver.watch()
        yield watching.__anext__
        await watching.aclose()


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("plugin.test:9000", Target("plugin.test:9000", "dns:///plugin.test:9000", "plugin.test:9000")),
        ("[::1]:9000", Target("[::1]:9000", "dns:///[::1]:9000", "[::1]:9000")),
        ("unix:/run/p.sock", Target("unix:/run/p.sock", "unix:/run/p.sock", "")),
    ],
)
async def test_one_target_that_nobody_looks_up(resolver, address, expected):
    names = far.Names()
    following = resolver(address, names)
    assert following.targets() == (expected,)
    async with followed(following) as following:
        assert await following() == (expected,)
    assert names.asked == []
    assert single(address) == expected


async def test_every_address_of_a_name_is_a_target(resolver):
    names = far.Names("10.0.0.2", "fe80::1%eth0", "10.0.0.1", "10.0.0.2", "2001:db8::1")
    following = resolver(lookup=names)
    async with followed(following) as following_next:
        found = await following_next()
    assert found == (
        target("10.0.0.1"),
        target("10.0.0.2"),
        target("[2001:db8::1]"),
        Target("[fe80::1%eth0]:9000", "ipv6:[fe80::1%25eth0]:9000", "plugin.test:9000"),
    )
    assert following.targets() == found
    assert names.asked == [("plugin.test", 9000, {"type": socket.SOCK_STREAM})]


@pytest.mark.parametrize(
    ("host_part", "found"), [("localhost", "127.0.0.1"), ("127.0.0.1", "127.0.0.1"), ("[::1]", "[::1]")]
)
async def test_the_systems_own_lookup(resolver, host_part, found):
    async with followed(resolver(f"dns:///{host_part}:9000")) as following:
        assert f"{found}:9000" in [each.address for each in await following()]


async def test_a_name_that_changes(resolver):
    names = far.Names("10.0.0.1", "10.0.0.2")
    async with followed(resolver(lookup=names, interval=0.01)) as following:
        assert await following() == (target("10.0.0.1"), target("10.0.0.2"))
        names.addresses = ("10.0.0.3", "10.0.0.2")
        assert await following() == (target("10.0.0.2"), target("10.0.0.3"))


async def test_the_same_addresses_in_another_order_are_no_change(resolver, until):
    names = far.Names("10.0.0.1", "10.0.0.2")
    async with followed(resolver(lookup=names, interval=0.01)) as following:
        await following()
        names.addresses = ("10.0.0.2", "10.0.0.1")
        changed = asyncio.ensure_future(following())
        asked = len(names.asked)
        await until(lambda: len(names.asked) > asked + 2)
        assert not changed.done()
        names.addresses = ("10.0.0.3",)
        assert await changed == (target("10.0.0.3"),)


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (OSError(24, "Too many open files"), "Too many open files"),
        (UnicodeError("label\ntoo long"), "label too long"),
        (None, "it has no address"),
    ],
)
async def test_a_failed_lookup_keeps_the_addresses_and_says_so_once(resolver, until, caplog, error, problem):
    names = far.Names("10.0.0.1")
    following = resolver(lookup=names, interval=0.02, first_delay=0.01)
    async with followed(following) as following_next:
        await following_next()
        assert following.problem == ""
        names.error, names.addresses = error, ()
        await until(lambda: following.problem)
        asked = len(names.asked)
        await until(lambda: len(names.asked) > asked + 2)
        assert following.problem == problem
        assert following.targets() == (target("10.0.0.1"),)
        names.error, names.addresses = None, ("10.0.0.2",)
        assert await following_next() == (target("10.0.0.2"),)
        assert following.problem == ""
    assert [record.getMessage() for record in caplog.records] == [f"{NAME}: cannot be resolved: {problem}"]


async def test_a_name_that_never_resolved_is_itself_the_target(resolver):
    names = far.Names()
    async with followed(resolver(lookup=names, interval=0.02, first_delay=0.01)) as following:
        assert await following() == (UNRESOLVED,)
        names.addresses = ("10.0.0.1",)
        assert await following() == (target("10.0.0.1"),)


async def test_a_lookup_that_hangs_blocks_nobody_and_stays_alone(resolver, until):
    names = far.Names("10.0.0.1")
    names.go.clear()
    following = resolver(lookup=names, interval=0.02, first_delay=0.01, limit=0.05)
    async with followed(following) as following_next:
        assert await following_next() == (UNRESOLVED,)
        assert following.problem == "no answer within 0.05 s"
        await asyncio.sleep(0.1)  # further attempts begin and time out
        assert len(names.asked) == 1
        names.go.set()
        assert await following_next() == (target("10.0.0.1"),)


async def test_leaving_waits_for_no_lookup(resolver, until):
    names = far.Names("10.0.0.1")
    names.go.clear()
    async with resolver(lookup=names):
        await until(lambda: names.asked)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    (thread,) = [each for each in threading.enumerate() if each.name == "resolver"]
    assert thread.daemon  # a process that ends leaves it behind
    names.go.set()
    thread.join()


async def test_a_lost_connection_has_it_look_soon(resolver, until):
    names = far.Names("10.0.0.1")
    following = resolver(lookup=names, interval=1000.0, first_delay=0.02)
    async with followed(following) as following_next:
        await following_next()
        names.addresses = ("10.0.0.2",)
        following.lost()
        assert await following_next() == (target("10.0.0.2"),)
        await until(lambda: len(names.asked) > 3)  # what was lost may be replaced a little later


async def test_losses_in_a_row_are_looked_after_once(resolver, until):
    names = far.Names("10.0.0.1")
    following = resolver(lookup=names, interval=1000.0, first_delay=0.2)
    async with followed(following) as following_next:
        await following_next()
        for _ in range(50):
            following.lost()
            await asyncio.sleep(0)
        await until(lambda: len(names.asked) > 1)
        assert len(names.asked) == 2
