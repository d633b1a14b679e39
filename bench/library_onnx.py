"""onnxruntime and tokenizers alone, in a process of their own: reads `[batch size, [texts]]` a line, says seconds.

Each batch is padded to its longest text and pooled by the mean. After the seconds comes the resident memory, in bytes.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import tokenizers


def main() -> None:
    folder = Path(sys.argv[1])
    tokenizer = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(256)
    tokenizer.enable_padding()
    session = onnxruntime.InferenceSession(str(folder / "onnx/model.onnx"), providers=["CPUExecutionProvider"])
    print("ready", flush=True)
    for line in sys.stdin:
        size, texts = json.loads(line)
        started = time.perf_counter()
        for first in range(0, len(texts), size):
            encode(tokenizer, session, texts[first : first + size])
        print(json.dumps([time.perf_counter() - started, resident()]), flush=True)


def encode(tokenizer: tokenizers.Tokenizer, session: onnxruntime.InferenceSession, texts: list[str]) -> np.ndarray:
    encodings = tokenizer.encode_batch(texts)
    mask = np.array([one.attention_mask for one in encodings])
    (tokens,) = session.run(
        ["last_hidden_state"],
        {
            "input_ids": np.array([one.ids for one in encodings]),
            "attention_mask": mask,
            "token_type_ids": np.array([one.type_ids for one in encodings]),
        },
    )
    summed = (tokens * mask[..., None]).sum(axis=1) / mask.sum(axis=1, keepdims=True)
    return summed / np.linalg.norm(summed, axis=1, keepdims=True)


def resident() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


if __name__ == "__main__":
    main()
