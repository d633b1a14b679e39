"""Which file of a model is computed with: its weights as they are, or those quantised for this processor."""

from __future__ import annotations

import platform
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import grpc

from hector_sdk import InvalidOptions, Status

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDERS = ("onnx/", "")
"""Where models keep their ONNX files: in a folder for them, or beside everything else."""
FLOAT = ("model.onnx",)
QUANTISED = (
    ("avx512_vnni", "model_qint8_avx512_vnni.onnx"),
    ("avx512f", "model_qint8_avx512.onnx"),
    ("avx2", "model_quint8_avx2.onnx"),
    ("arm64", "model_qint8_arm64.onnx"),
    ("", "model_int8.onnx"),
    ("", "model_quantized.onnx"),
    ("", "model_uint8.onnx"),
)
"""What sentence-transformers' and transformers.js' exporters call them, best first, with what a processor must have."""
DATA = ("_data", ".data")
"""Ends of the files beside an ONNX file that hold the weights which are too large for it."""


def choose(files: Sequence[str], wanted: str, features: frozenset[str]) -> str:
    """The file to compute with. Empty: there is none.

    Args:
        files: Of the model, relative to its folder, with `/`.
        wanted: "auto", "float" or "int8".
        features: What the processor has.

    Raises:
        InvalidOptions: No such weights are known.
    """
    names = {"float": FLOAT, "int8": quantised(features), "auto": (*FLOAT, *quantised(features))}.get(wanted)
    if names is None:
        raise InvalidOptions("weights", f'is "{wanted}", must be auto, float or int8')
    there = set(files)
    return next((folder + name for name in names for folder in FOLDERS if folder + name in there), "")


def quantised(features: frozenset[str]) -> tuple[str, ...]:
    """The names of quantised files that this processor computes well with, best first."""
    return tuple(name for feature, name in QUANTISED if not feature or feature in features)


def missing(model: str, wanted: str, files: Sequence[str], features: frozenset[str]) -> Status:
    """The error for a model without such a file."""
    there = sorted(file for file in files if file.endswith(".onnx"))
    if there:
        fitting = " or ".join(quantised(features) if wanted == "int8" else FLOAT)
        words = f'{model} has no {fitting}, which weights "{wanted}" would be here; it has {", ".join(there)}'
    else:
        words = (
            f"{model} has no ONNX file (onnx/model.onnx or model.onnx): export it,"
            " or take sentence-transformers-embedder, which reads its other weights"
        )
    return Status(grpc.StatusCode.FAILED_PRECONDITION, words)


def beside(file: str, files: Sequence[str]) -> list[str]:
    """The files that belong to an ONNX file and are read by the library itself."""
    stem = PurePosixPath(file).with_suffix("").as_posix()
    return [each for each in files if each.startswith(stem + ".onnx") and each.endswith(DATA)]


def processor() -> frozenset[str]:
    """What this machine's processor has, of what QUANTISED asks for."""
    if platform.machine().lower() in ("arm64", "aarch64"):
        return frozenset({"arm64"})
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return frozenset()
    return frozenset(next((line.partition(":")[2].split() for line in lines if line.startswith("flags")), []))
