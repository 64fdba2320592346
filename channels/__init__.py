"""The ways of reaching a debtor: text message, call, letter."""
