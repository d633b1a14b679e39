"""The guide's own programs, made from its text: its fenced blocks, their mends, and the bodies that it leaves out.

The guide stays the source: a mend names the words that it replaces, and they must occur as often as it says, so a guide
that says something else fails here. What the guide leaves to its reader lies in `author/`, but for the Python example's
two methods, which belong into its class.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
GUIDE = (HERE / "plugin-development-guide.md").read_text(encoding="utf-8")

HEADING_OR_BLOCK = re.compile(
    r"^## (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)

LLM, DATABASE, EMBEDDER, TOOLS, REASONING = (
    "custom-llm-plugin",
    "custom-db-plugin",
    "custom-embedder-plugin",
    "custom-tools-plugin",
    "custom-reasoning-plugin",
)
MY_PLUGIN = "my-plugin"
PYTHON_LLM = "custom_llm.py"


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        section: The nearest `##` heading above it.
        language: As the fence says.
        text: Without the fences.
    """

    section: str
    language: str
    text: str


@dataclass(frozen=True)
class Mend:
    """A mistake of the guide, and what its author meant."""

    wrong: str
    right: str
    times: int = 1

    def __call__(self, text: str) -> str:
        """The text, mended."""
        if text.count(self.wrong) != self.times:
            raise ValueError(f"the guide has {text.count(self.wrong)} times, not {self.times}:\n{self.wrong}")
        return text.replace(self.wrong, self.right)


@dataclass(frozen=True)
class Source:
    """A file of a program: a block of the guide, mended."""

    file: str
    section: str
    opening: str
    mends: tuple[Mend, ...]

    @property
    def text(self) -> str:
        """What the file holds."""
        language = "python" if self.file.endswith(".py") else "go"
        (text,) = [
            block.text
            for block in blocks()
            if (block.section, block.language) == (self.section, language) and self.opening in block.text
        ]
        for mend in self.mends:
            text = mend(text)
        return text


# The guide's package is Hector's Go implementation of old; the contract has a module of its own.
IMPORT_PATH = Mend('"github.com/kadirpekel/hector/pkg/plugins/grpc/pb"', '"hector.example/gen/go/hector/plugin/v1"')
# Three Go examples call os.Getenv and do not import os.
IMPORT_OS = Mend('    "net"\n', '    "net"\n    "os"\n')

# A server-streaming method of grpc-go gets the stream; it cannot return a channel.
STREAM_SIGNATURE = Mend(
    "StreamText(ctx context.Context, req *pb.StreamTextRequest) (*pb.StreamTextResponse, error) {",
    "StreamText(req *pb.StreamTextRequest, out pb.LLMProvider_StreamTextServer) error {",
)
STREAM_RETURN = Mend(
    "    return stream, nil\n",
    "    var err error\n"
    "    for response := range stream {\n"
    "        if err == nil {\n"
    "            err = out.Send(response)\n"
    "        }\n"
    "    }\n"
    "    return err\n",
)
# No protobuf type maps to map[string]interface{}: `parameters` makes the Struct that the contract has.
PARAMETERS_OPEN = Mend("Parameters: map[string]interface{}{", "Parameters: parameters(map[string]interface{}{", times=2)
PARAMETERS_CLOSE = Mend('"string",\n            },', '"string",\n            }),')
OPTIONS_CLOSE = Mend('"object",\n            },', '"object",\n            }),')
# The state travels as a Struct; and the guide's own state keeps nothing that a model could be asked.
STATE = Mend("State:   state,", "State:   state.toStruct(req),")

# The Python example calls os.getenv and does not import os; the two methods are left to the author.
PYTHON_IMPORT_OS = Mend("import grpc\n", "import os\nimport grpc\n")
PYTHON_BODIES = Mend(
    "        self.api_key = api_key\n",
    """        self.api_key = api_key

    async def call_custom_llm(self, prompt, model):
        from types import SimpleNamespace

        text = f"You said: {prompt}"
        return SimpleNamespace(
            text=text,
            prompt_tokens=len(prompt),
            completion_tokens=len(text),
            total_tokens=len(prompt) + len(text),
        )

    async def stream_custom_llm(self, prompt, model):
        for word in ("You", " said:", f" {prompt}"):
            yield word
""",
)

