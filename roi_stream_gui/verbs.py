"""What the hand does to cells, each thing by one word: on buttons, in menus, in the list of keys, in Undo.

The words are those of `roi_core.hand`, but for two that everybody has other words for: ``remove`` is called
delete, and ``automatic`` judging by rules.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["FREEZE", "THAW", "VERBS", "Verb"]


class Verb(NamedTuple):
    """``word``: in Undo and Redo; then what is written on its button, in the menu, and beside its key."""

    word: str
    button: str
    menu: str
    said: str
    key: str


FREEZE, THAW = "freeze", "thaw"

VERBS: Final = {
    "accept": Verb("accept", "Accept", "Accept", "Accept the chosen cells", "G"),
    "reject": Verb("reject", "Reject", "Reject", "Reject the chosen cells", "B"),
    "automatic": Verb(
        "judge by rules", "By rules", "Judge by rules", "Judge the chosen cells by rules", "Shift+G"
    ),
    "merge": Verb("merge", "Merge", "Merge", "Merge the chosen cells", "U"),
    "split": Verb("split", "Split", "Split", "Split the chosen cells", "D"),
    "remove": Verb("delete", "Delete", "Delete", "Delete the chosen cells", "Del"),
    "hold": Verb(FREEZE, "Freeze", "Freeze, or thaw", "Freeze the chosen cells, or thaw", "Shift+F"),
    "demote": Verb("demote", "Demote", "Demote to regions", "Demote the chosen cells to regions", "O"),
    "promote": Verb("promote", "Promote", "Promote regions", "Promote the selected regions", "I"),
}  # fmt: skip
"""By the names of the keeper's methods."""
