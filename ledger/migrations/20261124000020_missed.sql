-- migrate:up

-- Missed deadlines of the last day are counted again and again (ledger/figures.py).
create index case_events_missed on case_events (recorded_at) where kind = 'deadline_missed';

-- migrate:down
