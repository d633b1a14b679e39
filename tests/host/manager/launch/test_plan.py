"""From the configuration to what is run."""

import os
import platform
import sys

import pytest

from hector_host import config
from hector_host.errors import ConfigError, StartError
from hector_host.manager.failure import Failure
from hector_host.manager.launch.plan import plan

MANIFEST = "plugin: {name: p, version: '1', kinds: [llm_provider], command: [%s]}\n"


@pytest.fixture
def planned(host):
    def make(**plugin):
        read = config.load(host.write(x=plugin))
        return plan(read.plugins["x"], read, {"PATH": os.environ["PATH"]})

    return make


def folder(host, command="python, main.py", **more):
    path = host.folder / "p"
    path.mkdir()
    (path / "plugin.yaml").write_text(MANIFEST % command)
    return path


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_an_executable_runs_in_the_folder_of_the_configuration(host, planned):
    path = program(host.folder / "p" / "run")
    made = planned(path="p/run")
    assert (made.command, made.folder, made.manifest) == ((str(path),), host.folder, None)


def test_an_executable_may_have_a_manifest_beside_it(host, planned):
    path = program(host.folder / "p" / "run")
    manifest = "plugin: {name: p, version: '1', type: llm_provider, exclusive: true}\n"
    (host.folder / "p" / "run.plugin.yaml").write_text(manifest)
    made = planned(path="p/run")
    assert made.command == (str(path),)
    assert made.manifest.exclusive


def test_a_python_file_runs_under_the_hosts_interpreter(host, planned):
    (host.folder / "p.py").touch()
    assert planned(path="p.py").command == (sys.executable, str(host.folder / "p.py"))


def test_a_folder_runs_its_command_inside_it(host, planned):
    path = folder(host)
    made = planned(path="p")
    assert (made.command, made.folder) == ((sys.executable, "main.py"), path)
    assert made.manifest.name == "p"


def test_the_plugins_own_interpreter_comes_first(host, planned):
    path = folder(host, "python3, -m, p")
    own = program(path / ".venv" / "bin" / "python")
    assert planned(path="p").command == (str(own), "-m", "p")


def test_a_relative_command_begins_at_the_plugins_folder(host, planned):
    path = folder(host, "./run, now")
    program(path / "run")
    assert planned(path="p").command == (str(path / "run"), "now")


def test_a_bare_command_is_found_on_the_path(planned):
    assert planned(command=["sh", "-c", "true"]).command[0].endswith("/sh")


def test_a_command_that_names_nothing(host, planned):
    with pytest.raises(Failure, match=rf"^there is nothing at {host.folder}/bin/run$") as caught:
        planned(command=["./bin/run"])
    assert caught.value.step == "Its command names it: build the plugin, or mend the command."


def test_a_command_that_go_has_yet_to_build(host, planned):
    path = folder(host, "./bin/run")
    (path / "go.mod").touch()
    with pytest.raises(Failure, match=rf"^there is nothing at {path}/bin/run$") as caught:
        planned(path="p")
    assert caught.value.step == f"It is not built yet: cd {path} && GOWORK=off go build -o bin/run ."


def test_a_command_that_is_not_executable(host, planned):
    (host.folder / "run").touch()
    with pytest.raises(Failure, match=rf"^{host.folder}/run is not executable$") as caught:
        planned(command=["./run"])
    assert caught.value.step == f"chmod +x {host.folder}/run"


def test_a_folder_whose_manifest_has_no_command(host, planned):
    path = host.folder / "p"
    path.mkdir()
    (path / "plugin.yaml").write_text("plugin: {name: p, version: '1', type: llm_provider}\n")
    with pytest.raises(Failure, match=rf"^its manifest {path}/plugin.yaml has no command$"):
        planned(path="p")


def test_another_platform(host, planned):
    path = folder(host)
    (path / "plugin.yaml").write_text(
        "plugin: {name: p, version: '1', type: llm_provider, command: [python], platforms: [windows, darwin/arm64]}\n"
    )
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    with pytest.raises(Failure) as caught:
        planned(path="p")
    assert caught.value.what == f"runs on windows, darwin/arm64, and this machine is linux/{machine}"


async def test_a_broken_manifest_is_an_error_of_the_configuration(host):
    path = folder(host)
    (path / "plugin.yaml").write_text("plugin: {name: p, version: '1', kinds: [llm], command: [python]}\n")
    async with host.manager(x={"path": "p"}) as manager:
        with pytest.raises(ConfigError) as caught:
            await manager.ready("x")
    assert str(caught.value).startswith(f"{path}/plugin.yaml:1: plugin.kinds[0]: ")
    assert host.states == ["starting: needed", "failed: manifest"]


def test_an_exclusive_plugin_has_one_process(host, planned):
    path = folder(host)
    (path / "plugin.yaml").write_text(
        "plugin: {name: p, version: '1', type: llm_provider, command: [python], exclusive: true}\n"
    )
    with pytest.raises(ConfigError) as caught:
        planned(path="p", replicas=3)
    assert str(caught.value) == (
        "hector.yaml:6: plugins.llm_providers.x.replicas: 3 processes cannot share the data directory of x\n"
        f"  Remove it, or write replicas: 1: {path}/plugin.yaml says exclusive: true."
    )
    assert planned(path="p", replicas=1).manifest.exclusive


async def test_a_manifest_of_another_kind_is_seen_before_anything_runs(host):
    path = folder(host)
    (path / "plugin.yaml").write_text("plugin: {name: p, version: '1', type: tool_provider, command: [python]}\n")
    async with host.manager(x={"path": "p"}) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
    assert str(caught.value) == (
        "llm_provider/x: the configuration lists it as llm_provider, its manifest says tool_provider\n"
        "  List it under plugins.tool_providers, or name another plugin."
    )
