import os
import sys

import grpc
import pytest
from google.protobuf.json_format import MessageToDict

from hector.plugin.v1.plugin_pb2 import ConfigureRequest
from hector.plugin.v1.tool_pb2 import ExecuteToolRequest, ListToolsRequest
from hector_sdk.testing import running
from hector_shell_tools.tools import ShellTools

COMMANDS = ["ls", "cat", "sleep", f"{sys.executable} -c"]


async def execute(stubs, tool, key="", **parameters):
    request = ExecuteToolRequest(tool=tool, idempotency_key=key)
    request.parameters.update(parameters)
    return await stubs.tools.ExecuteTool(request)


def config(folder, **more):
    return {"working_directory": str(folder), "allowed_commands": COMMANDS, **more}


async def test_tools_say_what_they_may_do(tmp_path):
    async with running(ShellTools(), config=config(tmp_path)) as stubs:
        tools = {each.name: each for each in (await stubs.tools.ListTools(ListToolsRequest())).tools}
    assert {name: MessageToDict(each.effects) for name, each in tools.items()} == {
        "run": {"keepsReceipts": True},
        "read_file": {"readOnly": True, "idempotent": True, "local": True, "additive": True},
        "write_file": {"idempotent": True, "local": True, "keepsReceipts": True},
        "list_files": {"readOnly": True, "idempotent": True, "local": True, "additive": True},
        "search_files": {"readOnly": True, "idempotent": True, "local": True, "additive": True},
    }
    assert tools["run"].description == (
        "Runs one command and returns what it prints. There is no shell: no pipes, redirections, variables, wildcards."
        f" Allowed: ls, cat, sleep, {sys.executable} -c."
    )
    assert MessageToDict(tools["read_file"].parameters) == {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "path": {"type": "string", "description": "The file, relative to the working directory."},
            "start_line": {
                "type": "integer",
                "default": 1.0,
                "description": "The first line to return, counted from 1.",
            },
        },
        "required": ["path"],
    }


async def test_without_allowed_commands_there_is_no_run(tmp_path):
    async with running(ShellTools(), config={"working_directory": str(tmp_path)}) as stubs:
        names = [each.name for each in (await stubs.tools.ListTools(ListToolsRequest())).tools]
        refused = await execute(stubs, "run", command="ls")
    assert names == ["read_file", "write_file", "list_files", "search_files"]
    assert (refused.success, refused.error) == (False, "`ls` is not allowed here. Allowed: nothing")


async def test_files_are_written_listed_searched_and_read(tmp_path):
    async with running(ShellTools(), config=config(tmp_path)) as stubs:
        wrote = await execute(stubs, "write_file", path="notes/a.md", content="one\ntwo\n")
        listed = await execute(stubs, "list_files", recursive=True)
        found = await execute(stubs, "search_files", text="TWO", ignore_case=True)
        read = await execute(stubs, "read_file", path="notes/a.md", start_line=2)
        ran = await execute(stubs, "run", command="cat a.md", directory="notes")
    assert wrote.result == "Wrote 8 bytes to notes/a.md."
    assert listed.result == "notes/\nnotes/a.md  8 bytes"
    assert found.result == "notes/a.md:2: two"
    assert read.result == "two\n"
    assert ran.result == "one\ntwo"


@pytest.mark.parametrize(
    ("tool", "parameters", "words"),
    [
        ("read_file", {"path": "../x"}, "../x: paths stay inside the working directory, so `..` is not accepted"),
        ("write_file", {"path": "/x", "content": ""}, "/x: give a path relative to the working directory"),
        ("list_files", {"path": "gone"}, "gone: does not exist"),
        ("run", {"command": "rm x"}, f"`rm` is not allowed here. Allowed: ls, cat, sleep, {sys.executable} -c"),
        (
            "run",
            {"command": "ls", "directory": "../"},
            "../: paths stay inside the working directory, so `..` is not accepted",
        ),
        (
            "run",
            {"command": "cat gone"},
            "`cat` ended with exit code 1. Its output ended: cat: gone: No such file or directory",
        ),
        (
            "run",
            {"command": f"{sys.executable} -c 'raise SystemExit(3)'"},
            f"`{sys.executable}` ended with exit code 3. It printed nothing.",
        ),
        ("run", {"command": "cat /dev/zero"}, "`cat` printed more than 1 KiB and was stopped. It began: "),
        (
            "run",
            {"command": "sleep 100"},
            "`sleep` was stopped after 0.5 s, the longest that a command may take. It printed nothing.",
        ),
    ],
)
async def test_failures_are_words_that_a_model_can_act_on(tmp_path, tool, parameters, words):
    async with running(ShellTools(), config=config(tmp_path, timeout="500ms", max_output="1KB")) as stubs:
        response = await execute(stubs, tool, **parameters)
    assert (response.success, response.error) == (False, words)


