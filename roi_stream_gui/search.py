"""What a text typed into a search field finds. Knows no toolkit."""

from __future__ import annotations

__all__ = ["holds"]


def holds(text: str, wanted: str) -> bool:
    """Tell whether every word of `wanted` is somewhere in a text, in any order, case and place in a word."""
    text = text.lower()
    return all(word in text for word in wanted.lower().split())
