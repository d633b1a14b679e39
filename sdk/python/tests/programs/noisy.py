"""Prints in every way there is while it is imported, and starts when the file that its options name is there."""

# ruff: noqa: T201 - printing is what it is for
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from hector_sdk import LLM, serve

# isort: split
import asyncio
import logging
import time

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse

print("printed by Python")
sys.stdout.flush()
os.write(1, b"printed by native code\n")
subprocess.run(
    [sys.executable, "-c", "import os; print('printed by a child', os.environ.get('HECTOR_PLUGIN'))"], check=True
)


def wait_for(path: str) -> None:
    while path and not Path(path).exists():
        time.sleep(0.01)


@dataclass(frozen=True)
class Options:
    wait_for: str = ""


class Noisy(LLM[Options]):
    async def start(self) -> None:
        await asyncio.to_thread(wait_for, self.options.wait_for)
        print("started")
        logging.getLogger("noisy").warning("ready in %s", self.name)

    async def stop(self) -> None:
        print("stopped", flush=True)

    async def generate_text(self, request: GenerateTextRequest) -> GenerateTextResponse:
        return GenerateTextResponse(text=f"you said {request.prompt}")


serve(Noisy(), name="noisy", version="1.2.3", description="Prints.")
