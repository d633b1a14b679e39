"""A plugin whose calls go to a process that somebody else runs, for as long as that person wants. Pure.

An attachment is an edition like any other: the same plugin, its source replaced by an address. What is different about
it follows from who is there: a person, who stops the process at a breakpoint, ends it and starts it again. So nothing
of it is given up for being slow, and nothing goes back by itself: calls that were meant for the process under the
debugger, and are answered by another, would be looked for in vain.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from hector_host.manager.plugin import call_timeout

if TYPE_CHECKING:
    from hector_host.manager.instance import Edition

TIMEOUT = 3600.0
"""Seconds, at least, for a call, and for each step of getting ready: a breakpoint holds as long as somebody thinks."""
LONGEST_DELAY = 2.0
"""Seconds until the process is dialled again, at most: who starts it again wants it to be used at once."""


NOBODY_THERE = frozenset({"connection", "start_timeout"})
"""Reasons that waiting for somebody to start the process may mend."""


@dataclass(frozen=True, slots=True)
class Attachment:
    """Where an edition's calls go instead of to a process of its own.

    Attributes:
        address: As `address` of a plugin's configuration.
        owner: The plugin owns its data directory, so the process there and one of the host's exclude each other.
    """

    address: str
    owner: bool

    @property
    def near(self) -> bool:
        """It is on this machine, where the plugin's data directory is."""
        if self.address.startswith("unix:"):
            return True
        import ipaddress

        host = self.address.removeprefix("dns:///").rpartition(":")[0].strip("[]")
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @property
    def guarded(self) -> bool:
        """It and a process of the host's would write into the same directory."""
        return self.owner and self.near


def attached(edition: Edition, attachment: Attachment) -> Edition:
    """The edition whose calls go to an address.

    What is about processes that are started here, or about the address of the configuration, does not count for it:
    limits of the machine, replicas, TLS and metadata.
    """
    plugin = edition.plugin
    timeout = max(call_timeout(plugin), TIMEOUT)
    limits = dict.fromkeys(("sandbox", "max_memory", "allowed_networks"))
    elsewhere = dict.fromkeys(("path", "package", "command", "tls"))
    return replace(
        edition,
        plugin=plugin.model_copy(
            update={
                **elsewhere,
                "address": attachment.address,
                "metadata": {},
                "replicas": 1,
                "security": plugin.security.model_copy(update={**limits, "timeout": timeout}),
                "start_timeout": max(plugin.start_timeout, TIMEOUT),
            }
        ),
        attachment=attachment,
    )


def way_back(name: str) -> str:
    """How the calls of an attached plugin go to its own process again."""
    return f"hector plugin detach {name}"
