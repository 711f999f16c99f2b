"""The running service desk: sync, actions, journal. No Textual here."""
