"""Durations, sizes, references to plugins and network rules: how people write them, and what they mean.

Every function takes the text and raises `UnitError` when it is none.
"""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}

_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([KMGT]i?B)")
_BYTES = {
    "TiB": 1 << 40,
    "TB": 10**12,
    "GiB": 1 << 30,
    "GB": 10**9,
    "MiB": 1 << 20,
    "MB": 10**6,
    "KiB": 1 << 10,
    "KB": 10**3,
}

_REFERENCE = re.compile(r"plugin:(.+)")
NAME = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$"
"""The pattern of names that can stand in paths, labels and URLs."""

_LABEL = r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?")
_NETWORK_STEP = "Write localhost, an address, a network such as 10.0.0.0/8, a name or *.name; :port may follow."


class UnitError(ValueError):
    """A text is not what it should be. Arguments: what is wrong, to be read after the text, and the next step."""


def seconds(text: str) -> float:
    """`30s`, `5m`, `500ms`, `1h` in seconds; more than nothing and at most a year."""
    match = _DURATION.fullmatch(text)
    value = float(match[1]) * _SECONDS[match[2]] if match else 0.0
    if match is None:
        raise UnitError("is not a duration", "Write it as 500ms, 30s, 5m or 1h.")
    if not 0 < value <= 366 * 86400:
        raise UnitError("is no usable duration", "Write more than 0s and at most a year.")
    return value


def duration(value: float) -> str:
    """Seconds as `seconds` reads them, in the largest unit that keeps the number whole."""
    for unit, scale in _SECONDS.items():
        if value >= scale and (value / scale).is_integer():
            return f"{value / scale:.0f}{unit}"
    return f"{value:.6f}".rstrip("0").rstrip(".") + "s"


def size(text: str) -> int:
    """`512MB`, `1GB` (powers of ten), `1GiB` (powers of two) in bytes; at least 1MB."""
    match = _SIZE.fullmatch(text)
    if match is None:
        raise UnitError("is not a size", "Write it as 512MB or 1GB.")
    value = round(float(match[1]) * _BYTES[match[2]])
    if not 10**6 <= value <= 1 << 60:
        raise UnitError("is no usable size", "Write 1MB or more.")
    return value


def bytes_text(value: int) -> str:
    """Bytes as `size` reads them, in the largest unit that keeps the number whole."""
    unit = next((unit for unit, scale in _BYTES.items() if value % scale == 0), "")
    return f"{value // _BYTES[unit]}{unit}" if unit else f"{value / 1000:.3f}KB"


def reference(text: str) -> str:
    """The plugin's name in `plugin:NAME`."""
    match = _REFERENCE.fullmatch(text)
    if match is None:
        raise UnitError("names no plugin", 'Write "plugin:NAME", NAME being a key under plugins.')
    return match[1]


def name(text: str) -> str:
    """A name that can stand in paths, labels and URLs."""
    if text.endswith("\n") or not re.match(NAME, text):
        raise UnitError("is no usable name", "Use letters, digits, _, - and ., at most 64, no - or . at its beginning.")
    return text


def network(text: str) -> str:
    """One entry of `allowed_networks`: an address, a CIDR network, a name, `*.name` or `*`. A `:port` may follow."""
    if text == "*" or "/" in text:
        return text if text == "*" else _cidr(text)
    host, port = _split(text)
    if port is not None and not valid_port(port):
        raise UnitError("has no usable port", "A port is a number from 1 to 65535.")
    if not (_is_address(host) or _is_name(host.removeprefix("*."))):
        raise UnitError("is not a network", _NETWORK_STEP)
    return text


def _split(text: str) -> tuple[str, str | None]:
    """Host and port. An IPv6 address has a port only behind brackets."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")) or ":" not in host:
            raise UnitError("is not a network", _NETWORK_STEP)
        return host, rest[1:] if rest else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def valid_port(text: str) -> bool:
    """A TCP port as text."""
    return text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) <= 65535


def _cidr(text: str) -> str:
    import ipaddress

    try:
        ipaddress.ip_network(text)
    except ValueError as error:
        host_bits = "host bits set" in str(error)
        step = f"Write {ipaddress.ip_network(text, strict=False)}." if host_bits else _NETWORK_STEP
        raise UnitError("is not a network", step) from None
    return text


def _is_address(text: str) -> bool:
    import ipaddress

    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _is_host(text: str) -> bool:
    """A name or an address; a v6 address stands in brackets."""
    if text.startswith("[") and text.endswith("]"):
        return ":" in text and _is_address(text[1:-1])
    return _is_name(text) or (":" not in text and _is_address(text))


def _is_name(text: str) -> bool:
    """A DNS name. What ends in a number would be an address, and a broken one at that."""
    return len(text) <= 253 and bool(_HOST.fullmatch(text)) and not text.rstrip(".").rpartition(".")[2].isdigit()


def address(text: str) -> str:
    """Where a running plugin listens: `unix:PATH`, `host:port`, `[v6]:port` or `dns:///host:port`."""
    path = text.removeprefix("unix:")
    if path != text:
        if path.removeprefix("//"):
            return text
    else:
        target = text.removeprefix("dns:///")
        if _is_host(target):
            raise UnitError("has no port", "Write host:port, with the port on which the plugin listens.")
        host, _, port = target.rpartition(":")
        if valid_port(port) and _is_host(host):
            return text
    raise UnitError("is not an address", "Write host:port, dns:///host:port or unix:PATH.")
