"""`hector plugin install`: whole or not at all, and found afterwards."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from commandline import HECTOR, Ended

from hector_host.authoring.archive import pack
from hector_host.config import load
from hector_host.config.discovery import discover

PYTHON = """\
plugin:
  name: words
  version: 1.3.0
  kinds: [tool_provider]
  command: [python, -m, words]
"""
RUNNER = 'case "$1" in venv) mkdir -p .venv/bin; pwd > .venv/pyvenv.cfg;; esac'


def installed(folder: Path) -> list[str]:
    """Everything that is in a folder of plugins, hidden or not."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def test_an_archive_is_found_where_the_configuration_looks(command, plugin: Path, tmp_path: Path) -> None:
    Path("hector.yaml").write_text("plugins: {discovery: {enabled: true, paths: [./mine, ./others]}}\n")
    here = Path.cwd()
    Path("mine/broken").mkdir(parents=True)
    Path("mine/broken/plugin.yaml").write_text("what is wrong with another plugin is no matter here")
    Path("others").mkdir()
    ended = command("install", pack(plugin, tmp_path).path)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        f'words 1.2.0 is installed in {here}/mine/words\nhector.yaml discovers it: name it as "plugin:words".\n'
    )
    assert installed(here / "mine") == ["broken", "words"]
    shutil.rmtree("mine/broken")
    assert load(None, {}).plugins["words"].path == here / "mine/words"


def test_a_configuration_that_is_wrong_is_passed_over(command, plugin: Path) -> None:
    Path("hector.yaml").write_text("plugin: {}\n")
    said = command("install", plugin).out.splitlines()
    assert said[:2] == [
        "hector.yaml: is not valid (hector validate says why), so it is passed over",
        f"words 1.2.0 is installed in {Path.cwd()}/.hector/plugins/words",
    ]


def test_a_folder_goes_home_and_says_how_it_is_used(command, plugin: Path) -> None:
    ended = command("install", plugin)
    home = Path.cwd() / ".hector/plugins"
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == (
        f"words 1.2.0 is installed in {home}/words\n"
        'Add to the configuration, and name it as "plugin:words":\n'
        "  plugins:\n"
        "    tool_providers:\n"
        f"      words: {{path: {home}/words}}\n"
        "Or have it discovered:\n"
        "  plugins:\n"
        f"    discovery: {{enabled: true, paths: [{home}]}}\n"
    )
    for part in ended.out.split(":\n", 1)[1].split("Or have it discovered:\n"):
        Path("hector.yaml").write_text(part)
        assert load(None, {}).plugins["words"].path == home / "words"


def test_nobody_else_may_change_it(command, plugin: Path, tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        assert command("install", plugin, "--into", tmp_path / "plugins").code == 0
    finally:
        os.umask(umask)
    modes = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "plugins/words").iterdir()}
    assert modes["words.sh"] == 0o755
    assert {mode & 0o022 for mode in modes.values()} == {0}
    found = discover([tmp_path / "plugins"], [])
    assert (list(found.plugins), found.errors) == (["words"], [])


def test_a_plugin_in_python_gets_an_environment(command, plugin: Path, tool, tmp_path: Path) -> None:
    tool("uv", f'echo "$@" >> {tmp_path}/said; {RUNNER}')
    (plugin / "plugin.yaml").write_text(PYTHON)
    (plugin / "pyproject.toml").write_text("[project]\nname = 'words'\n")
    (tmp_path / "wheels").mkdir()
    ended = command("install", plugin, "--into", "plugins", "--find-links", tmp_path / "wheels")
    assert (ended.code, ended.err) == (0, "")
    said = (tmp_path / "said").read_text().splitlines()
    assert said[0].startswith("venv --quiet --no-project --python ")
    assert said[1].startswith("pip install --quiet --python ")
    assert f" --find-links {tmp_path}/wheels " in said[1]
    assert said[1].endswith("/gen " + said[1].split("/gen ")[1])
    assert said[1].split()[-1] == "."
    assert "--editable" not in said[1]
    place = Path("plugins/words/.venv/pyvenv.cfg")  # moved with the folder, and knows its place
    assert place.read_text() == f"{Path.cwd()}/plugins/words\n"


def test_wheels_that_hold_the_sdk_come_before_the_hosts_own(command, plugin: Path, tool, tmp_path: Path) -> None:
    tool("uv", f'echo "$@" >> {tmp_path}/said; {RUNNER}')
    (plugin / "plugin.yaml").write_text(PYTHON)
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels/hector_sdk-9.9.9-py3-none-any.whl").touch()
    ended = command("install", plugin, "--into", "plugins", "--find-links", tmp_path / "wheels")
    assert ended.out.splitlines()[0] == (
        f"Building .venv with uv: its dependencies; the contract and the SDK from {tmp_path}/wheels"
    )
    assert (tmp_path / "said").read_text().endswith(f"--find-links {tmp_path}/wheels hector-sdk\n")


