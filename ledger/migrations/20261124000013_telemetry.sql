-- migrate:up

-- Where a message came from, for those who follow a request through all parts (W3C trace context).
alter table outbox add column trace text;

-- What the last day brought is counted again and again (ledger/figures.py).
create index outbox_delivered on outbox using brin (created_at);
create index contacts_lately on contacts (reserved_at);
create index case_events_refused on case_events (recorded_at) where kind in ('deferred', 'forbidden');

-- migrate:down
