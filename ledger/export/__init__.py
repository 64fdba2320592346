"""The whole file of a case in one folder, for a court, an auditor or the borrower; checkable without this program."""
