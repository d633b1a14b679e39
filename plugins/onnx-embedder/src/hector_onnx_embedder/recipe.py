"""What a sentence-transformers repository says of its model: how vectors come from tokens, what is cut, which prompts.

Everything is in small JSON files, of which any may be absent. What this plugin cannot do as they say is refused: a
vector that is nearly right would be found to be wrong much later.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import grpc

from hector_sdk import Status

if TYPE_CHECKING:
    from pathlib import Path

MODES = ("cls_token", "max_tokens", "mean_tokens", "mean_sqrt_len_tokens", "weightedmean_tokens", "lasttoken")
"""Ways to make one vector of a text's tokens, in the order in which a model that has several joins them."""
SHORT = {"cls": "cls_token", "max": "max_tokens", "mean": "mean_tokens", "weightedmean": "weightedmean_tokens"}
"""How newer files call some of them."""
TOO_MUCH = 1 << 30
"""Tokenizers say 10^30 where nothing limits them."""


@dataclass(frozen=True)
class Recipe:
    """How a model is used.

    Attributes:
        pooling: Of MODES; several are joined.
        normalized: Vectors have length 1 by the model's own will.
        max_tokens: Longer texts are cut here. 0: unknown.
        lower_case: Texts are folded before they are tokenized.
        prompts: By purpose: "query", "document", "".
        score: "Sigmoid" or "Identity": what a cross-encoder makes of its number.
    """

    pooling: tuple[str, ...]
    normalized: bool
    max_tokens: int
    lower_case: bool
    prompts: dict[str, str]
    score: str


def recipe(folder: Path) -> Recipe:
    """What the files of a model say.

    Raises:
        Status: FAILED_PRECONDITION for what is broken, or cannot be done here.
    """
    modules = [str(module.get("type", "")).rpartition(".")[2] for module in _json(folder / "modules.json", [])]
    unknown = [module for module in modules if module not in ("Transformer", "Pooling", "Normalize")]
    if unknown:
        raise _cannot(f"has a module {unknown[0]}")
    pooling = next(folder.glob("*_Pooling/config.json"), folder / "1_Pooling/config.json")
    bert = _json(folder / "sentence_bert_config.json", {})
    prompts = _json(folder / "config_sentence_transformers.json", {})
    named = prompts.get("prompts") or {}
    return Recipe(
        pooling=_pooling(_json(pooling, {})),
        normalized="Normalize" in modules,
        max_tokens=_most(folder, bert),
        lower_case=bool(bert.get("do_lower_case")),
        prompts={
            "query": named.get("query") or "",
            "document": named.get("document") or named.get("passage") or "",
            "": named.get(prompts.get("default_prompt_name") or "") or "",
        },
        score=_score(_json(folder / "config.json", {})),
    )


def _pooling(config: dict[str, Any]) -> tuple[str, ...]:
    """The ways that a file names; the mean where there is no file, as sentence-transformers has it."""
    if not config.get("include_prompt", True):
        raise _cannot("leaves its prompts out of its vectors (include_prompt)")
    given = config.get("pooling_mode")
    if given:
        named = [given] if isinstance(given, str) else list(given)
        modes = [SHORT.get(name, name) for name in named]
    else:
        modes = [
            key.removeprefix("pooling_mode_") for key, on in config.items() if key.startswith("pooling_mode_") and on
        ]
    unknown = [mode for mode in modes if mode not in MODES]
    if unknown:
        raise _cannot(f"has the pooling {unknown[0]}")
    return tuple(mode for mode in MODES if mode in modes) or ("mean_tokens",)


def _most(folder: Path, bert: dict[str, Any]) -> int:
    if bert.get("max_seq_length"):
        return int(bert["max_seq_length"])
    limits = (
        _json(folder / "tokenizer_config.json", {}).get("model_max_length"),
        _json(folder / "config.json", {}).get("max_position_embeddings"),
    )
    return min((int(limit) for limit in limits if limit and 0 < limit < TOO_MUCH), default=0)


def _score(config: dict[str, Any]) -> str:
    named = (config.get("sentence_transformers") or {}).get("activation_fn")
    named = named or config.get("sbert_ce_default_activation_function") or "Sigmoid"
    return str(named).rpartition(".")[2]


def _json(file: Path, absent: Any) -> Any:
    """What a file says; `absent` where there is none, or something else than it should be."""
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return absent
    except (OSError, ValueError) as error:
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, f"cannot read {file}: {error}") from None
    if not isinstance(read, type(absent)):
        words = f"cannot read {file}: it holds no {'list' if isinstance(absent, list) else 'object'}"
        raise Status(grpc.StatusCode.FAILED_PRECONDITION, words)
    return read


def _cannot(what: str) -> Status:
    words = f"the model {what}, which this plugin cannot compute: sentence-transformers-embedder can"
    return Status(grpc.StatusCode.FAILED_PRECONDITION, words)
