"""A plugin's own `.venv`: made by uv where there is one, else by venv and pip, with the host's contract and SDK in it.

The contract and the SDK come from where the templates come from, so a fork has those that its host was built with, and
needs neither a checkout nor an index that knows them. A folder given as `find_links` that holds them comes first.
"""

from __future__ import annotations

import importlib.util
import shutil
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

from hector_host.authoring.command import run
from hector_host.authoring.templates import origin
from hector_host.errors import PluginError

VENV = ".venv"
_STEP = "Is there a network? Name a folder of wheels by --find-links, or an index in the settings of uv or pip."


@dataclass(frozen=True, slots=True)
class Installer:
    """What installs distributions.

    Attributes:
        name: For people: `uv` or `pip`.
        uv: The command that starts uv; empty for pip.
    """

    name: str
    uv: tuple[str, ...] = ()


def find_installer() -> Installer:
    """It is uv where that is on the PATH, beside this interpreter or a module; else pip."""
    found = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
    if found:
        return Installer("uv", (found,))
    if importlib.util.find_spec("uv") is not None:
        return Installer("uv", (sys.executable, "-m", "uv"))
    return Installer("pip")


@dataclass(frozen=True, slots=True)
class Environment:
    """What goes into a `.venv`.

    Attributes:
        plugin: Its name, for errors.
        folder: The plugin's.
        editable: Edited lines take effect without another installation.
        dev: The plugin's dependency group `dev` too.
        find_links: Folders of wheels.
    """

    plugin: str
    folder: Path
    editable: bool = False
    dev: bool = False
    find_links: tuple[Path, ...] = ()
    installer: Installer = field(default_factory=find_installer)

    def described(self) -> str:
        """What is installed and from where, in a line."""
        mine = "its dependencies" if not self.dev else "its dependencies and test tools"
        links = [str(folder) for folder in self.find_links]
        places = ", ".join([*links, *([] if self._has_sdk() else [str(origin())])])
        with_what = self.installer.name if self.installer.uv else f"{self.installer.name}, which may take half a minute"
        return f"Building {VENV} with {with_what}: {mine}; the contract and the SDK from {places}"

    def build(self) -> None:
        """Makes the environment.

        Raises:
            PluginError: The installer failed; with its last lines.
        """
        python = (self.folder / VENV / "bin" / "python").absolute()
        if self.installer.uv:
            self._run(*self.installer.uv, "venv", "--quiet", "--no-project", "--python", sys.executable, VENV)
            install = [*self.installer.uv, "pip", "install", "--quiet", "--python", str(python)]
        else:
            self._run(sys.executable, "-m", "venv", VENV)
            install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        links = [word for folder in self.find_links for word in ("--find-links", str(folder.absolute()))]
        self._run(*install, *links, *self._requirements())

    def _run(self, *command: str) -> None:
        run(self.plugin, command, self.folder, _STEP, {"UV_COMPILE_BYTECODE": "1"})

    def _requirements(self) -> list[str]:
        needed = [] if self._has_sdk() else [str(origin() / "gen"), str(origin() / "sdk" / "python")]
        if (self.folder / "pyproject.toml").is_file():
            needed += ["--editable", "."] if self.editable else ["."]
            needed += self._group() if self.dev else []
        elif (self.folder / "requirements.txt").is_file():
            needed += ["-r", "requirements.txt"]
        return needed or ["hector-sdk"]

    def _has_sdk(self) -> bool:
        return any(next(folder.glob("hector_sdk-*.whl"), None) for folder in self.find_links)

    def _group(self) -> list[str]:
        file = self.folder / "pyproject.toml"
        try:
            groups = tomllib.loads(file.read_text("utf-8")).get("dependency-groups", {})
        except (OSError, ValueError) as error:
            raise PluginError(f"{self.plugin}: {file} cannot be read: {error}") from None
        found, wanted = [], ["dev"]
        for name in wanted:  # grows by what is included
            for each in groups.get(name, []):
                if isinstance(each, str):
                    found.append(each)
                elif each.get("include-group") not in wanted:
                    wanted.append(each["include-group"])
        return found


def relocate(folder: Path, old: Path, new: Path) -> None:
    """Makes a `.venv` that moves with its folder name the new place in its scripts."""
    before, after = str(old).encode(), str(new).encode()
    for script in [*(folder / VENV / "bin").glob("*"), folder / VENV / "pyvenv.cfg"]:
        if script.is_file() and not script.is_symlink() and script.stat().st_size < 1 << 20:
            text = script.read_bytes()
            if before in text and b"\0" not in text:
                script.write_bytes(text.replace(before, after))
