"""Items tokenized once: what a model reads of them, how long they are, and which were cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

CHARACTERS = 16
"""Of a text are looked at for each token that a model reads, at first: more than any language needs."""
MARGIN = 256
"""Tokens beyond the last one that is read; where a text is cut changes fewer than these before the cut."""


@dataclass(frozen=True)
class Batch:
    """Features for a model's forward pass, padded to the longest item.

    Attributes:
        features: As the model's `preprocess` gives them.
        lengths: Tokens of each item, special ones and prompt included.
        truncated: Which items were longer than the model reads.
    """

    features: dict[str, Any]
    lengths: list[int]
    truncated: list[bool]

    def part(self, indices: Sequence[int], device: Any) -> dict[str, Any]:
        """The features of some items, padded to the longest of these."""
        mask = self.features["attention_mask"]
        whole, longest = mask.shape, max(self.lengths[index] for index in indices)
        columns = slice(longest) if bool(mask[:, 0].all()) else slice(whole[1] - longest, None)  # padded on the left
        return {
            name: value[list(indices), columns].to(device) if getattr(value, "shape", None) == whole else value
            for name, value in self.features.items()
        }


def tokenized(model: Any, items: Sequence[Any], prompt: str | None = None) -> Batch | None:
    """The items as features of a model. None where its tokenizer does not tell what it cut."""
    features = model.preprocess(list(items), prompt=prompt)
    encodings = getattr(features, "encodings", None)
    mask = features.get("attention_mask")
    if not encodings or mask is None or tuple(mask.shape[:1]) != (len(items),):
        return None
    lengths = mask.sum(dim=1).tolist()
    return Batch(dict(features), lengths, [bool(encoding.overflowing) for encoding in encodings])


def head(tokenizer: Any, text: str, most: int) -> str:
    """The beginning of a text, with all that a model reads which reads `most` tokens, and more than that.

    Tokenizing megabytes takes seconds, of which a model would see a page.
    """
    size = CHARACTERS * most
    while size < len(text) // 2:
        start = text[:size]
        start = start[: max(start.rfind(" "), start.rfind("\n"))] or start  # tokens rarely go beyond words
        ids = tokenizer(start, add_special_tokens=False, truncation=False, padding=False, verbose=False)["input_ids"]
        if len(ids) >= most + MARGIN:
            return start
        size *= 4
    return text
