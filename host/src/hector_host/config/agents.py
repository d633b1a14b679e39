"""An agent: a model, what it is told, what it may use, and how it reasons."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema

from hector_host.config.entry import Clash, Entry, Section
from hector_host.config.fields import Text, unfit
from hector_host.config.problems import meant
from hector_host.config.units import UnitError, reference


class Prompt(Section):
    """What an agent is told before anything else."""

    system_prompt: str = ""
    """Who the agent is and how it answers."""


def _engine(value: Any) -> Any:
    if value != "default":
        try:
            reference(value if isinstance(value, str) else "")
        except UnitError:
            raise unfit("is no engine", 'Write default or "plugin:NAME", NAME being a key under plugins.') from None
    return value


class Reasoning(Section):
    """How an agent comes to its answer. Keys that are not listed here are options of the engine's plugin."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Any] = Field(init=False)

    engine: Annotated[
        str, BeforeValidator(_engine), WithJsonSchema({"type": "string", "pattern": "^(default|plugin:.+)$"})
    ] = "default"
    """default, or "plugin:NAME"."""
    max_iterations: Annotated[int, Field(ge=1, le=1000)] = 20
    """Rounds of generating and using tools at most; the last one has to answer."""
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
                    yield Clash((name,), "unknown key", meant(name, cls.model_fields, "Known keys"))


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
