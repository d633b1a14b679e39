"""Tables that fit a terminal: the first column gives way, then the last ones go."""

import pytest

from hector_host.cli.columns import aligned, fitted

ROWS = [("plugin", "state", "memory"), ("a-rather-long-name", "ready", "51 MB"), ("b", "failed", "-")]


@pytest.mark.parametrize(
    ("width", "table"),
    [
        (
            34,
            [
                "plugin              state   memory",
                "a-rather-long-name  ready   51 MB",
                "b                   failed  -",
            ],
        ),
        (33, ["plugin             state   memory", "a-rather-long-na…  ready   51 MB", "b                  failed  -"]),
        (26, ["plugin      state   memory", "a-rather-…  ready   51 MB", "b           failed  -"]),
        (25, ["plugin      state", "a-rather-…  ready", "b           failed"]),
        (1, ["plugin", "a-rather-…", "b"]),
    ],
)
def test_what_fits(width, table):
    lines = aligned(fitted(ROWS, width)).splitlines()
    assert lines == table
    assert all(len(line) <= max(width, 10) for line in lines)
