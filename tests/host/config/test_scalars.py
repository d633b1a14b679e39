"""The core schema of YAML 1.2, beside PyYAML's reading of the same texts."""

import json

import yaml

from hector_host.config.scalars import typed


def test_what_json_writes_is_read_as_it_was(chance):
    for _ in range(2000):
        value = chance.choice(
            [chance.randint(-(10**12), 10**12), chance.uniform(-1e9, 1e9), chance.random() * 1e-9, True, None]
        )
        found = typed(json.dumps(value))
        assert found == value
        assert type(found) is type(value)


def test_no_text_is_read_as_a_date_or_a_time():
    for text in ("2024-01-01", "2024-01-01T10:00:00Z", "10:30", "1:2:3"):
        assert typed(text) == text
        assert yaml.safe_load(text) != text
