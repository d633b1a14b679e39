"""Why a plugin did not become ready, before anybody has put the plugin's name and its last log lines to it."""

from __future__ import annotations

from dataclasses import dataclass


class Failure(Exception):  # noqa: N818 (an error names its plugin; this becomes one when it is known whose it is)
    """A start went wrong.

    Attributes:
        reason: The reason of the `StateChange`, e.g. "handshake" or "exit:1".
        what: What happened, as it stands after `kind/name: `.
        step: What the reader can do now.
        show_log: The plugin's last log lines explain it.
    """

    def __init__(self, reason: str, what: str, step: str = "", *, show_log: bool = False) -> None:
        super().__init__(what)
        self.reason = reason
        self.what = what
        self.step = step
        self.show_log = show_log


@dataclass(frozen=True, slots=True)
class Waiting:
    """What a start is waiting for.

    Attributes:
        what: What has not happened, as it stands after `kind/name: ` and before the time.
        why: What is known of the reason.
        reason: Of the `StateChange`.
    """

    what: str
    why: str = ""
    reason: str = "start_timeout"

    def too_long(self, seconds: float, step: str, *, show_log: bool) -> Failure:
        """The failure when it did not happen in time."""
        why = f": {self.why}" if self.why else ""
        return Failure(self.reason, f"{self.what} within {seconds:g} s{why}", step, show_log=show_log)
