"""The demo stack as its files have it, without an engine: `nox -s compose` runs it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hector_host.config import Config, load

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]
PLUGINS = {
    "echo": "echo-llm",
    "echo_go": "echo-llm-go",
    "sentence_transformers": "sentence-transformers-embedder",
    "faiss": "faiss-database",
    "shell": "shell-tools",
    "react": "react-reasoning",
}
"""By its name in the configuration, each plugin of the demo; others are not needed to answer from documents."""
READMES = ("README.md", "docker/README.md")


def config(file: str) -> Config:
    return load(ROOT / file)


@pytest.mark.parametrize("service", SERVICES)
def test_every_container_is_confined(service: str) -> None:
    told = SERVICES[service]
    confined = {
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "pids_limit": 256,
        "init": True,
        "networks": ["plugins"],
        "pull_policy": "never",
    }
    assert {key: told[key] for key in confined} == confined
    assert {"ports", "privileged", "cap_add", "user", "network_mode"} & told.keys() == set()
    assert [each for each in told.get("volumes", []) if each.startswith((".", "/")) and not each.endswith(":ro")] == []


def test_the_network_has_no_way_out() -> None:
    assert yaml.safe_load((DOCKER / "compose.yaml").read_text())["networks"] == {"plugins": {"internal": True}}


def test_there_is_a_container_for_each_plugin_and_for_the_host() -> None:
    assert SERVICES.keys() == {"host", "index", *PLUGINS.values()}


@pytest.mark.parametrize("plugin", PLUGINS.values())
def test_a_plugin_is_built_from_its_own_folder_and_asked_by_its_own_command(plugin: str) -> None:
    build = SERVICES[plugin]["build"]
    assert build["context"] == f"../plugins/{plugin}"
    assert build["additional_contexts"] == {"hector": ".."}
    assert SERVICES[plugin]["healthcheck"]["start_interval"]
    assert "test" not in SERVICES[plugin]["healthcheck"], "the image says what is asked"
    dockerfile = (ROOT / "plugins" / plugin / "Dockerfile").read_text()
    assert re.search(r'^HEALTHCHECK .*"--health"', dockerfile, re.MULTILINE)
    assert re.search(r'^ENTRYPOINT .*"--listen"', dockerfile, re.MULTILINE)
    assert re.search(r"^USER (?!0|root)", dockerfile, re.MULTILINE)


def test_the_host_is_healthy_when_it_lists_its_agents() -> None:
    dockerfile = (DOCKER / "Dockerfile").read_text()
    port = config("docker/hector.yaml").server.port
    assert f'CMD ["hector", "list", "--server", "127.0.0.1:{port}"]' in dockerfile
    assert re.search(r"^USER (?!0|root)", dockerfile, re.MULTILINE)


def test_each_address_is_a_service_and_its_port() -> None:
    addresses = {plugin.name: plugin.address for plugin in config("docker/hector.yaml").plugins.values()}
    assert {
        name: (address or "").removeprefix("dns:///").split(":")[0] for name, address in addresses.items()
    } == PLUGINS
    for name, address in addresses.items():
        dockerfile = (ROOT / "plugins" / PLUGINS[name] / "Dockerfile").read_text()
        assert f"EXPOSE {(address or '').rpartition(':')[2]}" in dockerfile.splitlines()


def test_nothing_differs_from_the_demo_but_where_the_plugins_are() -> None:
    def without_places(text: str) -> list[str]:
        places = re.compile(
            r"^ +(?:package|path|address): (?:hector-|\.\./plugins/|\S+:\d+).*| +working_directory: .*|#.*"
        )
        return [line for line in text.splitlines() if not places.fullmatch(line)]

    demo, stack = (ROOT / "examples/demo.yaml").read_text(), (DOCKER / "hector.yaml").read_text()
    assert without_places(stack) == without_places(demo)
    assert len(stack.splitlines()) == len(demo.splitlines())


def test_the_embedder_starts_with_what_the_host_configures() -> None:
    """Else it loads its model twice."""
    environment = SERVICES["sentence-transformers-embedder"]["environment"]
    plugin = config("docker/hector.yaml").plugins[environment["HECTOR_PLUGIN_NAME"]]
    assert json.loads(environment["HECTOR_PLUGIN_CONFIG"]) == plugin.config
    package = SERVICES["sentence-transformers-embedder"]["build"]["args"]["MODEL_PACKAGE"]
    assert plugin.config == {"model": f"package:{package}"}


def test_images_are_built_of_what_both_builders_and_registries_have() -> None:
    """One Python and one Go for all; the frontend is the builder's own."""
    bases = {"golang:1.26-bookworm", "python:3.12-slim-bookworm", "scratch"}
    files = [DOCKER / "Dockerfile", *(ROOT / "plugins" / plugin / "Dockerfile" for plugin in PLUGINS.values())]
    lines = [line for file in files for line in file.read_text().splitlines()]
    assert {line.split()[1] for line in lines if line.startswith("FROM ")} == bases
    assert [line for line in lines if line.startswith("# syntax=")] == []


def test_builders_are_sent_what_images_are_made_of_and_no_more() -> None:
    first, *patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    assert first == "*"
    sent = {pattern[1:] for pattern in patterns if pattern.startswith("!")}
    copied = {
        line.split()[-2].split("/")[0]
        for line in (DOCKER / "Dockerfile").read_text().splitlines()
        if line.startswith("COPY ") and "--from" not in line
    }
    assert sent == copied


def test_the_readme_says_what_the_stacks_own_page_says() -> None:
    said = {path: re.findall(r"^docker compose .*$", (ROOT / path).read_text(), re.MULTILINE) for path in READMES}
    assert len(said["README.md"]) == 2
    assert [command for command in said["README.md"] if command not in said["docker/README.md"]] == []
