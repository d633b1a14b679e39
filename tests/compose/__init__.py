"""The demo stack of docker/ on a real engine: it is built, asked, looked at, and loses one container after the other.

__main__.py ── engine.py   an engine: the one that answers, or one of its own, stopped on every way out
            ── stack.py    `docker compose` over docker/compose.yaml, removed on every way out
            ── confinement.py   what the engine says of each container, against what compose.yaml promises
            ── kills.py ── callers.py   which runs in the host's container, and calls while plugins are killed
"""
