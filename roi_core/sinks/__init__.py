"""Where samples go: the recorder today; every sink follows `roi_core.sinks.base.Sink`."""
