"""What a live host says that is newer than this command, or no friend of its terminal."""

from concurrent import futures
from importlib.metadata import version

import grpc
import pytest

from hector.host.v1.hector_pb2 import (
    Agent,
    GetHostResponse,
    GetRunResponse,
    ListAgentsResponse,
    ListPluginsResponse,
    ListRunsResponse,
    RunIteration,
    RunSummary,
)
from hector.host.v1.hector_pb2_grpc import HectorServicer, add_HectorServicer_to_server
from hector.host.v1.supervision_pb2 import PluginStatus
from hector_host.api.errors import trailers_of
from hector_host.errors import HectorError

RED = "\x1b[31m"


class Strange(HectorServicer):
    def GetHost(self, request, context):  # noqa: N802 - as the contract names it
        return GetHostResponse(version=version("hector-host"), config_file=f"/srv/{RED}.yaml")

    def ListAgents(self, request, context):  # noqa: N802 - as the contract names it
        return ListAgentsResponse(agents=[Agent(id=f"a{RED}", llm="m", engine="e", description=f"one\ntwo{RED}")])

    def ListPlugins(self, request, context):  # noqa: N802 - as the contract names it
        return ListPluginsResponse(plugins=[PluginStatus(name="p", kind=f"k{RED}", state=99)])

    def ListRuns(self, request, context):  # noqa: N802 - as the contract names it
        return ListRunsResponse(runs=[RunSummary(run_id=f"r{RED}", agent=f"a{RED}", status=99, question="q")])

    def GetRun(self, request, context):  # noqa: N802 - as the contract names it
        return GetRunResponse(iterations=[RunIteration(number=1, thought=f"why{RED}")])

    def ExplainPlugin(self, request, context):  # noqa: N802 - as the contract names it
        context.set_trailing_metadata(trailers_of(HectorError(f"p: {RED}", f"do\nthis{RED}"), grpc.StatusCode.INTERNAL))
        context.abort(grpc.StatusCode.INTERNAL, "no")


@pytest.fixture
def strange(hector):
    """Asks the strange host."""
    server = grpc.server(futures.ThreadPoolExecutor(2))
    add_HectorServicer_to_server(Strange(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield lambda *verb: hector(*verb, "--server", f"127.0.0.1:{port}")
    server.stop(0).wait()


def test_agents(strange):
    assert strange("list").out.splitlines()[1] == "a\\x1b[31m  m    e       one two\\x1b[31m"


def test_a_state_without_a_name(strange):
    assert strange("plugin", "list").out.splitlines()[1] == "p       k\\x1b[31m  unknown"
    assert strange("plugin", "list", "--json").json[0]["state"] == "unknown"


def test_runs(strange):
    (row,) = strange("runs", "list").out.splitlines()[1:]
    assert row.startswith("r\\x1b[31m  ")
    assert row.endswith("  a\\x1b[31m  unknown  q")


def test_what_a_run_thought(strange):
    assert "1. why[31m" in strange("runs", "show", "r").out.splitlines()


def test_errors(strange):
    ended = strange("plugin", "why", "p")
    assert (ended.code, ended.err) == (1, "hector: p: \\x1b[31m\n  do\n  this\\x1b[31m\n")
