"""Plugins that the file does not declare: how they are found, and everything for which they are refused."""

import os
import textwrap

import pytest

from hector_host import config
from hector_host.config import ConfigErrors, Kind
from hector_host.errors import ConfigError, NotFoundError

ON = "plugins: {discovery: {enabled: true}}\n"


def manifest(name, kinds="[llm_provider]", command="[./run]"):
    return f"plugin: {{name: {name}, version: v1, kinds: {kinds}, command: {command}}}\n"


@pytest.fixture(autouse=True)
def home(folder, monkeypatch):
    (folder / "home").mkdir()
    monkeypatch.setenv("HOME", str(folder / "home"))
    return folder / "home"


@pytest.fixture
def plugins(folder):
    """The first of the folders that are looked in where the file lists none."""
    (folder / "plugins").mkdir(mode=0o755)
    return folder / "plugins"


@pytest.fixture
def drop(plugins):
    """Puts a plugin's folder among the plugins."""

    def put(name, text=None, to=plugins):
        (to / name).mkdir(mode=0o755)
        (to / name / "plugin.yaml").write_text(manifest(name) if text is None else text, encoding="utf-8")
        return to / name

    return put


@pytest.fixture
def beside(plugins):
    """Puts an executable and its manifest among the plugins."""

    def put(name, text=None):
        (plugins / f"{name}.plugin.yaml").write_text(
            text or f"plugin: {{name: {name}, version: v1, type: tool_provider}}"
        )
        (plugins / name).write_text("#!/bin/sh\n")
        (plugins / name).chmod(0o755)
        return plugins / name

    return put


def test_folders_and_executables_are_found(load, folder, drop, beside):
    path = drop("echo")
    tool = beside("tool")
    drop("several", manifest("many-kinds", "[llm_provider, tool_provider]"))
    loaded = load(ON)
    assert {name: plugin.path for name, plugin in loaded.plugins.items()} == {
        "echo": path,
        "many-kinds": folder / "plugins/several",
        "tool": tool,
    }
    assert [plugin.kind for plugin in loaded.plugins.values()] == [Kind.LLM, None, Kind.TOOL]
    assert all(plugin.source == "path" and plugin.config == {} for plugin in loaded.plugins.values())
    assert loaded.warnings == []


def test_nothing_is_found_unless_discovery_is_on(load, drop):
    drop("echo")
    assert load("plugins: {discovery: {paths: [plugins, not-there]}}").plugins == {}


def test_default_folders_may_be_missing_and_the_home_has_one(load, home, drop):
    (home / ".hector/plugins").mkdir(parents=True)
    path = drop("echo", to=home / ".hector/plugins")
    (home.parent / "plugins").rmdir()
    assert load(ON).plugins["echo"].path == path


def test_what_is_found_is_used_by_its_name(load, drop):
    drop("echo")
    drop("react", manifest("react", "[reasoning_strategy]"))
    loaded = load(ON + 'llms: {m: {type: "plugin:echo"}}\nagents: {a: {llm: m, reasoning: {engine: "plugin:react"}}}\n')
    assert loaded.warnings == []
    assert loaded.plugins_of(loaded.agent("a")) == ["echo", "react"]
    assert loaded.plugin("echo").id == "echo"


def test_a_name_that_is_not_found_is_answered_with_those_that_are(load, drop):
    drop("echo")
    loaded = load(ON + 'llms: {m: {type: "plugin:eco"}}\n')
    assert loaded.warnings == ['hector.yaml:2: llms.m.type: no plugin is named "eco"']
    with pytest.raises(NotFoundError) as caught:
        loaded.plugin("ecko")
    assert str(caught.value) == "ecko: no plugin is named so\n  Did you mean echo?"


def test_a_plugin_of_another_kind_is_told_with_its_manifest(load, drop):
    path = drop("echo")
    loaded = load(ON + 'tools: {t: {type: "plugin:echo"}}\n')
    with pytest.raises(ConfigError) as caught:
        config.check(loaded)
    assert str(caught.value) == (
        f'hector.yaml:2: tools.t.type: "echo" is a llm_provider\n  {path}/plugin.yaml says so: use a tool_provider.'
    )


def test_what_is_found_is_located_in_its_manifest(load, drop):
    path = drop("echo")
    loaded = load(ON)
    key = loaded.plugin("echo").key
    assert loaded.locate(*key) == f"{path}/plugin.yaml"
    assert loaded.locate(*key, "config", "model") == f"{path}/plugin.yaml: config.model"


def test_what_the_file_declares_wins_silently(load, folder, drop):
    drop("echo")
    drop("other", manifest("echo"))
    loaded = load("plugins: {discovery: {enabled: true}, llm_providers: {echo: {path: ./mine, config: {a: 1}}}}")
    assert loaded.plugins["echo"].path == folder / "mine"
    assert loaded.locate(*loaded.plugins["echo"].key) == "hector.yaml:1: plugins.llm_providers.echo"
    assert list(loaded.plugins) == ["echo"]


