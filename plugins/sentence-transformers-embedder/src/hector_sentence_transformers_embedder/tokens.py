"""Items tokenized once: what a model reads of them, how long they are, and which were cut."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


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
