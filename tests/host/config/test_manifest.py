"""A plugin's description of itself, and everything that can be wrong with it."""

import os
import textwrap
import time

import pytest

from hector_host.config import Kind
from hector_host.config.manifest import Manifest, read_manifest
from hector_host.errors import ConfigError


@pytest.fixture
def read(folder):
    def read(text: str) -> Manifest:
        (folder / "plugin.yaml").write_text(textwrap.dedent(text), encoding="utf-8")
        return read_manifest(folder / "plugin.yaml")

    return read


@pytest.fixture
def refused(read, folder):
    """The message with which a manifest is refused, less the folder."""

    def message(text: str) -> str:
        with pytest.raises(ConfigError) as caught:
            read(text)
        return str(caught.value).replace(f"{folder}/", "")

    return message


def test_a_manifest_is_read_whole(read, folder):
    manifest = read(
        """\
        plugin:
          name: my-plugin
          version: 1.2.3
          kinds: [llm_provider, tool_provider]
          command: [python, -m, my_plugin, "${NOT_EXPANDED}"]
          description: Does things.
          exclusive: true
          platforms: [linux, darwin/arm64]
        """
    )
    assert manifest == Manifest(
        file=folder / "plugin.yaml",
        name="my-plugin",
        version="1.2.3",
        kinds=(Kind.LLM, Kind.TOOL),
        command=("python", "-m", "my_plugin", "${NOT_EXPANDED}"),
        description="Does things.",
        exclusive=True,
        platforms=("linux", "darwin/arm64"),
    )


@pytest.mark.parametrize("kind", Kind)
def test_one_kind_may_be_written_as_the_type(read, folder, kind):
    assert read(f"plugin: {{name: x, version: v1, type: {kind}}}") == Manifest(
        folder / "plugin.yaml", "x", "v1", (kind,)
    )


BODY = "plugin: {name: x, version: v1, kinds: [llm_provider]"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "plugin.yaml: has no key plugin\n  Write everything below plugin: name, version, kinds, command."),
        ("- x\n", "plugin.yaml: has no key plugin\n  Write everything below plugin: name, version, kinds, command."),
        ("plugin:\n", "plugin.yaml:1: plugin: null is not a mapping\n  Write keys and values: {key: value}."),
        (
            "plugins: {name: x}\n",
            (
                "plugin.yaml: has no key plugin\n  Write everything below plugin: name, version, kinds, command.\n"
                "plugin.yaml:1: plugins: unknown key\n  Did you mean plugin?"
            ),
        ),
        (
            "plugin: {kinds: [llm_provider]}\n",
            (
                "plugin.yaml:1: plugin.name: is missing\n  Add it: The name it goes by.\n"
                "plugin.yaml:1: plugin.version: is missing\n  Add it: The version of the plugin."
            ),
        ),
        (
            "plugin:\n  name: x\n  version: 1.0\n  kind: llm_provider\n",
            (
                "plugin.yaml:1: plugin: does not say what it provides\n  Add kinds: one or several of llm_provider, "
                "database_provider, embedder_provider, tool_provider, reasoning_strategy.\n"
                'plugin.yaml:3: plugin.version: 1.0 is not text\n  Write it in quotes: "1.0".\n'
                "plugin.yaml:4: plugin.kind: unknown key\n  Did you mean kinds?"
            ),
        ),
        (
            "plugin: {name: ../x, version: v1, kinds: [llm]}\n",
            (
                'plugin.yaml:1: plugin.name: "../x" is no usable name\n'
                "  Use letters, digits, _, - and ., at most 64, no - or . at its beginning.\n"
                'plugin.yaml:1: plugin.kinds[0]: "llm" is not known here\n'
                "  Write llm_provider, database_provider, embedder_provider, tool_provider or reasoning_strategy."
            ),
        ),
        (
            BODY + ", type: llm_provider}",
            "plugin.yaml:1: plugin.type: says what kinds says\n  Keep one of them.",
        ),
        (
            BODY + ", command: python x.py}",
            'plugin.yaml:1: plugin.command: "python x.py" is not a list\n  Write it in brackets: [one, two].',
        ),
        (BODY + ", command: []}", "plugin.yaml:1: plugin.command: is empty\n  Write something, or remove the key."),
        (
            BODY + ", platforms: [linux, plan9, linux/386]}",
            (
                "plugin.yaml:1: plugin.platforms[1]: is not a platform\n"
                "  Write linux, darwin or windows; /amd64 or /arm64 may follow.\n"
                "plugin.yaml:1: plugin.platforms[2]: is not a platform\n"
                "  Write linux, darwin or windows; /amd64 or /arm64 may follow."
            ),
        ),
        (
            BODY + ", exclusive: yes}",
            'plugin.yaml:1: plugin.exclusive: "yes" is not true or false\n  Write true or false, without quotes.',
        ),
        (
            "plugin: {name: x, version: v1, kinds: []}",
            "plugin.yaml:1: plugin.kinds: is empty\n  Write something, or remove the key.",
        ),
    ],
)
def test_a_wrong_manifest_is_refused(refused, text, message):
    assert refused(text) == message


def test_a_manifest_that_is_not_there_is_named(folder):
    with pytest.raises(ConfigError) as caught:
        read_manifest(folder / "plugin.yaml")
    assert str(caught.value) == f"{folder}/plugin.yaml: no such file\n  Write a manifest there, or name another path."


def test_a_manifest_is_read_again_only_when_it_has_changed(read, folder, monkeypatch):
    file = folder / "plugin.yaml"
    text = "plugin: {name: x, version: '1', kinds: [llm_provider], command: [./x]}\n"
    assert read(text) is not read_manifest(file), "it may change again without a sign"
    monkeypatch.setattr(time, "time_ns", lambda: file.stat().st_ctime_ns + 3_000_000_000)
    first = read_manifest(file)
    assert read_manifest(file) is first
    times = file.stat()
    file.write_text(text.replace("'1'", "'2'"))
    os.utime(file, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert read_manifest(file).version == "2"
