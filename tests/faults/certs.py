"""Certificates made at run time by the `openssl` program: a CA of ours, and what servers may show."""

from __future__ import annotations

import ssl
import subprocess
from dataclasses import dataclass
from pathlib import Path

EC = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
US, OTHER = "IP:127.0.0.1", "DNS:other.example.org"


def _openssl(*argv: str | Path) -> None:
    subprocess.run(("openssl", *map(str, argv)), check=True, capture_output=True)


@dataclass(frozen=True, slots=True)
class Authority:
    """A private CA in a folder; `pem` is what a connection's ca_bundle names."""

    folder: Path

    @property
    def pem(self) -> Path:
        return self.folder / "ca.pem"

    def server(self, name: str, alt: str = US, *, days: int = 2) -> ssl.SSLContext:
        """A server that shows a certificate of this CA, for `alt`; with `days` below 0 it has expired."""
        key, request, made = (self.folder / f"{name}.{end}" for end in ("key", "csr", "pem"))
        extra = self.folder / f"{name}.ext"
        extra.write_text(f"subjectAltName={alt}\n")
        _openssl("req", *EC, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        by = ("-CA", self.pem, "-CAkey", self.folder / "ca.key", "-CAcreateserial")
        _openssl("x509", "-req", "-in", request, *by, "-days", str(days), "-extfile", extra, "-out", made)
        return _context(made, key)

    def self_signed(self, name: str) -> ssl.SSLContext:
        """A server that shows a certificate that nobody vouches for."""
        key, made = self.folder / f"{name}.key", self.folder / f"{name}.pem"
        _signed_by_itself(name, key, made)
        return _context(made, key)


def authority(folder: Path) -> Authority:
    """Raises FileNotFoundError where there is no openssl."""
    _signed_by_itself("lab CA", folder / "ca.key", folder / "ca.pem")
    return Authority(folder)


def _signed_by_itself(name: str, key: Path, made: Path) -> None:
    alt = ("-addext", f"subjectAltName={US}")
    _openssl("req", "-x509", *EC, "-days", "2", "-subj", f"/CN={name}", *alt, "-keyout", key, "-out", made)


def _context(made: Path, key: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made, key)
    return context
