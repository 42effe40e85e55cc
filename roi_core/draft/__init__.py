"""Changes to a recording that happen as a whole or not at all, whatever kills the program.

HDF5 changes a few bytes of what is there (the file's head, indexes, lengths) and appends the rest, in any
order; cut short, that can cost a whole dataset. So it works on a `Draft`: what it appends goes to the file,
behind everything that counts; what it changes is kept in memory. When all is written, the changes go into a
journal of their own, then into the file. A kill before the journal is whole leaves the old file; after that
the next who asks (`mend`) finishes the job, as often as it takes. The journal also keeps what it
replaces: so it is known not to be of another file that got the name since.

The recorder writes through a `Guarded` file, for which each flush is such a change.
"""

from __future__ import annotations

from roi_core.draft.file import Draft, copy, mend, pending
from roi_core.draft.guarded import Guarded
from roi_core.draft.locks import Busy, locked

__all__ = ["Busy", "Draft", "Guarded", "copy", "locked", "mend", "pending"]
