"""The connection to a process that stands in for a plugin's own: treated as the plugin, and never hurried.

It gets the options that the plugin would get, and the data directory where that is on the same machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_host.errors import PluginError
from hector_host.manager.attachment import way_back
from hector_host.manager.connect.remote import RemoteInstance
from hector_host.manager.failure import Failure
from hector_host.manager.plugin import label

if TYPE_CHECKING:
    from hector_host.manager.attachment import Attachment
    from hector_host.manager.connect.addresses import Target
    from hector_host.manager.instance import Edition
    from hector_host.manager.plugin import Plugin


class AttachedInstance(RemoteInstance):
    """One connection to the process under somebody's hands."""

    def __init__(self, edition: Edition, attachment: Attachment, target: Target) -> None:
        data = str(edition.data) if attachment.near else ""
        super().__init__(
            edition.plugin, edition.config, edition.book, target, configure=True, data=data, keepalive=False
        )

    async def open(self) -> Plugin:
        """As any plugin's at an address; what to do about a failure is the user's and not the configuration's.

        Raises:
            Failure: It cannot be reached, does not answer in time, or is not what it was taken for.
            Rejected: It does not take its options.
        """
        try:
            return await super().open()
        except Failure as failure:
            if failure.reason == "options":
                raise
            step = f"Start {self._plugin.kind or 'the plugin'} {self._plugin.name} there, or name another address."
            raise Failure(failure.reason, failure.what, step) from None

    def failure(self) -> PluginError | None:
        """That the connection was lost, and how the calls go back; None while it takes calls."""
        if super().failure() is None:
            return None
        who = label(self.kind, self._plugin.name)
        return PluginError(
            f"{who}: is attached to {self.address}, and the connection was lost",
            f"Start it there again, or route the calls back: {way_back(self._plugin.name)}",
        )
