"""What a live host does when its files change, and what it says when that goes wrong."""

import asyncio
import shutil
from contextlib import asynccontextmanager

import pytest

from hector_host import config
from hector_host.config.differences import differences
from hector_host.errors import PluginError
from hector_host.manager.status import ConfigChanges
from hector_host.manager.watching.following import follow
from hector_host.manager.watching.observation import Changed

MANIFEST = "plugin: {name: %s, version: '1', type: llm_provider, command: [python]}\n"
TEXT = """\
plugins:
  discovery: {enabled: true}
  llm_providers:
    p: {path: p}
"""


class Hosted:
    """Stands for the host: what it serves, what was asked of it, and what it was told."""

    def __init__(self, folder):
        self.folder = folder
        self.config = config.load()
        self.applied = []
        self.reloaded = []
        self.reports = []
        self.failed = {}
        self.error = None
        self.everything = True
        self._changes = asyncio.Queue()
        self._idle = asyncio.Event()

    async def __aenter__(self):
        return self

    async def __aexit__(self, *_):
        return None

    async def changed(self):
        if self._changes.empty():
            self._idle.set()
        return await self._changes.get()

    async def apply(self, edition):
        if self.error:
            raise self.error
        changes = differences(self.config, edition)
        self.config = edition
        self.applied.append(edition)
        return ConfigChanges(changes.added, changes.removed, changes.changed, self.failed)

    async def reload(self, name):
        if self.error:
            raise self.error
        self.reloaded.append(name)

    async def change(self, **what):
        """Returns when the change has been dealt with."""
        self._idle.clear()
        self._changes.put_nowait(Changed(**what))
        await self._idle.wait()

    async def idle(self):
        await self._idle.wait()

    def write(self, text):
        (self.folder / "hector.yaml").write_text(text)

    def drop(self, name, text=None):
        (self.folder / "plugins" / name).mkdir(parents=True)
        (self.folder / "plugins" / name / "plugin.yaml").write_text(text or MANIFEST % name)

    @property
    def said(self):
        """What was reported since it was asked last."""
        said, self.reports[:] = [report.replace(f"{self.folder}/", "") for report in self.reports], []
        return said


@pytest.fixture
def following(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "p").mkdir()
    (tmp_path / "p/plugin.yaml").write_text(MANIFEST % "p")
    (tmp_path / "hector.yaml").write_text(TEXT)

    @asynccontextmanager
    async def enter(prepare=None, *, everything=True):
        host = Hosted(tmp_path)
        host.everything = everything
        if prepare:
            prepare(host)
        task = asyncio.create_task(follow(host, lambda: host.config, host.apply, host.reload, host.reports.append))
        try:
            async with asyncio.timeout(20):
                await host.idle()
                yield host
        finally:
            task.cancel()
            await asyncio.wait((task,))
        assert task.cancelled()

    return enter


async def test_nothing_is_done_and_said_while_nothing_changes(following):
    async with following() as host:
        await host.change(config=True, discovery=True)
        assert (host.applied, host.said) == ([], [])


async def test_a_changed_file_is_applied(following):
    async with following() as host:
        host.write(TEXT.replace("{path: p}", "{path: p, config: {a: 1}}") + "    q: {path: p}\nagents: {a: {llm: m}}")
        await host.change(config=True)
        assert host.config.plugins["p"].config == {"a": 1}
        assert host.said == [
            'warning: hector.yaml:6: agents.a.llm: no llm is named "m"',
            "hector.yaml: read again: added q; changed p, agents",
        ]
        host.write(TEXT)
        await host.change(config=True)
        assert host.said == ["hector.yaml: read again: removed q; changed p, agents"]


async def test_what_changed_before_it_was_watched_is_applied(following):
    async with following(lambda host: host.write(TEXT + "    q: {path: p}\n")) as host:
        assert list(host.config.plugins) == ["p", "q"]


async def test_without_everything_the_file_is_left_alone(following):
    def prepare(host):
        host.write(TEXT + "    q: {path: p}\n")
        host.drop("early")

    async with following(prepare, everything=False) as host:
        assert list(host.config.plugins) == ["p", "early"]
        host.drop("late")
        await host.change(discovery=True)
        assert list(host.config.plugins) == ["p", "early", "late"]


async def test_a_broken_file_changes_nothing(following):
    async with following() as host:
        host.write(TEXT + "agent: {}\n")
        await host.change(config=True)
        assert host.applied == []
        assert host.said == [
            (
                "hector.yaml:5: agent: unknown key\n  Did you mean agents?\n"
                "  The configuration that was read before stays in use."
            )
        ]
        host.write(TEXT + "agents:\n")
        await host.change(config=True)
        assert (host.applied, host.said) == ([], [])


