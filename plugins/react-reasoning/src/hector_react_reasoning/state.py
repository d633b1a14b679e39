"""What a run is between two iterations. Small, versioned, and made for people to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from hector_react_reasoning.turns import Step, Turn
from hector_sdk.values import plain, struct

if TYPE_CHECKING:
    from google.protobuf.struct_pb2 import Struct

VERSION = 1


class UnreadableVersion(ValueError):  # noqa: N818 - it says what is wrong
    """The state was written by another version of this strategy."""


class BrokenState(ValueError):  # noqa: N818 - same
    """The state says that it is of this version, and is not."""


@dataclass(frozen=True)
class Offer:
    """A tool of the agent.

    Attributes:
        name: As the model calls it.
        plain: The parameter that a text stands for which is no JSON: of tools that need one text and nothing else.
    """

    name: str
    plain: str = ""


@dataclass(frozen=True)
class Pending:
    """An action of the model that waits for its outcome.

    Attributes:
        tool: The tool it named.
        effect: The effect that performs it. Empty: it was refused, and `refusal` says why.
        call: The model's id of a native call.
    """

    tool: str
    effect: str = ""
    call: str = ""
    refusal: str = ""


@dataclass(frozen=True)
class State:
    """A run between two iterations.

    Attributes:
        form: `native` or `text`: how the model is told of tools and calls them.
        system: The system message, with the instructions of the text form.
        conversation: Ids of the messages that the run began with.
        steps: What has happened since.
        said: Ids of the user's messages that no generation has seen yet.
        asked: The generation under way, by its effect.
        last: Whether that one has to be the answer.
        pending: The actions under way.
        mishaps: Replies in a row that were of no use.
        answer: Parts of the answer, as JSON of the contract. None: there is none yet.
    """

    form: str
    system: str = ""
    tools: tuple[Offer, ...] = ()
    conversation: tuple[str, ...] = ()
    steps: tuple[Step, ...] = ()
    said: tuple[str, ...] = ()
    asked: str = ""
    last: bool = False
    pending: tuple[Pending, ...] = ()
    mishaps: int = 0
    answer: tuple[dict[str, Any], ...] | None = field(default=None, hash=False)

    def struct(self) -> Struct:
        """As it travels; what is empty is left out."""
        value: dict[str, Any] = {
            "system": self.system,
            "tools": [_filled(offer) for offer in self.tools],
            "conversation": list(self.conversation),
            "steps": [[turn.json() for turn in step] for step in self.steps],
            "said": list(self.said),
            "asked": self.asked,
            "last": self.last,
            "pending": [_filled(action) for action in self.pending],
            "mishaps": self.mishaps,
        }
        kept = {name: each for name, each in value.items() if each}
        if self.answer is not None:
            kept["answer"] = list(self.answer)
        return struct({"form": self.form, **kept})

    @classmethod
    def read(cls, given: Struct, version: int) -> State:
        """What `struct` wrote.

        Raises:
            UnreadableVersion: Another version.
            BrokenState: Not a state.
        """
        if version != VERSION:
            raise UnreadableVersion(f"the state is of version {version}; this strategy reads version {VERSION}")
        value = plain(given)
        try:
            return cls(
                form=_form(value["form"]),
                system=value.get("system", ""),
                tools=tuple(Offer(**each) for each in value.get("tools", [])),
                conversation=tuple(value.get("conversation", [])),
                steps=tuple(tuple(map(Turn.read, step)) for step in value.get("steps", [])),
                said=tuple(value.get("said", [])),
                asked=value.get("asked", ""),
                last=value.get("last", False),
                pending=tuple(Pending(**each) for each in value.get("pending", [])),
                mishaps=value.get("mishaps", 0),
                answer=tuple(value["answer"]) if "answer" in value else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BrokenState(f"the state cannot be read: {type(error).__name__}: {error}") from error


def _filled(part: Offer | Pending) -> dict[str, str]:
    return {name: each for name, each in vars(part).items() if each}


def _form(name: str) -> str:
    if name not in ("native", "text"):
        raise ValueError(f"no form {name!r}")
    return name