def test_a_build_that_fails_leaves_nothing(command, plugin: Path, tool) -> None:
    tool("uv", 'echo "no such distribution" >&2; exit 1')
    (plugin / "plugin.yaml").write_text(PYTHON)
    ended = command("install", plugin, "--into", "plugins")
    assert (ended.code, ended.err) == (
        3,
        (
            "hector: words: uv venv failed with exit code 1\n"
            "  | no such distribution\n"
            "  Is there a network? Name a folder of wheels by --find-links, or an index in the settings of uv or pip.\n"
        ),
    )
    assert installed(Path("plugins")) == []


def test_a_build_that_fails_leaves_the_old_one(command, plugin: Path, tool) -> None:
    assert command("install", plugin, "--into", "plugins").code == 0
    tool("uv", "exit 1")
    (plugin / "plugin.yaml").write_text(PYTHON)
    assert command("install", plugin, "--into", "plugins", "--replace").code == 3
    assert installed(Path("plugins")) == ["words"]
    assert yaml.safe_load(Path("plugins/words/plugin.yaml").read_text())["plugin"]["version"] == "1.2.0"


def test_a_name_that_is_taken(command, plugin: Path) -> None:
    assert command("install", plugin, "--into", "plugins").code == 0
    manifest = plugin / "plugin.yaml"
    manifest.write_text(manifest.read_text().replace("1.2.0", "2.0.0"))
    ended = command("install", plugin, "--into", "plugins")
    assert (ended.code, ended.err) == (
        3,
        "hector: words: is installed already: 1.2.0 in plugins/words\n  --replace puts 2.0.0 in its place.\n",
    )
    ended = command("install", plugin, "--into", "plugins", "--replace")
    assert ended.out.startswith("words 2.0.0 is installed in ")
    assert installed(Path("plugins")) == ["words"]


def test_a_name_that_another_folder_has(command, plugin: Path) -> None:
    shutil.copytree(plugin, "plugins/old-words")
    assert command("install", plugin, "--into", "plugins").err == (
        "hector: words: is the name of the plugin in plugins/old-words too\n"
        "  Remove that one, or go elsewhere by --into.\n"
    )
    assert installed(Path("plugins")) == ["old-words"]


def test_of_another_platform(command, plugin: Path) -> None:
    manifest = plugin / "plugin.yaml"
    manifest.write_text(manifest.read_text() + "  platforms: [windows, linux/arm64]\n")
    archive = pack(plugin, Path()).path
    from hector_host.authoring.platforms import this_platform

    ended = command("install", archive, "--into", "plugins")
    assert (ended.code, ended.err) == (
        3,
        (
            f"hector: {archive}: is for windows, linux/arm64, and this machine is {this_platform()}\n"
            "  Get the archive for this machine, or install it from its sources.\n"
        ),
    )
    assert installed(Path("plugins")) == []


def refused(command, *arguments: str | Path) -> Ended:
    ended = command("install", *arguments, "--into", "plugins")
    assert installed(Path("plugins")) == []
    return ended


def test_nothing_there(command) -> None:
    ended = refused(command, "nothing.tar.gz")
    assert (ended.code, ended.err) == (
        4,
        "hector: nothing.tar.gz: there is no such file or folder\n  Name a plugin's folder or its archive.\n",
    )


def test_a_wrong_checksum(command, plugin: Path) -> None:
    packed = pack(plugin, Path())
    ended = refused(command, packed.path, "--sha256", "0" * 64)
    assert (ended.code, ended.err) == (
        3,
        (
            f"hector: words-1.2.0.tar.gz: its SHA-256 is {packed.sha256}, and --sha256 says {'0' * 64}\n"
            "  Get it once more, from somebody you trust.\n"
        ),
    )
    assert command("install", packed.path, "--sha256", packed.sha256, "--into", "plugins").code == 0


def test_a_checksum_of_a_folder(command, plugin: Path) -> None:
    ended = refused(command, plugin, "--sha256", "0" * 64)
    assert (ended.code, ended.err) == (
        2,
        f"hector: --sha256: {plugin} is a folder\n  Only an archive has a checksum.\n",
    )


def test_a_manifest_that_is_wrong(command, archive) -> None:
    import hashlib

    text = b"plugin: {name: words}\n"
    sums = f"{hashlib.sha256(text).hexdigest()}  plugin.yaml\n".encode()
    evil = archive(("words/plugin.yaml", text), ("words/SHA256SUMS", sums), whole=False)
    ended = refused(command, evil)
    assert (ended.code, ended.err) == (
        3,
        (
            f"hector: {evil}: plugin.yaml:1: plugin: does not say what it provides\n"
            "  Add kinds: one or several of llm_provider, database_provider, embedder_provider, tool_provider,"
            " reasoning_strategy.\n"
            f"{evil}: plugin.yaml:1: plugin.version: is missing\n"
            "  Add it: The version of the plugin.\n"
        ),
    )


