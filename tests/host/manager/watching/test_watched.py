"""Which files are watched for what."""

import json
import sys

import pytest

from hector_host import config
from hector_host.manager.watching.watched import Concern, Subject, look

MANIFEST = "plugin: {name: p, version: '1', type: llm_provider, command: [python]}\n"


@pytest.fixture
def seen(tmp_path, monkeypatch):
    """The files that are watched, relative to the folder of the configuration; by concern and plugin."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)

    def files(text, *, everything=True):
        (tmp_path / "hector.yaml").write_text(text)
        sights = look(config.load(environ={}), everything=everything)
        return {
            subject.plugin or subject.concern.value: sorted(
                str(path.relative_to(tmp_path)) for path in sight.files if path.is_relative_to(tmp_path)
            )
            for subject, sight in sights.items()
        }

    return files


def write(path, text=""):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_file_and_the_variables_beside_it_are(seen, tmp_path):
    write(tmp_path / ".env", "A=b")
    assert seen("version: 1") == {"config": [".env", "hector.yaml"]}


def test_without_everything_only_discovery_is(seen, tmp_path):
    write(tmp_path / "plugins/p/plugin.yaml", MANIFEST)
    assert seen("plugins: {x: {path: .}}", everything=False) == {}
    found = seen("plugins: {discovery: {enabled: true}, x: {path: .}}", everything=False)
    assert found == {"discovery": ["plugins", "plugins/p", "plugins/p/plugin.yaml"]}


def test_of_a_folder_all_is_that_its_author_wrote(seen, tmp_path):
    kept = ["p/plugin.yaml", "p/src/data/words.txt", "p/src/main.py"]
    left = ["p/.venv/x.py", "p/.git/HEAD", "p/.env", "p/src/__pycache__/main.pyc", "p/data/db", "p/x.log", "p/main.py~"]
    for name in [*kept, *left, "p/state/runs.db"]:
        write(tmp_path / name)
    assert seen("plugins: {p: {path: p}}\nstorage: {path: p/state}")["p"] == kept


def test_of_an_executable_it_is_and_its_manifest(seen, tmp_path):
    for name in ("run", "run.plugin.yaml", "other"):
        write(tmp_path / name)
    assert seen("plugins: {p: {path: run}}")["p"] == ["run", "run.plugin.yaml"]


def test_of_a_command_the_files_that_it_names_are(seen, tmp_path):
    write(tmp_path / "src/main.py")
    write(tmp_path / "serve")
    command = f"[{sys.executable}, src/main.py, ./serve, --port, none.py]"
    assert seen(f"plugins: {{p: {{command: {command}}}}}")["p"] == ["serve", "src/main.py"]


def test_of_an_address_its_certificates_are(seen, tmp_path):
    for name in ("ca.pem", "me.pem", "me.key"):
        write(tmp_path / name)
    found = seen("plugins: {p: {address: 'h:1', tls: {ca: ca.pem, cert: me.pem, key: me.key}}, q: {address: 'h:1'}}")
    assert (found["p"], found["q"]) == (["ca.pem", "me.key", "me.pem"], [])


def install(site, name, origin=None):
    info = f"{name}-1.dist-info"
    write(site / info / "METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    write(site / info / "RECORD", f"{info}/METADATA,,\n{info}/RECORD,,\n{name}.py,,\n")
    if origin:
        write(site / info / "direct_url.json", json.dumps(origin))


def test_of_a_package_the_list_of_its_files_is(seen, tmp_path, monkeypatch):
    install(tmp_path / "site", "yak")
    monkeypatch.syspath_prepend(tmp_path / "site")
    found = seen("plugins: {p: {package: yak}, q: {package: not-installed}}")
    assert (found["p"], found["q"]) == (["site/yak-1.dist-info/RECORD"], [])


def test_of_a_package_that_is_edited_in_place_the_sources_are(seen, tmp_path, monkeypatch):
    install(tmp_path / "site", "yak", {"url": f"file://{tmp_path}/my%20yak", "dir_info": {"editable": True}})
    write(tmp_path / "my yak/src/yak/main.py")
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert seen("plugins: {p: {package: yak}}")["p"] == ["my yak/src/yak/main.py", "site/yak-1.dist-info/RECORD"]


def test_where_a_plugin_comes_from_makes_it_another(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "hector.yaml", "plugins: {p: {path: one}}")
    one = look(config.load(environ={}), everything=True)
    write(tmp_path / "hector.yaml", "plugins: {p: {path: two}}")
    two = look(config.load(environ={}), everything=True)
    assert one.keys() ^ two.keys() == {
        Subject(Concern.PLUGIN, "p", str(tmp_path / "one")),
        Subject(Concern.PLUGIN, "p", str(tmp_path / "two")),
    }


def test_of_what_lies_in_a_discovery_folder_only_the_manifest_is_read(seen, tmp_path):
    write(tmp_path / "plugins/p/plugin.yaml", MANIFEST)
    program = write(tmp_path / "plugins/p/run")
    (tmp_path / "plugins/empty").mkdir()
    (tmp_path / "hector.yaml").write_text("plugins: {discovery: {enabled: true}}")
    sight = look(config.load(environ={}), everything=False)[Subject(Concern.DISCOVERY)]
    contents = {path.name for path, status in sight.files.items() if status.inode}
    assert contents == {"plugin.yaml"}
    assert sight.files[program].mode == program.stat().st_mode
    assert sight.folders >= {tmp_path / "plugins", tmp_path / "plugins/p", tmp_path / "plugins/empty"}