SOURCES: dict[str, tuple[Source, ...]] = {
    LLM: (
        Source(
            "main.go",
            "LLM Provider Plugin",
            "func main()",
            (IMPORT_PATH, IMPORT_OS, STREAM_SIGNATURE, STREAM_RETURN),
        ),
    ),
    DATABASE: (Source("main.go", "Database Provider Plugin", "func main()", (IMPORT_PATH, IMPORT_OS)),),
    EMBEDDER: (Source("main.go", "Embedder Provider Plugin", "func main()", (IMPORT_PATH, IMPORT_OS)),),
    TOOLS: (
        Source(
            "main.go",
            "Tool Provider Plugin",
            "func main()",
            (IMPORT_PATH, PARAMETERS_OPEN, PARAMETERS_CLOSE, OPTIONS_CLOSE),
        ),
    ),
    REASONING: (Source("main.go", "Reasoning Strategy Plugin", "func main()", (IMPORT_PATH, STATE)),),
    MY_PLUGIN: (
        Source("main.go", "Plugin Development Workflow", "type MyPlugin struct", (IMPORT_PATH,)),
        Source("main_test.go", "Plugin Testing", "func TestMyPlugin", (IMPORT_PATH,)),
    ),
}
PYTHON_SOURCE = Source(PYTHON_LLM, "LLM Provider Plugin", "asyncio.run(serve())", (PYTHON_IMPORT_OS, PYTHON_BODIES))


def blocks() -> list[Block]:
    """Every fenced block of the guide, in its order."""
    found, section = [], ""
    for match in re.finditer(
        r"^## (?P<heading>[^\n]+)$|^```(?P<language>\w*)\n(?P<text>.*?)^```$", GUIDE, re.MULTILINE | re.DOTALL
    ):
        if match["heading"]:
            section = match["heading"]
        else:
            found.append(Block(section, match["language"], match["text"]))
    return found


def yaml_blocks() -> list[Block]:
    """Every configuration that the guide shows."""
    return [block for block in blocks() if block.language == "yaml"]


def commands(opening: str) -> list[str]:
    """The guide's shell and Docker lines that start so, without their comments."""
    lines = [line for block in blocks() if block.language in {"bash", "dockerfile"} for line in block.text.splitlines()]
    return [line for line in lines if line.startswith(opening)]


def write(folder: Path) -> dict[str, Path]:
    """Write the programs into an empty folder.

    Returns:
        By name: the folder of each Go program (a module of its own), and the file of the Python one.
    """
    written = {}
    for name, sources in SOURCES.items():
        program = folder / name
        shutil.copytree(HERE / "author" / name, program) if (HERE / "author" / name).is_dir() else program.mkdir()
        for source in sources:
            (program / source.file).write_text(source.text, encoding="utf-8")
        (program / "go.mod").write_text(go_mod(name), encoding="utf-8")
        shutil.copyfile(ROOT / "gen/go.sum", program / "go.sum")
        written[name] = program
    written[PYTHON_LLM] = folder / PYTHON_LLM
    written[PYTHON_LLM].write_text(PYTHON_SOURCE.text, encoding="utf-8")
    return written


def go_mod(module: str) -> str:
    """A go.mod that requires the contract, and what the contract requires."""
    manifest = (ROOT / "gen/go.mod").read_text(encoding="utf-8")
    manifest = re.sub(r"^tool \(.*?^\)\n", "", manifest, flags=re.MULTILINE | re.DOTALL)
    manifest = manifest.replace("module hector.example/gen", f"module {module}", 1)
    return f"{manifest}\nrequire hector.example/gen v0.1.0\n\nreplace hector.example/gen => {ROOT / 'gen'}\n"


def build(programs: dict[str, Path], folder: Path) -> dict[str, Path]:
    """Build what `write` has written, so that the guide's configurations find it from `folder`.

    Returns:
        By name: the executable of each Go program, and the file of the Python one.
    """
    built = {}
    for name, path in programs.items():
        if path.is_dir():
            built[name] = folder / name if name == MY_PLUGIN else folder / "plugins" / name
            go(path, "build", "-o", str(built[name]), ".")
        else:
            built[name] = path
    return built


def go(folder: Path, *arguments: str, **environment: str) -> str:
    """Run the Go tool in a module's folder, outside of any workspace; what it prints."""
    done = subprocess.run(
        ["go", *arguments],
        cwd=folder,
        env={**os.environ, "GOWORK": "off", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"go {' '.join(arguments)} in {folder.name}:\n{done.stdout}{done.stderr}")
    return done.stdout