async def test_a_command_that_prints_nothing_says_so(tmp_path):
    async with running(ShellTools(), config=config(tmp_path)) as stubs:
        assert (await execute(stubs, "run", command="sleep 0")).result == "It printed nothing."


async def test_fifty_megabytes_of_output_are_cut(tmp_path):
    program = "import sys; [sys.stdout.write('x' * 1000) for _ in range(50_000)]"
    async with running(ShellTools(), config=config(tmp_path)) as stubs:
        response = await execute(stubs, "run", command=f'{sys.executable} -c "{program}"')
    assert response.error == (f"`{sys.executable}` printed more than 64 KiB and was stopped. It began: " + "x" * 800)


async def test_cancelling_the_call_ends_the_command(tmp_path, alive, until):
    program = (
        "import os, time; open('pid.tmp', 'w').write(str(os.getpid())); os.rename('pid.tmp', 'pid'); time.sleep(1000)"
    )
    pid = tmp_path / "pid"
    async with running(ShellTools(), config=config(tmp_path)) as stubs:
        request = ExecuteToolRequest(tool="run")
        request.parameters.update({"command": f'{sys.executable} -c "{program}"'})
        call = stubs.tools.ExecuteTool(request)
        await until(pid.exists)
        call.cancel()
        await until(lambda: not alive(pid.read_text()))
    assert call.cancelled()


async def test_a_repeated_key_is_answered_from_its_receipt(tmp_path):
    data = tmp_path / "data"
    program = "open('count', 'a').write('x'); print('done')"
    command = f'{sys.executable} -c "{program}"'
    work = tmp_path / "work"
    work.mkdir()
    answers = []
    for _restart in range(2):
        async with running(ShellTools(), config=config(work), data_dir=data) as stubs:
            answers += [await execute(stubs, "run", key="run/t1", command=command) for _ in range(2)]
    assert [each.result for each in answers] == ["done"] * 4
    assert (work / "count").read_text() == "x"


async def test_bad_options_are_named(tmp_path):
    async with running(ShellTools()) as stubs:
        for options, words in [
            ({"timeout": "soon"}, 'timeout: "soon" is not a duration: write it as 30s or 5m'),
            (
                {"working_directory": str(tmp_path / "gone")},
                f"working_directory: {tmp_path / 'gone'} is not a directory",
            ),
            ({"allowed_commands": ["./x"]}, 'allowed_commands[0]: "./x": give a name on PATH or an absolute path'),
        ]:
            request = ConfigureRequest(name="shell", data_dir=str(tmp_path))
            request.config.update(options)
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await stubs.plugin.Configure(request)
            assert (caught.value.code(), caught.value.details()) == (grpc.StatusCode.INVALID_ARGUMENT, words)


async def test_a_command_sees_no_secret_of_the_plugin(tmp_path, monkeypatch):
    monkeypatch.setenv("API_KEY", "secret")
    monkeypatch.setenv("HECTOR_PLUGIN_CONFIG", '{"token": "secret"}')
    async with running(ShellTools(), config=config(tmp_path)) as stubs:
        response = await execute(stubs, "run", command=f"{sys.executable} -c 'import os; print(sorted(os.environ))'")
    assert response.success
    assert set(response.result.strip("[]").replace("'", "").split(", ")) <= {
        *("HOME", "LANG", "LC_CTYPE", "PATH", "TERM", "TMPDIR"),
    }
    assert os.environ["API_KEY"] == "secret"
