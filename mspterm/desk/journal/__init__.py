"""The journal: append-only JSON Lines of every intent and outcome, chained by a keyed hash.

A plain hash chain proves nothing against someone with the file, so each record's `h` is an
HMAC-SHA256 over the record and the one before it, where a key exists; without one the record
says `"keyed": false`. A chain alone doesn't show that its tail was cut: the head is kept outside
the file as well. No file is ever deleted here, whatever its age.
"""

from mspterm.desk.journal.book import Journal
from mspterm.desk.journal.chain import Verification
from mspterm.desk.journal.heads import Kept, Outside
from mspterm.desk.journal.record import Entry, Head

__all__ = ["Entry", "Head", "Journal", "Kept", "Outside", "Verification"]