def test_names_of_sections_are_names_of_plugins_too(load, drop):
    path = drop("discovery")
    drop("llm_providers")
    loaded = load(ON)
    assert list(loaded.plugins) == ["discovery", "llm_providers"]
    assert loaded.locate(*loaded.plugins["discovery"].key) == f"{path}/plugin.yaml"


def test_what_begins_with_a_dot_or_has_no_manifest_is_passed_over(load, plugins, drop):
    drop(".half", "not even a manifest")
    (plugins / ".tool.plugin.yaml").write_text("half")
    (plugins / "folder").mkdir()
    (plugins / "README.md").write_text("")
    (plugins / "gone").symlink_to("/nowhere")
    assert load(ON).plugins == {}


def test_a_folder_is_looked_into_once(load, folder, drop):
    drop("echo")
    (folder / "again").symlink_to("plugins")
    loaded = load("plugins: {discovery: {enabled: true, paths: [plugins, ./plugins/, again]}}")
    assert list(loaded.plugins) == ["echo"]


def test_links_inside_the_folder_are_followed(load, plugins, drop):
    (plugins / ".versions").mkdir()
    drop("v2", manifest("echo"), to=plugins / ".versions")
    (plugins / "echo").symlink_to(".versions/v2")
    assert load(ON).plugins["echo"].path == plugins / "echo"


def test_a_program_that_its_manifest_says_how_to_run_needs_no_permission(load, plugins, beside):
    beside("tool.py").chmod(0o644)
    beside("tool.jar", "plugin: {name: jar, version: v1, type: tool_provider, command: [java, -jar, tool.jar]}").chmod(
        0o644
    )
    assert list(load(ON).plugins) == ["jar", "tool.py"]


# Refusals. PLUGINS stands for the folder.


@pytest.fixture
def said(load, plugins):
    """The whole message with which the folder is refused."""

    def message(text=ON):
        with pytest.raises(ConfigErrors) as caught:
            load(text)
        assert str(caught.value) == "\n".join(caught.value.messages)
        return str(caught.value).replace(str(plugins), "PLUGINS")

    return message


def test_two_manifests_of_one_name_are_both_named(said, drop):
    drop("a", manifest("echo"))
    drop("b", manifest("echo"))
    assert said() == (
        'PLUGINS/b/plugin.yaml: plugin.name: "echo" is the name in PLUGINS/a/plugin.yaml too\n'
        "  Rename or remove one of them, or declare the one that is meant in the configuration."
    )


def test_wrong_manifests_are_told_line_by_line_and_all_at_once(said, drop):
    drop("a", textwrap.dedent("plugin:\n  name: a\n  version: v1\n  kinds: [llm]\n"))
    drop("b", textwrap.dedent("plugin:\n  name: b\n  version: v1\n  type: tool_provider\n  comand: [x]\n"))
    drop("c")
    assert said() == (
        'PLUGINS/a/plugin.yaml:4: plugin.kinds[0]: "llm" is not known here\n'
        "  Write llm_provider, database_provider, embedder_provider, tool_provider or reasoning_strategy.\n"
        "PLUGINS/b/plugin.yaml:5: plugin.comand: unknown key\n"
        "  Did you mean command?"
    )


def test_a_manifest_beside_nothing_is_told(said, beside):
    beside("tool").unlink()
    assert said() == (
        "PLUGINS/tool.plugin.yaml: there is no tool beside it\n"
        "  Put the executable into PLUGINS, or remove the manifest."
    )


def test_a_file_that_is_no_executable_is_told(said, beside):
    beside("tool").chmod(0o644)
    assert said() == "PLUGINS/tool: is not executable\n  chmod +x PLUGINS/tool"


def test_a_discovery_folder_is_not_a_plugin(said, plugins):
    (plugins / "plugin.yaml").write_text(manifest("x"))
    assert said() == (
        "PLUGINS/plugin.yaml: a discovery folder holds plugins and is none\n"
        f"  Name the folder above it: {plugins.parent}"
    )


@pytest.mark.parametrize("path", [".", "echo", "echo/plugin.yaml", "echo/run", "tool", "tool.plugin.yaml"])
def test_what_everybody_may_write_is_refused(said, plugins, drop, beside, path):
    program = drop("echo") / "run"
    program.write_text("#!/bin/sh\n")
    beside("tool")
    target = plugins / path
    target.chmod(target.stat().st_mode | 0o002)
    name = f"PLUGINS/{path}".removesuffix("/.")
    assert said() == f"{name}: everybody may write it, so nothing of it is run\n  chmod o-w {name}"


def test_a_script_that_everybody_may_write_is_refused(said, drop):
    words = f"[python, -c, {'x' * 5000}, main.py, /tmp]"
    script = drop("echo", manifest("echo", command=words)) / "main.py"
    script.touch()
    script.chmod(0o666)
    name = "PLUGINS/echo/main.py"
    assert said() == f"{name}: everybody may write it, so nothing of it is run\n  chmod o-w {name}"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file to another user")
