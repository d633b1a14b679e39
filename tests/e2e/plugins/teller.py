"""A model that says who answers: its process, its option `mark` and its data directory. Asked to wait, it waits.

The prompt "wait" is answered once there is a file `gate` beside this one; "die" ends the process.
"""

import asyncio
import json
import os
from dataclasses import dataclass
from pathlib import Path

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse
from hector_sdk import LLM, serve


@dataclass(frozen=True)
class Options:
    mark: str = "none"


class Teller(LLM[Options]):
    async def start(self) -> None:
        if self.options.mark == "broken":
            raise RuntimeError("this edition does not start")

    async def generate_text(self, request: GenerateTextRequest) -> GenerateTextResponse:
        if request.prompt == "die":
            print("out of luck", flush=True)  # noqa: T201 (its last words)
            os._exit(7)
        gate = Path(__file__).with_name("gate")
        if "wait" in request.prompt:
            print("waiting", flush=True)  # noqa: T201 (tests wait for it)
        while "wait" in request.prompt and not gate.exists():
            await asyncio.sleep(0.01)
        told = {"pid": os.getpid(), "mark": self.options.mark, "data": str(self.data_dir)}
        return GenerateTextResponse(text=json.dumps(told))


if __name__ == "__main__":
    serve(Teller(), name="teller", version="1.0.0", description="Says who answers.")
