"""Measurements against floors and peers; see the files."""