@pytest.mark.parametrize("path", [".", "echo", "echo/plugin.yaml"])
def test_what_belongs_to_another_user_is_refused(said, plugins, drop, path):
    drop("echo")
    os.chown(plugins / path, 54321, -1)
    where = f"PLUGINS/{path}".removesuffix("/.")
    assert said() == (
        f"{where}: belongs to user 54321, so nothing of it is run\n"
        f"  chown root {where}, or declare the plugin in the configuration by its path."
    )


def test_a_link_out_of_the_folder_is_refused(said, plugins, folder, drop):
    outside = drop("outside", to=folder)
    (plugins / "linked").symlink_to(outside)
    path = drop("echo")
    (path / "plugin.yaml").unlink()
    (path / "plugin.yaml").symlink_to(outside / "plugin.yaml")
    step = "Copy the plugin into the folder, or declare it in the configuration by its path."
    assert said() == (
        f"PLUGINS/echo/plugin.yaml: leads out of the discovery folder, to {outside}/plugin.yaml\n  {step}\n"
        f"PLUGINS/linked: leads out of the discovery folder, to {outside}\n  {step}"
    )


def test_what_cannot_be_read_is_told(said, drop):
    path = drop("echo") / "plugin.yaml"
    path.unlink()
    path.symlink_to("none.yaml")
    assert said() == "PLUGINS/echo/plugin.yaml: cannot be read: No such file or directory"


def test_values_of_variables_are_not_repeated(load, folder):
    (folder / "hunter22").mkdir(mode=0o777)
    (folder / "hunter22").chmod(0o777)
    with pytest.raises(ConfigErrors) as caught:
        load('plugins: {discovery: {enabled: true, paths: ["${DIR}"]}}', DIR="hunter22")
    assert str(caught.value) == (
        f"{folder}/${{DIR}}: everybody may write it, so nothing of it is run\n  chmod o-w {folder}/${{DIR}}"
    )


# A running host reads again.


@pytest.fixture
def reread(load):
    """The configuration read again, and what was reported."""

    def again(running):
        reports = []
        return config.reread(running, reports.append, {}), [str(error) for error in reports]

    return again


def test_a_broken_manifest_takes_nothing_down(load, reread, drop):
    echo, other = drop("echo"), drop("other")
    running = load(ON)
    (echo / "plugin.yaml").write_text("plugin: 5\n")
    (other / "plugin.yaml").chmod(0o666)
    drop("new")
    found, reports = reread(running)
    assert list(found.plugins) == ["echo", "new"]
    assert found.plugins["echo"] == running.plugins["echo"]
    assert found.locate(*found.plugins["echo"].key) == f"{echo}/plugin.yaml"
    assert reports == [
        f"{echo}/plugin.yaml:1: plugin: 5 is not a mapping\n  Write keys and values: {{key: value}}.",
        f"{other}/plugin.yaml: everybody may write it, so nothing of it is run\n  chmod o-w {other}/plugin.yaml",
    ]


def test_a_broken_manifest_that_was_never_good_is_left_out(load, reread, drop):
    running = load(ON)
    drop("echo", "plugin: 5")
    found, reports = reread(running)
    assert found.plugins == {}
    assert len(reports) == 1


def test_a_running_plugin_keeps_its_name(load, reread, drop):
    second = drop("b", manifest("echo"))
    running = load(ON)
    first = drop("a", manifest("echo"))
    found, reports = reread(running)
    assert found.plugins["echo"].path == second
    assert reports == [
        (
            f'{first}/plugin.yaml: plugin.name: "echo" is the name in {second}/plugin.yaml too\n'
            "  Rename or remove one of them, or declare the one that is meant in the configuration."
        )
    ]


def test_the_file_itself_must_be_right(load, folder):
    running = load(ON)
    (folder / "hector.yaml").write_text("plugin: {}")
    with pytest.raises(ConfigError) as caught:
        config.reread(running, lambda error: pytest.fail(str(error)), {})
    assert str(caught.value) == "hector.yaml:1: plugin: unknown key\n  Did you mean plugins?"


def test_discovering_again_reads_no_file(load, folder, drop):
    echo = drop("echo")
    running = load(ON[:-2] + ', mine: {path: .}}\nllms: {m: {type: "plugin:new"}}')
    (folder / "hector.yaml").write_text("nonsense")
    (echo / "plugin.yaml").unlink()
    drop("new")
    drop("broken", "plugin: 5\n")
    reports = []
    found = config.rediscover(running, reports.append)
    assert list(found.plugins) == ["mine", "new"]
    assert list(running.plugins) == ["mine", "echo"]
    assert [str(error).partition(": ")[0] for error in reports] == [f"{folder}/plugins/broken/plugin.yaml:1"]
    assert (running.warnings, found.warnings) == (['hector.yaml:2: llms.m.type: no plugin is named "new"'], [])
