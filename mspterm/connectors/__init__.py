"""One package per vendor, behind the protocols of `base`."""
