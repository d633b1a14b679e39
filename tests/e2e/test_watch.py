"""`hector serve` follows its files: what is dropped in, taken out, changed or broken, while callers call."""

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from commandline import until

from hector.host.v1.hector_pb2 import ListPluginsRequest
from hector.host.v1.supervision_pb2 import PluginState

from .conftest import echo
from .serving import serving

MODEL = """\
from hector.plugin.v1.llm_pb2 import GenerateTextResponse
from hector_sdk import LLM, serve

class Model(LLM):
    async def generate_text(self, request):
        return GenerateTextResponse(text="one")

if __name__ == "__main__":
    serve(Model())
"""
MANIFEST = "plugin: {name: dropped, version: '1', type: llm_provider, command: [python, model.py]}\n"


def document():
    """An agent `a` that says what it hears, and plugins that are discovered in `plugins/`."""
    found = echo(reasoning={"enable_streaming": False})
    found["plugins"]["discovery"] = {"enabled": True, "paths": ["plugins"]}
    return found


def naming(found):
    """The same with an agent `b` behind the plugin that is dropped in."""
    found["llms"]["dropped"] = {"type": "plugin:dropped"}
    found["agents"]["b"] = {"llm": "dropped", "tools": []}
    return found


@pytest.fixture
def drop(hector):
    """Puts the plugin `dropped` into `plugins/`, or what is in there now out of it."""
    (hector.folder / "plugins").mkdir()
    there, away = hector.folder / "plugins/dropped", hector.folder / "away"
    away.mkdir()
    (away / "model.py").write_text(MODEL)
    (away / "plugin.yaml").write_text(MANIFEST)

    def move(*, out=False):
        if out:
            there.rename(away)
        else:
            away.rename(there)
        return there

    return move


def plugins(live):
    return {plugin.name: plugin.state for plugin in live.stub.ListPlugins(ListPluginsRequest()).plugins}


def test_a_plugin_that_is_dropped_in_is_there_and_one_taken_out_is_gone(hector, drop):
    hector.write(document())
    with serving(hector) as live:
        live.until_ready("echo")
        drop()
        until(lambda: plugins(live).get("dropped") == PluginState.PLUGIN_STATE_DISCOVERED)
        drop(out=True)
        until(lambda: "dropped" not in plugins(live))
        log = live.read_error_until("discovery: removed dropped\n")
        assert "discovery: added dropped\n" in log
        assert live.answer("Hello") == "Hello"


def test_a_plugin_that_lies_there_serves_who_names_it(hector, drop):
    drop()
    hector.write(naming(document()))
    assert hector.answer("call", "b", "Hello").strip() == "one"
    assert hector.answer("validate") == "hector.yaml: valid\n"
    assert "b      dropped" in hector.answer("list")


def test_the_file_may_name_what_was_dropped_in_and_what_is_taken_out_is_drained(hector, drop):
    hector.write(document())
    with serving(hector, "--watch") as live:
        drop()
        hector.write(naming(document()))
        until(lambda: plugins(live).get("dropped") == PluginState.PLUGIN_STATE_READY)
        assert live.answer("Hello", agent="b") == "one"
        drop(out=True)
        until(lambda: "dropped" not in plugins(live))
        with pytest.raises(grpc.RpcError, match="dropped"):
            live.call("Hello", agent="b")


def test_a_changed_option_replaces_a_plugin_without_losing_a_call(hector):
    hector.write(echo("one"))
    answers = []
    over = threading.Event()

    def ask(live):
        while not over.is_set():
            answers.append(live.answer("Hello"))

    with serving(hector, "--watch") as live, ThreadPoolExecutor() as pool:
        live.until_ready("echo")
        try:
            callers = [pool.submit(ask, live) for _ in range(4)]
            until(lambda: "one" in answers)
            hector.write(echo("two"))
            until(lambda: "two" in answers)
        finally:
            over.set()
        for caller in callers:
            caller.result()
    assert set(answers) == {"one", "two"}
    last_old, first_new = max(i for i, a in enumerate(answers) if a == "one"), answers.index("two")
    assert last_old - first_new < len(callers) * 2  # who called before it moved over is answered by the old one


def test_a_broken_file_is_told_and_the_old_one_serves(hector):
    hector.write(echo("one"))
    with serving(hector, "--watch") as live:
        file = hector.folder / "hector.yaml"
        good = file.read_text()
        file.write_text(good + "agent: {}\n")
        log = live.read_error_until("stays in use.\n")
        assert "agent: unknown key\n  Did you mean agents?\n  The configuration that was read before" in log
        assert live.answer("Hello") == "one"
        file.write_text(good.replace("one", "two"))
        until(lambda: live.answer("Hello") == "two")


def test_changed_code_replaces_a_plugin_and_broken_code_does_not(hector):
    (hector.folder / "model.py").write_text(MODEL)
    found = echo()
    found["plugins"]["llm_providers"]["echo"] = {"path": "model.py"}
    hector.write(found)
    with serving(hector, "--watch") as live:
        assert live.answer("Hello") == "one"
        (hector.folder / "model.py").write_text("broken")
        live.read_error_until("Its files have changed; what ran before goes on.\n")
        assert live.answer("Hello") == "one"
        (hector.folder / "model.py").write_text(MODEL.replace("one", "two"))
        until(lambda: live.answer("Hello") == "two")


def test_a_refused_plugin_takes_no_other_down(hector, drop):
    path = drop()
    hector.write(naming(document()))
    with serving(hector) as live:
        live.until_ready("dropped")
        shutil.copytree(path, hector.folder / "plugins/other")
        live.read_error_until("is the name in ")
        (path / "plugin.yaml").write_text("plugin: 5\n")
        live.read_error_until("5 is not a mapping\n")
        assert live.answer("Hello", agent="b") == "one"
        (path / "plugin.yaml").write_text(MANIFEST)
        path.chmod(0o777)
        live.read_error_until("everybody may write it, so nothing of it is run\n")
        assert plugins(live)["echo"] == PluginState.PLUGIN_STATE_READY
