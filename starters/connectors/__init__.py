"""Webhooks of payment processors, as entries of the ledger."""
