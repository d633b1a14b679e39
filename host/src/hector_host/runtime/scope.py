"""What the parts of one run share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hector_host.providers.call import Call
    from hector_host.runtime.events import Events
    from hector_host.runtime.journal import Journal
    from hector_host.runtime.messages import Messages


@dataclass(frozen=True, slots=True)
class Scope:
    """One run: who it is, what it has said, and where it is kept and told.

    Attributes:
        run: Its id.
        llm: The agent's model, by its name in the configuration.
        call: What its calls of plugins carry.
    """

    run: str
    llm: str
    messages: Messages
    journal: Journal
    events: Events
    call: Call
