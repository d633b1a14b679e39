"""What the owner of the plugin may set."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hector_sdk import InvalidOptions

OPENAI = "https://api.openai.com/v1"

SECRET_LENGTH = 8

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Options:
    """Options of openai-llm."""

    api_key: str = field(default="", repr=False)
    """The endpoint's key; OpenAI's own needs one."""
    base_url: str = OPENAI
    """The endpoint, up to and including /v1."""
    organization: str = ""
    """The organization that is charged. Empty: the key's own."""
    model: str = ""
    """The model of requests that name none."""
    timeout: float | str = "10m"
    """How long the endpoint may be silent: seconds, or a duration such as 30s or 5m."""
    max_retries: int = 2
    """How often a request is repeated that met a rate limit, a server error or no connection."""
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    """Headers to send with every request."""
    tool_calling: bool = True
    """Whether the models can call tools: the endpoint does not tell."""
    response_schema: bool = True
    """Whether the models keep to a JSON Schema: the endpoint does not tell."""
    input_media: tuple[str, ...] = ()
    """Media types that the models read, e.g. image/*: the endpoint does not tell."""

    @property
    def secrets(self) -> tuple[str, ...]:
        """What no message may repeat. Short values are no secrets: they are in every text."""
        return tuple(value for value in (self.api_key, *self.headers.values()) if len(value) >= SECRET_LENGTH)


def check(options: Options) -> None:
    """Refuses what cannot work.

    Raises:
        InvalidOptions: Names the option.
    """
    seconds(options)
    if not options.base_url.startswith(("http://", "https://")):
        raise InvalidOptions("base_url", "must begin with http:// or https://")
    if options.base_url.rstrip("/") == OPENAI and not options.api_key:
        raise InvalidOptions("api_key", f"is required for {OPENAI}; other endpoints are named by base_url")
    if not 0 <= options.max_retries <= 10:
        raise InvalidOptions("max_retries", f"{options.max_retries} is not between 0 and 10")
    for name, value in {"api_key": options.api_key, "organization": options.organization}.items():
        _check_header(name, value)
    for name, value in options.headers.items():
        _check_header(f"headers.{name}", name + value)


def _check_header(option: str, words: str) -> None:
    """Refuses what the HTTP library would refuse at the first request, with the value in its message."""
    if not words.isascii() or (words and not words.isprintable()):
        raise InvalidOptions(option, "has characters that no header may have")


def seconds(options: Options) -> float:
    """The timeout in seconds.

    Raises:
        InvalidOptions: It is no duration.
    """
    value = options.timeout
    if isinstance(value, str):
        if not (found := _DURATION.fullmatch(value)):
            raise InvalidOptions("timeout", f'"{value}" is not a duration: write it as 30s or 5m')
        value = float(found[1]) * _SECONDS[found[2]]
    if not 0 < value <= 86400:
        raise InvalidOptions("timeout", f"{value:g} s is not between 0 and 24h")
    return value
