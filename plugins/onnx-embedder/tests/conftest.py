"""A real model as an ONNX file, exported once, and what sentence-transformers makes of the same weights."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from onnx_export import exported, packaged
from onnx_texts import PROMPT, TEXTS

LIBRARY = """
import json, sys
from sentence_transformers import SentenceTransformer
folder, prompt, texts = sys.argv[1], sys.argv[2], json.load(sys.stdin)
model = SentenceTransformer(folder, local_files_only=True)
print(json.dumps([model.encode(texts).tolist(), model.encode(texts, prompt=prompt).tolist()]))
"""


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model that the package carries, with its weights as `onnx/model.onnx`."""
    return exported(tmp_path_factory.mktemp("models") / "minilm")


@pytest.fixture(scope="session")
def library() -> list[np.ndarray]:
    """The library's vectors of TEXTS, without and with PROMPT, in a process of its own: PyTorch is not at home here."""
    argv = [sys.executable, "-c", LIBRARY, str(packaged()), PROMPT]
    ended = subprocess.run(argv, input=json.dumps(TEXTS), capture_output=True, text=True, check=True)
    return [np.array(vectors, dtype=np.float32) for vectors in json.loads(ended.stdout.splitlines()[-1])]
