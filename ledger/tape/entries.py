"""Posts a file of entries: the same rules and consequences as ledger/posting.py, for all rows at once."""

from itertools import batched
from typing import Any

from domain.clock import Clock, business_date
from domain.errors import BadInput
from domain.loan import LoanKey
from ledger import outbox
from ledger.named import queries
from ledger.new_entry import NewEntry
from ledger.posting import entry_from, message_for, position_of, post_within, settle_cured, told
from ledger.tape.merging import lock_concerned
from ledger.tape.reading import TapeFile
from ledger.tape.rules import Check, Rule
from ledger.tape.staging import refuse

TAPE = queries("tape")
"""
"""
