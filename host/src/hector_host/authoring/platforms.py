"""Which machine a program is for, by its first bytes, and which one this is. Both are spelled as manifests do."""

from __future__ import annotations

import platform
import struct

HEADER = 20
"""Bytes that tell."""
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_ELF = {0x3E: "amd64", 0xB7: "arm64"}
_MACH_O = {0x01000007: "amd64", 0x0100000C: "arm64"}
_MACH_O_64 = b"\xcf\xfa\xed\xfe"


def this_platform() -> str:
    """This machine, for example `linux/amd64`."""
    machine = platform.machine().lower()
    return f"{platform.system().lower()}/{_ARCHITECTURES.get(machine, machine)}"


def platform_of(header: bytes) -> str | None:
    """The platform of a program or library that begins so; None for every other file.

    An ELF file is taken for one of Linux; a PE file for one of Windows on amd64, its far most frequent machine.
    """
    if header.startswith(b"\x7fELF") and len(header) >= HEADER:
        order = ">" if header[5] == 2 else "<"
        machine = struct.unpack_from(f"{order}H", header, 18)[0]
        return f"linux/{_ELF.get(machine, f'machine-{machine}')}"
    if header.startswith(_MACH_O_64) and len(header) >= 8:
        machine = struct.unpack_from("<I", header, 4)[0]
        return f"darwin/{_MACH_O.get(machine, f'machine-{machine}')}"
    return "windows/amd64" if header.startswith(b"MZ") else None


def runs_on(platforms: tuple[str, ...], here: str) -> bool:
    """Whether a plugin of these platforms runs on this one; without any it runs everywhere."""
    return not platforms or here in platforms or here.partition("/")[0] in platforms
