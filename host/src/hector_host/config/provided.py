"""What agents and document stores use, and which plugin provides it: models, embedders, databases, tools."""

from typing import Annotated, Any, Literal

from pydantic import Field

from hector_host.config.entry import Entry, Section
from hector_host.config.fields import Reference, Text

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
    config: dict[str, Any] = Field(default_factory=dict, repr=False)
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