async def test_a_slip_takes_no_working_agent_away(following):
    agents = 'llms: {m: {type: "plugin:p"}}\nagents: {a: {llm: m}}\n'
    async with following(lambda host: host.write(TEXT + agents)) as host:
        served = host.config
        assert list(served.agents) == ["a"]
        host.reports.clear()
        host.write(TEXT + agents.replace("llm: m}", "llm: mm}"))
        await host.change(config=True)
        assert host.config is served
        *warning, refusal = host.said
        assert warning == ['warning: hector.yaml:6: agents.a.llm: no llm is named "mm"']
        assert refusal == (
            'hector.yaml:6: agents.a.llm: no llm is named "mm"\n  Did you mean m?\n'
            "  The configuration that was read before stays in use."
        )


async def test_what_is_dropped_in_is_there_and_what_is_taken_out_is_gone(following):
    async with following() as host:
        host.drop("new")
        await host.change(discovery=True)
        assert list(host.config.plugins) == ["p", "new"]
        shutil.rmtree(host.folder / "plugins/new")
        await host.change(discovery=True)
        assert list(host.config.plugins) == ["p"]
        assert host.said == ["discovery: added new", "discovery: removed new"]


async def test_a_broken_manifest_is_told_once_and_the_good_ones_are_taken(following):
    broken = "plugins/bad/plugin.yaml:1: plugin: 5 is not a mapping\n  Write keys and values: {key: value}."
    async with following() as host:
        host.drop("bad", "plugin: 5\n")
        host.drop("good")
        await host.change(discovery=True)
        assert host.said == [broken, "discovery: added good"]
        host.drop("better")
        await host.change(discovery=True)
        assert host.said == ["discovery: added better"]
        (host.folder / "plugins/bad/plugin.yaml").write_text(MANIFEST % "bad")
        await host.change(discovery=True)
        assert host.said == ["discovery: added bad"]
        (host.folder / "plugins/bad/plugin.yaml").write_text("plugin: 5\n")
        await host.change(discovery=True)
        assert host.said == [broken]
        assert sorted(host.config.plugins) == ["bad", "better", "good", "p"]


async def test_changed_files_of_a_plugin_replace_it(following):
    async with following() as host:
        await host.change(plugins=frozenset({"p", "gone"}))
        assert (host.reloaded, host.said) == (["p"], [])


async def test_a_replacement_that_fails_is_told(following):
    async with following() as host:
        host.error = PluginError("llm_provider/p: it did not start", "Its log: p.log")
        await host.change(plugins=frozenset({"p"}))
        assert host.said == [
            "llm_provider/p: it did not start\n  Its log: p.log\n  Its files have changed; what ran before goes on."
        ]


async def test_a_configuration_that_cannot_be_applied_is_told(following):
    async with following() as host:
        host.error = PluginError("llm_provider/p: it did not start")
        host.write(TEXT + "    q: {path: p}\n")
        await host.change(config=True)
        assert host.said == ["llm_provider/p: it did not start\n  The configuration that was read before stays in use."]
        host.error = None
        host.failed = {"p": PluginError("llm_provider/p: it did not start", "Its log: p.log")}
        host.write(TEXT.replace("{path: p}", "{path: p, config: {a: 1}}"))
        await host.change(config=True)
        assert host.said == [
            "hector.yaml: read again: changed p",
            "llm_provider/p: it did not start\n  Its log: p.log\n  What ran before goes on.",
        ]


async def test_what_needs_another_host_is_told(following):
    async with following() as host:
        host.write(TEXT + "server: {port: 1}\n")
        await host.change(config=True)
        assert host.said == [
            "hector.yaml: read again: changed server",
            "hector.yaml:5: server: takes effect when the host is started anew",
        ]


async def test_a_fault_of_our_own_ends_nothing(following):
    async with following() as host:
        host.error = RuntimeError("bug")
        host.write(TEXT + "    q: {path: p}\n")
        await host.change(config=True, plugins=frozenset({"p"}))
        assert host.said == [
            "watch: the configuration could not be applied: RuntimeError('bug')",
            "watch: plugin p could not be replaced: RuntimeError('bug')",
        ]
        host.error = None
        await host.change(config=True)
        assert list(host.config.plugins) == ["p", "q"]


async def test_a_watch_that_fails_is_told(following):
    async with following() as host:
        reports = []

        class Failing(Hosted):
            async def changed(self):
                raise RuntimeError("bug")

        watch = Failing(host.folder)
        await follow(watch, lambda: host.config, host.apply, host.reload, reports.append)
        assert reports == ["watch: files are followed no longer: RuntimeError('bug')"]
