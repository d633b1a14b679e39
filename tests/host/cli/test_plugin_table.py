"""The table of plugins says in words why one takes no calls."""

import pytest

from hector.host.v1.supervision_pb2 import (
    PLUGIN_STATE_BACKOFF,
    PLUGIN_STATE_DEGRADED,
    PLUGIN_STATE_DISCOVERED,
    PluginStatus,
)
from hector_host.cli.plugin_table import table

AT = "attached to unix:/tmp/s; "


@pytest.mark.parametrize(
    ("state", "reason", "attached", "remark"),
    [
        (PLUGIN_STATE_DEGRADED, "health", "unix:/tmp/s", AT + "does not answer health checks as it should"),
        (PLUGIN_STATE_DEGRADED, "unresponsive", "", "answers none of its calls"),
        (PLUGIN_STATE_BACKOFF, "health", "", "did not answer health checks as it should"),
        (PLUGIN_STATE_DISCOVERED, "unresponsive", "", "crashed 5s ago: answered none of its calls"),
        (PLUGIN_STATE_BACKOFF, "signal:9\x1b", "", "signal:9\\x1b"),
    ],
)
def test_a_reason_is_told_in_words(state, reason, attached, remark):
    plugin = PluginStatus(name="t", state=state, reason=reason, attached=attached)
    plugin.since.FromSeconds(95)
    assert table([plugin], 100.0, None).splitlines()[-1] == f"  {remark}"
