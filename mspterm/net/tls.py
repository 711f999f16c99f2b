"""TLS as every connection wants it: the system's trust, a private CA added, a client certificate."""

from __future__ import annotations

import ssl

import truststore

from mspterm.config.model import Connection
from mspterm.domain.reasons import Reason, failed


def context(connection: Connection) -> ssl.SSLContext:
    """A verifying context. `ca_bundle` is added to the system's trust, never in place of it.

    Raises Failed (bad data) naming the setting whose file can't be used.
    """
    made = truststore.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    setting = "ca_bundle"
    try:
        if connection.ca_bundle is not None:
            made.load_verify_locations(cafile=str(connection.ca_bundle))
        # Set as the files are read, so that the sentence names the one that failed.
        setting = "client_cert or client_key"
        if connection.client_cert is not None:
            key = str(connection.client_key) if connection.client_key is not None else None
            # An empty password makes an encrypted key an error, where OpenSSL would prompt on the tty.
            made.load_cert_chain(str(connection.client_cert), key, password="")
    except (OSError, ssl.SSLError) as error:
        raise failed(
            Reason.BAD_DATA,
            f"The {setting} file of connection {connection.name} can't be used "
            f"({error.strerror or type(error).__name__}); check its path and rights and that it is PEM.",
            connection.name,
        ) from None
    return made
