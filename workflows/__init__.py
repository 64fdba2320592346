"""The durable course of each claim, run by Temporal."""
