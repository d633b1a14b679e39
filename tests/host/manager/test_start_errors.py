"""Plugins that never become ready: what their user reads, whole."""

import json
import os
import re
import signal
import socket
import sys

import pytest

from hector_host.errors import ConfigError, StartError

STDERR_STEP = "  Print to stderr: the first line of standard output belongs to the handshake."


async def refusal(host, error=StartError, **plugin):
    async with host.manager(x=plugin) as manager:
        with pytest.raises(error) as caught:
            await manager.ready("x")
        return str(caught.value)


async def test_nothing_at_its_path(host):
    assert await refusal(host, path="./gone") == (
        f"llm_provider/x: there is nothing at {host.folder}/gone\n"
        "  hector.yaml:5: plugins.llm_providers.x.path names it: build the plugin, or mend the path."
    )
    assert host.states == ["starting: needed", "failed: exec"]


async def test_a_file_that_is_not_executable(host):
    file = host.folder / "plugin"
    file.write_text("#!/bin/sh\n")
    assert await refusal(host, path="./plugin") == f"llm_provider/x: {file} is not executable\n  chmod +x {file}"


async def test_a_program_for_another_machine(host):
    file = host.folder / "plugin"
    file.write_bytes(b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\xb7\x00" + bytes(44))
    file.chmod(0o755)
    machine = os.uname()
    assert await refusal(host, path="./plugin") == (
        f"llm_provider/x: {file} is built for Linux aarch64, this machine is {machine.sysname} {machine.machine}\n"
        "  Build the plugin for this machine."
    )


async def test_a_file_that_is_no_program(host):
    file = host.folder / "plugin"
    file.write_text("hello\n")
    file.chmod(0o755)
    assert await refusal(host, path="./plugin") == (
        f"llm_provider/x: {file} is neither a program for this machine nor a script that begins with #!\n"
        "  Build the plugin for this machine."
    )


async def test_a_script_whose_interpreter_is_missing(host):
    file = host.folder / "plugin"
    file.write_text("#!/opt/nowhere/python\n")
    file.chmod(0o755)
    assert await refusal(host, path="./plugin") == (
        f"llm_provider/x: the interpreter of {file} is missing: /opt/nowhere/python\n"
        "  Install it, or mend the first line of the file."
    )


async def test_a_command_that_is_not_on_the_path(host):
    assert await refusal(host, command=["no-such-program", "run"]) == (
        "llm_provider/x: its command no-such-program is not on the PATH\n"
        "  Install no-such-program, or write the command with its whole path."
    )


async def test_a_folder_without_a_manifest(host):
    (host.folder / "plugin").mkdir()
    assert await refusal(host, path="./plugin") == (
        f"llm_provider/x: the folder {host.folder}/plugin has no plugin.yaml\n"
        "  hector.yaml:5: plugins.llm_providers.x.path names it: write its manifest, or name the executable itself."
    )


async def test_a_package_that_is_not_installed(host):
    assert await refusal(host, package="hector-nowhere") == (
        "llm_provider/x: package hector-nowhere is not installed beside Hector\n"
        "  Install it into the same environment: python -m pip install hector-nowhere"
    )


async def test_a_package_that_is_no_plugin(host):
    assert await refusal(host, package="pytest") == (
        "llm_provider/x: package pytest is installed and is no plugin: it registers no entry point hector.plugins\n"
        "  Name the distribution that carries the plugin."
    )


async def test_a_process_that_exits_at_once(host):
    plugin = host.faulty("exits", code=3, stderr="Traceback\nKeyError: \x1b[31m'key'\n")
    assert await refusal(host, **plugin) == (
        "llm_provider/x: its process ended (exit code 3) before it was ready\n"
        "  last log lines:\n"
        "    Traceback\n"
        "    KeyError: \\x1b[31m'key'\n"
        f"  Its log: {host.log('x')}"
    )
    assert host.states[:2] == ["starting: needed", "backoff: exit:3"]


async def test_a_process_that_a_signal_ends_without_a_word(host):
    assert await refusal(host, **host.faulty("exits", signal=int(signal.SIGSEGV))) == (
        "llm_provider/x: its process ended (signal 11) before it was ready\n"
        "  it logged nothing\n"
        f"  Its log: {host.log('x')}"
    )
    assert host.states[:2] == ["starting: needed", "backoff: signal:11"]


async def test_a_process_that_never_speaks(host):
    assert await refusal(host, **host.faulty("says", timeout="300ms", stderr="thinking\n")) == (
        "llm_provider/x: printed no handshake and listened on no port within 0.3 s\n"
        "  last log lines:\n"
        "    thinking\n"
        f"  Give it more time with start_timeout, or look into its log: {host.log('x')}"
    )
    assert host.states[:2] == ["starting: needed", "backoff: start_timeout"]


async def test_a_line_before_the_handshake(host):
    plugin = host.faulty("says", stdout="Loading model...\n1|1|unix|/tmp/x|grpc|\n")
    assert await refusal(host, **plugin) == (
        f'llm_provider/x: printed a line before its handshake: "Loading model..."\n{STDERR_STEP}'
    )
    assert host.states[-1] == "failed: handshake"


OTHER_VERSION = "  Build the plugin against go-plugin protocol 1 and the application protocol 1, or upgrade Hector."


@pytest.mark.parametrize(
    ("line", "what", "step"),
    [
        ("2|1|unix|/tmp/x|grpc|", "speaks go-plugin protocol 2, this host speaks 1", OTHER_VERSION),
        ("1|7|unix|/tmp/x|grpc|", "speaks protocol 7, this host speaks 1", OTHER_VERSION),
        (
            "1|1|unix|/nowhere/x|grpc|",
            "announces a socket that cannot be opened: /nowhere/x: No such file or directory",
            "  A plugin announces a socket of its own.",
        ),
    ],
)
async def test_a_handshake_that_this_host_does_not_take(host, line, what, step):
    assert await refusal(host, **host.faulty("says", stdout=line + "\n")) == f"llm_provider/x: {what}\n{step}"


async def test_a_handshake_of_a_process_that_ended_is_still_read(host):
    assert await refusal(host, **host.faulty("exits", stdout="1|7|unix|/tmp/x|grpc|\n")) == (
        f"llm_provider/x: speaks protocol 7, this host speaks 1\n{OTHER_VERSION}"
    )


async def test_garbage_without_a_line_end(host):
    assert await refusal(host, **host.faulty("says", stdout="\0" * 5000)) == (
        "llm_provider/x: printed a line of more than 4096 bytes where its handshake was expected: "
        f'"{chr(92)}x00{(chr(92) + "x00") * 79} …"\n{STDERR_STEP}'
    )


async def test_a_socket_that_is_a_link_to_one(host):
    message = await refusal(host, **host.faulty("raw", listen="link"))
    assert message.splitlines()[1:] == ["  A plugin announces a socket of its own."]
    assert message.splitlines()[0].startswith("llm_provider/x: announces ")
    assert message.splitlines()[0].endswith("/plugin1-link, which is a symbolic link")


async def test_a_process_that_dies_after_its_handshake(host):
    plugin = host.faulty("raw", health=["NOT_SERVING"], die=0.2)
    assert await refusal(host, **plugin) == (
        "llm_provider/x: its process ended (exit code 3) after its handshake, before it was ready\n"
        "  last log lines:\n"
        "    out of luck\n"
        f"  Its log: {host.log('x')}"
    )


async def test_a_process_that_is_never_healthy(host):
    assert await refusal(host, **host.faulty("raw", timeout="1500ms", health=["NOT_SERVING"])) == (
        "llm_provider/x: did not become healthy within 1.5 s: it says NOT_SERVING\n"
        "  it logged nothing\n"
        f"  Give it more time with start_timeout, or look into its log: {host.log('x')}"
    )


async def test_nothing_that_speaks_grpc_on_the_port(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        message = await refusal(
            host, **host.faulty("says", timeout="500ms", stdout=f"1|1|tcp|127.0.0.1:{port}|grpc|\n")
        )
    first, *rest = message.splitlines()
    assert re.fullmatch(
        rf"llm_provider/x: did not answer at 127.0.0.1:{port} within 0.5 s(: failed to connect .*)?", first
    )
    assert rest == [
        "  it logged nothing",
        f"  Give it more time with start_timeout, or look into its log: {host.log('x')}",
    ]


async def test_another_kind_than_the_configuration_says(host):
    assert await refusal(host, **host.faulty("raw", describe=["EmbedderProvider"])) == (
        "llm_provider/x: the configuration lists it as llm_provider, its process serves embedder_provider\n"
        "  List it under plugins.embedder_providers, or name another plugin."
    )
    assert host.states[-1] == "failed: kind"


async def test_another_kind_seen_by_reflection(host):
    plugin = host.faulty("raw", listen="bare", serve=["EmbedderProvider"], reflect=True)
    assert await refusal(host, **plugin) == (
        "llm_provider/x: the configuration lists it as llm_provider, its process serves embedder_provider\n"
        "  List it under plugins.embedder_providers, or name another plugin."
    )


async def test_a_port_that_another_program_has(host):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        message = await refusal(host, **host.faulty("raw", listen="bare", port=port))
    first, second, *lines, last = message.splitlines()
    assert first == "llm_provider/x: its process ended (exit code 1) before it was ready"
    assert second == "  last log lines:"
    assert any(f"Failed to bind to address 127.0.0.1:{port}" in line for line in lines)
    assert last == f"  Its log: {host.log('x')}"


async def test_a_port_that_is_shared_with_another_program(host):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        message = await refusal(host, **host.faulty("raw", listen="bare", port=port, share=True))
    assert message == (
        f"llm_provider/x: listens on port {port}, and process {os.getpid()} does too\n"
        "  End that process, or give one of the two another port: calls would go to either."
    )


async def test_several_ports(host):
    message = await refusal(host, **host.faulty("raw", listen="bare", second=True, endpoint="http://localhost:1"))
    first, step = message.splitlines()
    ports = sorted(int(word) for word in first[first.index("(") + 1 : first.index(")")].split(", "))
    assert len(ports) == 2
    assert first == (
        f'llm_provider/x: listens on several ports ({ports[0]}, {ports[1]}), and its endpoint is "http://localhost:1"'
    )
    assert step == f"  Name the one that serves gRPC in its config, for example endpoint: localhost:{ports[0]}."


async def test_options_that_the_plugin_rejects(host):
    plugin = host.faulty("raw", describe=["LLMProvider"], reject={"replies[0]": "is no text", "mood": "is unknown"})
    plugin["config"]["replies"] = [1]
    assert await refusal(host, ConfigError, **plugin) == (
        "hector.yaml:13: plugins.llm_providers.x.config.replies[0]: is no text\n"
        "hector.yaml:6: plugins.llm_providers.x.config.mood: is unknown\n"
        "  llm_provider/x says so of its options."
    )
    assert host.states[-1] == "failed: options"


async def test_options_that_the_plugin_rejects_without_saying_which(host):
    plugin = host.faulty("raw", describe=["LLMProvider"], status=["INVALID_ARGUMENT", "no\x07good"])
    assert await refusal(host, ConfigError, **plugin) == (
        "hector.yaml:6: plugins.llm_providers.x.config: no\\x07good\n  llm_provider/x says so of its options."
    )


async def test_options_that_need_something_absent(host):
    plugin = host.faulty("raw", describe=["LLMProvider"], status=["FAILED_PRECONDITION", "no model at /m"])
    assert await refusal(host, **plugin) == "llm_provider/x: no model at /m"


async def test_configure_that_breaks(host):
    plugin = host.faulty("raw", describe=["LLMProvider"], status=["INTERNAL", "KeyError"])
    assert await refusal(host, **plugin) == (
        "llm_provider/x: Configure failed: INTERNAL: KeyError\n  it logged nothing"
    )
    assert host.states[:2] == ["starting: needed", "backoff: protocol"]


async def test_a_runtime_folder_whose_path_is_too_long(host, monkeypatch):
    folder = host.folder / ("x" * 80)
    folder.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(folder))
    length = len(f"{folder}/hector-12345678/12345/plugin4294967295")
    assert await refusal(host, **host.faulty("raw")) == (
        f"llm_provider/x: the path of its socket would have {length} bytes, and a socket's path has less than 100\n"
        f"  Set XDG_RUNTIME_DIR or TMPDIR to a folder with a shorter path than {folder}"
    )


async def test_a_storage_that_cannot_be_written(host):
    (host.folder / ".hector").write_text("a file")
    assert await refusal(host, **host.faulty("raw")) == (
        f"llm_provider/x: {host.data('x')} cannot be made: Not a directory\n  Mend storage.path, TMPDIR or the disk."
    )


async def test_a_plugin_of_no_known_kind(host):
    async with host.manager(groups=False, x=host.faulty("raw")) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
    assert str(caught.value) == (
        "plugin/x: nothing says what it provides: "
        "no group in the configuration, no manifest, no Describe, no reflection\n"
        "  List it under the group of its kind, for example plugins.llm_providers."
    )


async def test_secrets_are_not_in_errors(host):
    host.file.write_text(
        "version: '1'\n"
        "plugins:\n"
        "  llm_providers:\n"
        "    x:\n"
        f"      command: [{sys.executable}, -c, 'import os, sys; sys.exit(os.environ[\"TOKEN\"])']\n"
        "      config: {key: '${TOKEN}'}\n"
    )
    (host.folder / ".env").write_text("TOKEN=sesame-street\n")
    async with host.over(host.file) as manager:
        with pytest.raises(StartError) as caught:
            await manager.ready("x")
    assert str(caught.value) == (
        "llm_provider/x: its process ended (exit code 1) before it was ready\n"
        "  last log lines:\n"
        "    ${TOKEN}\n"
        f"  Its log: {host.log('x')}"
    )
    assert "sesame" not in host.log("x").read_text()
    assert json.dumps(host.lines) == json.dumps([["x", "${TOKEN}"]])
