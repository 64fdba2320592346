"""The servers that one machine needs to run Arrears by itself: PostgreSQL and Temporal, as child processes."""

from workers.embedded.failure import StartFailed
from workers.embedded.folder import StateFolder
from workers.embedded.postgres import EmbeddedPostgres
from workers.embedded.temporal import EmbeddedTemporal, TemporalAddress, add_search_attributes

__all__ = [
    "EmbeddedPostgres",
    "EmbeddedTemporal",
    "StartFailed",
    "StateFolder",
    "TemporalAddress",
    "add_search_attributes",
]
