"""What the file declares besides plugins: models, embedders, databases, tools, documents, agents, and the host."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, JsonValue, WithJsonSchema

from hector_host.config.entry import Clash, Entry, Section
from hector_host.config.fields import FilePath, Reference, Text, unfit
from hector_host.config.units import reference

CHUNK_OVERLAP = 100
"""Characters that neighbouring chunks share, where the file does not say and chunks are large enough."""

Dimension = Annotated[int, Field(ge=1, le=65536)]
Metric = Literal["cosine", "dot", "l2"]


class Provided(Entry):
    """Something that a plugin provides."""

    plugin: Reference = Field(alias="type")
    """The plugin behind it: "plugin:NAME"."""


class LLMConfig(Provided):
    """A language model: a plugin, which of its models, and how to sample. What is not given is the plugin's choice."""

    model: str = ""
    """The model's name, as the plugin knows it."""
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    """0 for the likeliest words, more for rarer ones."""
    max_tokens: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None
    """How long an answer may be."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """The share of the likeliest words to choose from."""
    stop: list[Text] = Field(default_factory=list)
    """Texts that end an answer."""
    seed: Annotated[int, Field(ge=-(2**63), le=2**63 - 1)] | None = None
    """Makes sampling repeatable, where the model can."""
    reasoning_effort: Text | None = None
    """none, low, medium, high or the model's own word."""
    config: dict[str, JsonValue] = Field(default_factory=dict, repr=False)
    """Options of this model that have no key of their own."""


class EmbedderOptions(Section):
    """Which model, and what comes out of it."""

    model: str = ""
    """The model's name, as the plugin knows it."""
    dimension: Dimension | None = None
    """Numbers in a vector. Not given: what the plugin says."""


class EmbedderConfig(Provided):
    """Turns texts into vectors."""

    config: EmbedderOptions = Field(default_factory=EmbedderOptions)
    """Which model."""


class DatabaseOptions(Section):
    """Which collection, and how vectors are compared."""

    collection: Text | None = None
    """The collection that document stores use. Not given: one for each store, of its name."""
    dimension: Dimension | None = None
    """Numbers in a vector. Not given: what the embedder says."""
    metric: Metric = "cosine"
    """How vectors are compared."""


class DatabaseConfig(Provided):
    """Keeps vectors and finds the nearest."""

    config: DatabaseOptions = Field(default_factory=DatabaseOptions)
    """Which collection."""


class ToolOptions(Section):
    """Which tool of the plugin."""

    tool_name: Text | None = None
    """The tool's name in the plugin; it gets the entry's. Not given: all tools of the plugin, under their own names."""


class ToolConfig(Provided):
    """A tool that agents may use."""

    config: ToolOptions = Field(default_factory=ToolOptions)
    """Which tool of the plugin."""


class DocumentStoreConfig(Entry):
    """A folder whose documents agents can search. Sizes are in characters."""

    path: FilePath
    """The folder, or one file."""
    include: list[Text] = Field(default_factory=lambda: ["**/*.md", "**/*.txt"])
    """Patterns of the files to read, relative to the folder."""
    exclude: list[Text] = Field(default_factory=list)
    """Patterns of the files to leave out."""
    embedder: Text
    """A key under embedders."""
    database: Text
    """A key under databases."""
    chunk_size: Annotated[int, Field(ge=50, le=100_000)] = 800
    """Characters of a passage at most."""
    chunk_overlap: Annotated[int, Field(ge=0)] = Field(
        default_factory=lambda data: min(CHUNK_OVERLAP, data.get("chunk_size", 800) // 8)
    )
    """Characters that neighbouring passages share. Not given: 100, or an eighth of a chunk where that is less."""
    limit: Annotated[int, Field(ge=1, le=100)] = 5
    """Passages that a search returns."""

    @property
    def name(self) -> str:
        """Its key in the file."""
        return self.id

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """Chunks that overlap wholly never end."""
        overlap, size = given.get("chunk_overlap"), given.get("chunk_size", 800)
        if isinstance(overlap, int) and isinstance(size, int) and overlap >= 0 and 50 <= size <= overlap:
            yield Clash(("chunk_overlap",), "is not less than chunk_size", "An eighth of it is usual.")


class Prompt(Section):
    """What an agent is told before anything else."""

    system_prompt: str = ""
    """Who the agent is and how it answers."""


def _engine(value: Any) -> Any:
    if value != "default":
        try:
            reference(value if isinstance(value, str) else "")
        except ValueError:
            raise unfit("is no engine", 'Write default or "plugin:NAME", NAME being a key under plugins.') from None
    return value


class Reasoning(Section):
    """How an agent comes to its answer. Keys that are not listed here are options of the engine's plugin."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, JsonValue] = Field(init=False)

    engine: Annotated[
        str, BeforeValidator(_engine), WithJsonSchema({"type": "string", "pattern": "^(default|plugin:.+)$"})
    ] = "default"
    """default, or "plugin:NAME"."""
    max_iterations: Annotated[int, Field(ge=1, le=1000)] = 20
    """Rounds of generating and using tools after which the run fails."""
    enable_streaming: bool = True
    """Whether the answer is shown while it is made."""

    @property
    def plugin(self) -> str | None:
        """The name of the engine's plugin. None for the default."""
        return None if self.engine == "default" else reference(self.engine)

    @property
    def options(self) -> dict[str, Any]:
        """Options of the engine's plugin."""
        return dict(self.__pydantic_extra__)

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """The default engine has no options, so that a key it does not know is a mistake."""
        if given.get("engine", "default") == "default":
            for name in given:
                if name not in cls.model_fields:
                    yield Clash((name,), "unknown key")


class AgentConfig(Entry):
    """An agent: a model, and what it may use. `llm` is enough."""

    name: Text = ""
    """Its name for people. Not given: its key."""
    description: str = ""
    """What it is for, in a sentence."""
    llm: Text
    """A key under llms."""
    tools: list[Text] | None = None
    """Keys under tools. Not given: all of them. []: none."""
    document_stores: list[Text] = Field(default_factory=list)
    """Keys under document_stores, which it may search."""
    prompt: Prompt = Field(default_factory=Prompt)
    """What it is told."""
    reasoning: Reasoning = Field(default_factory=Reasoning)
    """How it comes to its answer."""

    @classmethod
    def clashes(cls, given: Mapping[str, Any]) -> Iterator[Clash]:
        """What an agent may use is listed once."""
        for key in ("tools", "document_stores"):
            value = given.get(key)
            names = value if isinstance(value, list) else []
            for index, name in enumerate(names):
                if name in names[:index]:
                    yield Clash((key, index), "is in the list already", "Keep one of them.")


class Discovery(Section):
    """Where plugins are looked for that the file does not declare. Manifests are read, nothing is executed."""

    enabled: bool = False
    """Whether to look."""
    paths: list[FilePath] = Field(
        default_factory=lambda: [Path("plugins"), Path("~/.hector/plugins")], validate_default=True
    )
    """Folders to look in."""


class Storage(Section):
    """Where this host keeps what it must not lose."""

    path: FilePath = Field(default=Path(".hector"), validate_default=True)
    """The folder of runs, sessions and plugins' data."""


class Server(Section):
    """Where `hector serve` listens."""

    host: Text = "127.0.0.1"
    """The address to listen on."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    """The port to listen on; 0 for any that is free."""
