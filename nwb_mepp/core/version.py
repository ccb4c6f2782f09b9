"""The version of the package, kept apart so that anything may import it without cost."""

__version__ = "0.1.0"
