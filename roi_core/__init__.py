"""ROI Stream's core: camera -> frames -> regions -> rings -> file. No window in here."""

__version__ = "0.1.0"
