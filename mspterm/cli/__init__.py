"""The plain command line."""
