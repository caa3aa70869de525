"""An approval gate for cloud platforms: hold, ask, decide, tell."""

__version__ = "0.1.0"
