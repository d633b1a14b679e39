"""The plugin: models as ONNX files, behind the RPCs that every embedder of models has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hector_onnx_embedder import loading
from hector_onnx_embedder.options import Options
from hector_sdk.embedding.plugin import ModelEmbedder

if TYPE_CHECKING:
    from hector_sdk.embedding.model import Models


class OnnxEmbedder(ModelEmbedder[Options]):
    """An embedder for one model, with a reranker if the options name one."""

    def load(self) -> Models:
        """Load the models of the options."""
        return loading.load(self.options)
