"""`hector schema`: the configuration's JSON Schema."""

from __future__ import annotations

import json


def schema() -> None:
    """Print the JSON Schema of the configuration, for editors.

    They complete and check hector.yaml once its first line is `# yaml-language-server: $schema=hector.schema.json`.

    For example:

        hector schema > hector.schema.json
    """
    from hector_host.config.schema import schema as of_the_configuration

    print(json.dumps(of_the_configuration(), indent=2, ensure_ascii=False))
