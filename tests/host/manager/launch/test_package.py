"""Installed distributions that carry a plugin, in the ways in which they are installed."""

import importlib
import sys

import pytest

from hector_host.manager.failure import Failure
from hector_host.manager.launch.package import manifest_path


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A folder on sys.path in which distributions are made by hand."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))

    def install(name, entry_points, *files):
        info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        lines = "".join(f"{key} = {value}\n" for key, value in entry_points.items())
        (info / "entry_points.txt").write_text(f"[hector.plugins]\n{lines}" if lines else "")
        for file in files:
            (folder / file).parent.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text("raise AssertionError('imported')\n")
        importlib.invalidate_caches()
        return folder

    return install


def test_a_wheel_carries_its_manifest(site):
    folder = site("hector-zoo", {"zoo": "hector_zoo"}, "hector_zoo/__init__.py", "hector_zoo/plugin.yaml")
    assert manifest_path("hector-zoo", "x") == folder / "hector_zoo" / "plugin.yaml"
    assert manifest_path("Hector_Zoo", "x") == folder / "hector_zoo" / "plugin.yaml"


def test_an_editable_install_has_it_beside_the_code(site, tmp_path, monkeypatch):
    site("hector-yak", {"yak": "hector_yak.plugin:main"})
    sources = tmp_path / "src"
    (sources / "hector_yak").mkdir(parents=True)
    (sources / "hector_yak" / "__init__.py").write_text("raise AssertionError('imported')\n")
    (sources / "hector_yak" / "plugin.yaml").touch()
    (sources / "hector_yak" / "plugin").mkdir()
    (sources / "hector_yak" / "plugin" / "plugin.yaml").touch()
    monkeypatch.syspath_prepend(str(sources))
    assert manifest_path("hector-yak", "x") == sources / "hector_yak" / "plugin" / "plugin.yaml"
    assert "hector_yak" not in sys.modules


def test_the_name_chooses_among_several(site):
    folder = site("hector-two", {"a": "two.a", "b": "two.b"}, "two/a/plugin.yaml", "two/b/plugin.yaml")
    assert manifest_path("hector-two", "b") == folder / "two" / "b" / "plugin.yaml"
    with pytest.raises(Failure) as caught:
        manifest_path("hector-two", "c")
    assert caught.value.what == "package hector-two carries several plugins, and none has this name: a, b"


def test_a_package_that_forgot_its_manifest(site):
    site("hector-bare", {"bare": "hector_bare"}, "hector_bare/__init__.py")
    with pytest.raises(Failure) as caught:
        manifest_path("hector-bare", "x")
    assert caught.value.what == "package hector-bare registers hector_bare as a plugin and has no plugin.yaml in it"
    assert caught.value.step == "Put plugin.yaml into its wheel, inside the package hector_bare, and install it again."


def test_a_package_whose_module_is_not_there(site):
    site("hector-hollow", {"hollow": "hector_hollow"})
    with pytest.raises(Failure) as caught:
        manifest_path("hector-hollow", "x")
    assert caught.value.what == "package hector-hollow registers hector_hollow as a plugin and has no plugin.yaml in it"
