"""The door for recorders and publishers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from roi_core.frame import Header, Sample, Summary

__all__ = ["Sink"]


class Sink(Protocol):
    """Takes samples on a thread of its own (a `Lane`); never starts one.

    The caller opens once, writes and flushes from one thread, and always closes, also after a failure.
    """

    name: str

    def open(self, header: Header) -> None:
        """Refuse here, with a `SinkError`, before any frame."""
        ...

    def write(self, sample: Sample) -> None:
        """Take one sample; its image is overwritten soon after this returns."""
        ...

    def flush(self) -> None:
        """Make safe what was written; called at least every flush period, also when no frame comes."""
        ...

    def close(self, summary: Summary) -> None:
        """Finish; may be called twice and after any failure."""
        ...
