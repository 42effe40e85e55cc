"""A panel that fails at the third frame; the window must live on without it."""

import dearpygui.dearpygui as dpg


class Broken:
    title = "Broken"
    place = "right"
    always = True

    def __init__(self, desk):
        self.frames = 0

    def build(self, parent):
        dpg.add_text("soon broken", parent=parent)

    def update(self, view):
        self.frames += 1
        if self.frames == 3:
            raise ZeroDivisionError("a bug in a panel")
