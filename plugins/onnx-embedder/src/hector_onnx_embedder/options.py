"""What the plugin can be told."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """Options of onnx-embedder."""

    model: str
    """ORG/NAME on the hub, a folder (starts with /, ./, ../ or ~), or package:DISTRIBUTION that carries a model."""

    revision: str = ""
    """A branch, tag or commit of a hub model. Empty: the newest."""

    weights: str = "auto"
    """float: as the model was trained. int8: quantised, for this machine's processor. auto: float where it is there."""

    reranker: str = ""
    """A cross-encoder for Rerank, named as `model` is. Empty: Rerank is not offered."""

    reranker_revision: str = ""
    """A branch, tag or commit of a hub cross-encoder. Empty: the newest."""

    device: str = "auto"
    """Where to compute: cpu, cuda, cuda:1. auto: CUDA where onnxruntime has it, which onnxruntime-gpu does."""

    query_prompt: str | None = None
    """Put before texts that will be searched for. Absent: the model's own."""

    document_prompt: str | None = None
    """Put before texts that will be found. Absent: the model's own."""

    normalize: bool = True
    """Give vectors of length 1."""

    batch_size: int = 128
    """Texts that are computed together at most. At least 1."""

    cache: str = "256MB"
    """Size of the file with the vectors computed so far, such as 64MB or 1GB. 0: none are kept."""
