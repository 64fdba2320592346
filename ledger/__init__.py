"""The book of claims, payments and every contact made, kept in PostgreSQL."""
