"""A Hector plugin: a language model that answers in capitals."""

from dataclasses import dataclass

from hector.plugin.v1.llm_pb2 import GenerateTextRequest, GenerateTextResponse
from hector_sdk import LLM, serve


@dataclass(frozen=True)
class Options:
    """What the configuration may say under `config`."""

    mark: str = "!"
    """What ends every answer."""


class Shout(LLM[Options]):
    """Answers with the question, louder."""

    async def generate_text(self, request: GenerateTextRequest) -> GenerateTextResponse:
        """One question, one answer."""
        return GenerateTextResponse(text=request.prompt.upper() + self.options.mark)


if __name__ == "__main__":
    serve(Shout(), name="shout", version="0.1.0", description="Answers in capitals.")
