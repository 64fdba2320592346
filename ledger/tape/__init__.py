"""Takes in a lender's tape: files of loans, instalments, entries and people, streamed, checked and merged by the database."""

from ledger.tape.intake import TapeFiles, TapeReport, take_in

__all__ = ["TapeFiles", "TapeReport", "take_in"]
