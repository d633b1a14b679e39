"""sentence-transformers in a process of its own, without Hector: reads a JSON list of texts a line, says the seconds.

A line is `[batch size, [texts]]`; the answer is the time of one `encode` of them all.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import metadata
from pathlib import Path

os.environ["HF_HUB_OFFLINE"] = "1"

from sentence_transformers import SentenceTransformer


def main() -> None:
    files = metadata.distribution(sys.argv[1]).files or []
    folder = next(Path(str(file.locate())).parent for file in files if file.name == "modules.json")
    model = SentenceTransformer(str(folder))
    print("ready", flush=True)
    for line in sys.stdin:
        size, texts = json.loads(line)
        started = time.perf_counter()
        model.encode(texts, batch_size=size, normalize_embeddings=True, show_progress_bar=False)
        print(time.perf_counter() - started, flush=True)


if __name__ == "__main__":
    main()
