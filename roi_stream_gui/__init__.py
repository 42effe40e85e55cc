"""The window of ROI Stream."""