@pytest.mark.parametrize("program", ["/opt/evil", "../../evil", "evil"])
def test_what_is_built_stays_in_its_folder(command, archive, program: str) -> None:
    import hashlib

    manifest = f"plugin: {{name: words, version: '1', kinds: [tool_provider], command: [{program}]}}\n".encode()
    files = {"plugin.yaml": manifest, "go.mod": b"module words\n"}
    sums = "".join(f"{hashlib.sha256(text).hexdigest()}  {name}\n" for name, text in files.items()).encode()
    members = [(f"words/{name}", text) for name, text in {**files, "SHA256SUMS": sums}.items()]
    evil = archive(*members, whole=False)
    ended = refused(command, evil)
    assert (ended.code, ended.err) == (
        3,
        (
            f"hector: {evil}: plugin.yaml: plugin.command names no program in this folder\n"
            "  Name what go build makes, for example command: [./words].\n"
        ),
    )


def test_an_evil_archive_leaves_nothing(command, archive) -> None:
    evil = archive(("words-1.2.0/../../evil", b"x"))
    ended = refused(command, evil)
    assert (ended.code, ended.err) == (
        3,
        (
            f'hector: {evil}: "words-1.2.0/../../evil" in it leads out of the folder\n'
            "  Get it once more, from somebody you trust.\n"
        ),
    )


def test_where_nothing_can_be_installed(command, plugin: Path) -> None:
    Path("plugins").write_text("mine")
    ended = command("install", plugin, "--into", "plugins")
    assert (ended.code, ended.err) == (
        1,
        "hector: plugins: cannot be used: File exists\n  Choose another folder by --into.\n",
    )


def test_a_disk_that_takes_no_more(hector, plugin: Path, tmp_path: Path) -> None:
    (plugin / "large.txt").write_bytes(os.urandom(1 << 20))
    archive = pack(plugin, tmp_path).path
    ended = hector.shell(f"ulimit -f 512; $HECTOR plugin install {archive} --into plugins")
    assert ended.code == 1
    stage = ended.err.removeprefix("hector: plugins/.installing-").partition(":")[0]
    assert ended.err == (
        f"hector: plugins/.installing-{stage}: cannot be written: File too large\n  Make room, or go elsewhere.\n"
    )
    assert installed(tmp_path / "plugins") == []


def test_killed_at_work_it_leaves_what_nobody_finds_and_the_next_one_removes(
    command, plugin: Path, tool, tmp_path: Path
) -> None:
    (plugin / "plugin.yaml").write_text(PYTHON)
    os.mkfifo(tmp_path / "begun")
    os.mkfifo(tmp_path / "end")
    tool("uv", f"echo begun > {tmp_path}/begun; exec cat {tmp_path}/end")
    words = [HECTOR, "plugin", "install", plugin, "--into", "plugins"]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        assert (tmp_path / "begun").read_text() == "begun\n"
        process.send_signal(signal.SIGKILL)
    with (tmp_path / "end").open("w"):
        pass  # uv, whom nobody waits for any more, ends too
    (left,) = installed(Path("plugins"))
    assert left.startswith(".installing-")
    found = discover([Path("plugins")], [])
    assert (found.plugins, found.errors) == ({}, [])
    tool("uv", RUNNER)
    assert command("install", plugin, "--into", "plugins").code == 0
    assert installed(Path("plugins")) == ["words"]


def test_one_at_a_time_in_a_folder(command, plugin: Path, tool, tmp_path: Path) -> None:
    (plugin / "plugin.yaml").write_text(PYTHON)
    os.mkfifo(tmp_path / "begun")
    os.mkfifo(tmp_path / "end")
    tool("uv", f"case $1 in venv) echo begun > {tmp_path}/begun; cat {tmp_path}/end; {RUNNER};; esac")
    words = [HECTOR, "plugin", "install", plugin, "--into", "plugins"]
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first,
        subprocess.Popen(["cat", tmp_path / "begun"], stdout=pipe) as begun,
    ):
        assert begun.stdout is not None
        assert begun.stdout.read() == b"begun\n"
        with subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True) as second:
            assert second.stdout is not None
            assert second.stdout.readline() == ("plugins: another installation is at work; waiting for its end\n")
            with (tmp_path / "end").open("w"):
                pass
            assert first.wait() == 0
            _, err = second.communicate()
    assert (second.returncode, err) == (
        3,
        "hector: words: is installed already: 1.3.0 in plugins/words\n  --replace puts 1.3.0 in its place.\n",
    )


@pytest.mark.parametrize("exchange", [True, False], ids=["in one step", "in two"])
def test_what_is_replaced_goes(command, plugin: Path, monkeypatch: pytest.MonkeyPatch, exchange: bool) -> None:
    from hector_host.authoring import installation

    if not exchange:
        monkeypatch.setattr(installation, "_exchange", lambda one, other: False)
    assert command("install", plugin, "--into", "plugins").code == 0
    (plugin / "README.md").unlink()
    assert command("install", plugin, "--into", "plugins", "--replace").code == 0
    assert installed(Path("plugins")) == ["words"]
    assert sorted(path.name for path in Path("plugins/words").iterdir()) == ["SHA256SUMS", "plugin.yaml", "words.sh"]
