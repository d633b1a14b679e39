"""`hector schema`: the configuration's JSON Schema."""

from __future__ import annotations

import json


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    Example: hector schema > hector.schema.json, and as the first line of hector.yaml:

        # yaml-language-server: $schema=hector.schema.json
    """
    from hector_host.config.schema import schema as of_the_configuration

    print(json.dumps(of_the_configuration(), indent=2, ensure_ascii=False))
