"""For tests only: tells where things are in the window and what the program thinks.

A Unix socket is opened only when ``ROI_STREAM_TEST_SOCKET`` names one. Every line received is answered with
one line of JSON: rectangles of the named widgets in window px, the mapping from image to window px, and the
state. It is polled by the window's own loop, so that only the GUI thread touches Dear PyGui.
"""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dearpygui.dearpygui as dpg

from roi_stream_gui.cells import told

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from roi_stream_gui.cells import Choice
    from roi_stream_gui.panelboard import PanelBoard
    from roi_stream_gui.panels.base import Desk
    from roi_stream_gui.view import View

__all__ = ["VARIABLE", "Probe", "answer", "rectangles", "state_of"]

VARIABLE = "ROI_STREAM_TEST_SOCKET"


class Probe:
    """One listening socket and its connections."""

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(path)
        self._socket.listen()
        self._socket.setblocking(False)
        self._peers: list[socket.socket] = []

    @classmethod
    def wanted(cls) -> Probe | None:
        """Return the probe when a test asks for it."""
        path = os.environ.get(VARIABLE)
        return cls(path) if path else None

    def poll(self, answer: Callable[[], dict[str, Any]]) -> None:
        """Answer every line that has arrived; never waits."""
        try:
            peer, _ = self._socket.accept()
            peer.setblocking(False)
            self._peers.append(peer)
        except BlockingIOError:
            pass
        for peer in list(self._peers):
            try:
                alive = _served(peer, answer)
            except OSError:
                alive = False
            if not alive:
                self._peers.remove(peer)
                peer.close()

    def close(self) -> None:
        """Close everything and remove the socket's file."""
        for peer in [*self._peers, self._socket]:
            peer.close()
        self._path.unlink(missing_ok=True)


def _served(peer: socket.socket, answer: Callable[[], dict[str, Any]]) -> bool:
    """Answer what one peer has asked; return False when it has hung up."""
    try:
        data = peer.recv(4096)
    except BlockingIOError:
        return True
    for _ in range(data.count(b"\n")):
        peer.setblocking(True)
        peer.sendall(json.dumps(answer()).encode() + b"\n")
        peer.setblocking(False)
    return bool(data)


def answer(desk: Desk, board: PanelBoard, view: View) -> dict[str, Any]:
    """Return what tests ask for."""
    told = board.tell()
    return {
        "items": rectangles(desk.names),
        "menus": _menus(desk.names),
        "image": told.get("preview", {}).get("mapping"),
        "panels": list(board.panels),
        "told": told,
        "chips": _labels(desk.names, "chip."),
        "typing": desk.typing(),
        "state": state_of(view, desk.controller.cells),
    }


def rectangles(names: Mapping[str, int]) -> dict[str, list[float]]:
    """Return [x, y, width, height] in window px of every named widget that is on screen."""
    found = {}
    for name, item in names.items():
        state = dpg.get_item_state(item)
        if state.get("visible", "scroll_pos" in state) and any(state.get("rect_size", ())):
            # A child window tells no rectangle, but its place in the window.
            found[name] = [*state.get("rect_min", state["pos"]), *state["rect_size"]]
    return found


def _menus(names: Mapping[str, int]) -> dict[str, list[float]]:
    """Return [x, y] of every entry inside its menu, and width and height of the menu it opens, px."""
    entries = {name: dpg.get_item_state(item) for name, item in names.items() if name.startswith("menu.")}
    return {
        name.removeprefix("menu."): [*state["pos"], *state.get("rect_size", (0, 0))]
        for name, state in entries.items()
    }


def _labels(names: Mapping[str, int], start: str) -> dict[str, str]:
    """Return what is written on the named widgets whose name begins so, without that beginning."""
    known = {name.removeprefix(start): item for name, item in names.items() if name.startswith(start)}
    return {name: dpg.get_item_label(item) or "" for name, item in known.items()}


def state_of(view: View, cells: Choice) -> dict[str, Any]:
    """Return what the program thinks, as plain values."""
    snapshot = view.snapshot
    take = snapshot.recording if snapshot else None
    return {
        "phase": view.phase.value,
        "recording": view.recording,
        "source": view.source,
        "frames": snapshot.frames_seen if snapshot else 0,
        "dropped": snapshot.frames_dropped if snapshot else None,
        "shape": list(snapshot.shape) if snapshot else None,
        "trace_rows": snapshot.traces.head if snapshot else 0,
        "take": {"path": str(take.path), "rows": take.rows, "closing": take.closing, "failed": take.failed}
        if take
        else None,
        "stages": snapshot.stages if snapshot else {},
        "cells": told(snapshot, cells),
        "rois": [roi.to_dict() for roi in view.rois],
        "selection": list(view.selection),
        "tool": view.hand.tool.value,
        "drawing": view.hand.busy,
        "undo": view.undo,
        "redo": view.redo,
        "paused": view.paused,
        "window_rate": view.window_rate,
        "settings": view.settings.model_dump(),
        "messages": [[message.level, message.text] for message in view.messages],
    }
