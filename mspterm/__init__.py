"""mspterm: the on-call engineer's console for a managed service provider."""

__version__ = "0.1.0"
