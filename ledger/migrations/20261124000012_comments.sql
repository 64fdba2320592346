-- migrate:up

-- What each table and column means, for whoever looks at the database; docs/reference/tables.md is made from it.

comment on table lenders is 'Whose loans these are, and how each lender wants them read and collected.';
comment on column lenders.timezone is 'Decides the business date.';
comment on column lenders.strategy is 'The strategy of a new case: its name; null takes the shipped default.';
comment on column lenders.packs is 'Rulebooks by country; "*" is for all.';
comment on column lenders.tolerance is 'What may stay unpaid of an instalment without its being past due.';
comment on column lenders.materiality is 'What may stay unpaid of a loan without its being past due.';
comment on column lenders.chosen_rules is 'Rules switched on beyond the defaults.';
comment on column lenders.feed_hours is 'How old the payment feed may be; null where none was promised.';
comment on column lenders.daily_interest is 'Whether interest is worked out here, at the loan''s annual rate.';
comment on column lenders.penalty_interest is 'Whether interest on what is late is worked out here, at the loan''s penalty rate.';
comment on column lenders.balance_tolerance is 'By how much the core system''s figures may differ from ours.';
comment on column lenders.late_fee_since is 'No instalment that was late before is charged; null charges nothing.';
comment on column lenders.late_fee_amount is 'A fixed late fee, in each loan''s currency; this or the rate.';
comment on column lenders.late_fee_rate is 'A late fee as a share of what is unpaid of the instalment.';
comment on column lenders.late_fee_grace is 'Calendar days after the due date in which no late fee falls due.';
comment on column lenders.mode is 'In shadow all is planned and written down and nobody is contacted.';
comment on column lenders.waterfall is 'In which order money is spent.';
comment on column lenders.late_fee_cap is 'The most that a late fee by rate comes to.';

comment on table parties is 'People and businesses, each once for a lender.';

comment on table loans is 'Loans as the tape gave them last, with the ledger version that their entries have reached.';
comment on column loans.strategy is 'Asked for at intake; null takes the lender''s.';
comment on column loans.version is 'Of the tape''s row: one more with each change.';
comment on column loans.ledger_version is 'Of its entries: one more with each entry posted.';
comment on column loans.phone is 'The borrower''s number as this loan''s row gave it last.';
comment on column loans.status is 'Where it is not active the lender took it back, and nobody collects it here.';

comment on table loan_parties is 'Who belongs to a loan besides its borrower, in which role, and whether we may speak with them.';

comment on table contact_points is 'Numbers and addresses at which a party can be reached, and what is known of each.';

comment on table consents is 'What people allowed, for which number or address, from when to when, and the evidence.';

comment on table instalments is 'The schedule of a loan, as the tape gave it last.';

comment on table tape_history is 'A changed row is never lost: what stood before stands here.';
comment on column tape_history.kind is 'The table whose row it was.';
comment on column tape_history.row is 'The row before the change.';

comment on table entries is 'The ledger itself: money and charges, appended and never changed, each once by its sender''s id.';
comment on column entries.amount is 'In the loan''s currency; positive, except an adjustment''s.';
comment on column entries.ledger_version is 'The version of its loan that this entry made.';
comment on column entries.commit_order is 'Its place in the order of commits, beside contacts, holds, opt-outs and stops.';
comment on column entries.value_date is 'The day from which it counts.';

comment on table suspense is 'Money that names no loan we know.';
comment on column suspense.entry is 'The entry as it was sent.';
comment on column suspense.status is 'What it moved on to while its loan was unknown.';

comment on table outbox is 'What the ledger has to tell its cases, written in the transaction that made it true and delivered by the relay.';
comment on column outbox.message is 'The signal''s name.';
comment on column outbox.result is 'How it ended: signalled, no case, closed; of one not delivered, why not.';

comment on table strategies is 'Published strategies, which never change.';
comment on column strategies.digest is 'SHA-256 of the canonical content.';

comment on table cases is 'One row a loan that was ever collected.';
comment on column cases.chain_from is 'Steps of the episodes from this one on count; a bounce goes on, it does not start afresh.';
comment on column cases.relapse is 'How this episode began.';
comment on column cases.opened_at is 'Business time, as the other times of this table.';
comment on column cases.cured_version is 'The ledger version that cured it.';
comment on column cases.closing is 'Why somebody asked to close it.';
comment on column cases.next_step is 'What the case does next, when and why, as operators read it.';
comment on column cases.episode is 'One more each time that it is past due again after a cure.';

comment on table case_events is 'The journal: everything that happened in a case, beyond Temporal''s retention.';
comment on column case_events.message_id is 'Of the message that was absorbed; each is absorbed once.';
comment on column case_events.recorded_at is 'Real time.';
comment on column case_events.data is 'What is to be said of it, ids and figures only.';

comment on table steps is 'What became of each step of the strategy: one row an attempt at it.';
comment on column steps.state is 'What became of the attempt.';

comment on table tasks is 'Work handed to people: calls, visits, reviews, filings, remedies.';
comment on column tasks.kind is 'Such as call, visit, pre_legal_review, file_suit, withdraw_letter, withdraw_suit, manual_review, remedy.';
comment on column tasks.approval is 'The role whose second pair of eyes it needs.';
comment on column tasks.permit is 'The gate''s verdict, for a task that reaches a person.';
comment on column tasks.recovered is 'Of a task written back after a restore: where it was found.';

comment on table effects is 'What touched the world and must be undone if the debt is cured.';
comment on column effects.kind is 'One of task, letter, suit.';
comment on column effects.state is 'Open until it is undone; with counsel where a machine cannot undo it.';

comment on table holds is 'What stops contact, escalation, legal steps or fees for a person, a number or address, or a loan.';
comment on column holds.until_at is 'When it ends by itself.';
comment on column holds.scopes is 'What it stops.';
comment on column holds.commit_order is 'Its place in the order of commits.';

comment on table promises is 'What borrowers said they would pay, and when.';
comment on column promises.captured_version is 'Payments of later ledger versions count towards it.';
comment on column promises.amount is 'In the loan''s currency.';

comment on table plans is 'Instalment plans that were agreed.';
comment on column plans.instalments is 'What is paid when: a list of `due_on` and `amount`.';

comment on table contacts is 'Every contact that was ever meant.';
comment on column contacts.contact_id is 'Also the attempt id in the carrier''s callback address.';
comment on column contacts.reference is 'Printed in the text; finds it again at the carrier.';
comment on column contacts.permit is 'Engine, request, facts, rulebooks and verdict of the gate; null where a restore lost it.';
comment on column contacts.ledger_version is 'The version of the loan that its permit saw.';
comment on column contacts.commit_order is 'Its place in the order of commits, when it began to be sent; null where a restore lost it.';
comment on column contacts.business_date is 'The lender''s, at `sending`.';
comment on column contacts.sending_at is 'Business time.';
comment on column contacts.sending_real is 'Real time, for the look-up at the carrier.';
comment on column contacts.carrier_status is 'What its callbacks said last.';
comment on column contacts.connected is 'Somebody answered.';
comment on column contacts.effective is 'The right person, or listened to.';
comment on column contacts.conversation is 'It was talked about the debt.';
comment on column contacts.outcome is 'The code a person or a machine''s call ended with.';
comment on column contacts.recovered is 'Of a contact written back after a restore: where it was found, and what its case had heard.';
comment on column contacts.state is 'From `sending` on it may have reached the person.';
comment on column contacts.cost is 'In the loan''s currency.';
comment on column contacts.direction is 'Whether we reached out or the person did.';
comment on column contacts.carrier_id is 'The carrier''s id of the message or call.';

comment on table inbound is 'Texts that came in.';
comment on column inbound.answer is 'What was said back in the same exchange.';
comment on column inbound.about is 'What the text was about, as plain rules read it.';

comment on table suppressions is 'Numbers and addresses that asked never to be contacted again on a channel.';

comment on table stops is 'The stop button, pressed and released; `*` is all.';
comment on column stops.commit_order is 'Its place in the order of commits.';

comment on table letters is 'Letters byte for byte as they went out.';
comment on column letters.pdf is 'The letter.';
comment on column letters.digest is 'SHA-256 of the letter.';

comment on table business_clock is 'Maps real time to business time.';
comment on column business_clock.seen_at is 'Last sign of life of the stack that runs it.';
comment on column business_clock.speed is 'How many times as fast as real time it runs; 1 everywhere but in demonstrations.';

comment on table rulebooks is 'Every rulebook that ever decided, by content, so that a permit can be given again years later.';
comment on column rulebooks.digest is 'SHA-256 of the canonical content, with the rules then in force.';
comment on column rulebooks.content is 'The rulebook with the rules then in force.';

comment on table feeds is 'When a lender''s files came last, in business time.';

comment on table notices is 'Notices served about a loan: by our own letters, or by the lender, who says so.';
comment on column notices.party_id is 'Null is the borrower.';
comment on column notices.kind is 'Such as validation, default, arrears.';
comment on column notices.served_on is 'The day it counts as served.';
comment on column notices.method is 'Such as letter, email, hand.';
comment on column notices.amounts is 'Itemised: [{"item", "amount"}].';
comment on column notices.contact_id is 'Ours, if it was a letter of ours.';

comment on table limitation_events is 'What moves the day on which a debt becomes time-barred.';
comment on column limitation_events.until_on is 'Of a suspension.';
comment on column limitation_events.years is 'Of a start or an interruption.';

comment on table requests is 'What somebody asked for, that a person or the case must answer: never guessed at.';
comment on column requests.taken_at is 'When a person was asked to see to it.';

comment on table voice_calls is 'Calls in which a machine speaks: where each stands.';

comment on table alerts is 'What must be looked at by whoever runs this, such as a channel that was stopped because of a fault of ours.';

comment on table lender_contacts is 'What the lender itself did while we only watched: the other side of the shadow report.';

comment on table audit is 'The log of what was done in a case: one chain of hashes a loan, written by the database itself.';
comment on column audit.seq is '1, 2, 3 without a gap.';
comment on column audit.at is 'Real time.';
comment on column audit.kind is 'One of contact, task, event, notice, limitation, request, hold, erasure.';
comment on column audit.subject is 'The id of the row that it is about.';
comment on column audit.previous is 'The hash of the link before; of the first, the hash of the loan''s id.';
comment on column audit.hash is 'Over the hash before, the place, the time, the kind, the subject and the content''s hash.';
comment on column audit.content_hash is 'Over the salt and the content.';

comment on table audit_content is 'What each link of the log says; it can be erased, and the chain still holds.';
comment on column audit_content.party_id is 'Whom it names; null is the borrower, or nobody.';
comment on column audit_content.content is 'The row as JSON, in exactly the text that was hashed.';
comment on column audit_content.salt is 'Keeps a short content from being guessed by its hash.';

comment on table audit_heads is 'Where each chain ends.';

comment on table suppressions_lifted is 'Opt-outs that were taken back.';

comment on table disputed_parts is 'What a borrower disputes of a loan: an instalment, a component, or that of the instalment.';
comment on column disputed_parts.until is 'The first day on which it was no longer disputed.';

comment on table entry_status_changes is 'What became of money that was pending: once, and for good.';

comment on table suspense_matches is 'Money that somebody knew the loan of.';
comment on column suspense_matches.sent_for is 'The loan id that the sender gave.';
comment on column suspense_matches.matched_at is 'Business time.';

comment on table webhook_secrets is 'Who may speak for a lender. Whoever can read this table can sign for every lender in it.';
comment on column webhook_secrets.since is 'Real time.';

comment on table recalls is 'What the lender last said of a loan that it took back.';
comment on column recalls.as_of is 'The day from which the lender''s word holds.';

comment on table balances is 'The core system''s figures, in the loan''s currency.';

comment on table recoveries is 'Recoveries after a restore, each from the stop that it presses to its release.';
comment on column recoveries.began_at is 'Real time, as the other times of this table.';
comment on column recoveries.lost_since is 'What the ledger lacks came after.';
comment on column recoveries.pressed is 'Whether the stop is its own, and released with it.';
comment on column recoveries.ended_at is 'When it was released.';

comment on view loan_terms is 'All terms of a loan in one row, the lender''s where the loan has none of its own.';
comment on view ledger_lines is 'The ledger as a position reads it: an entry as it came, and again with the status that it moved on to.';

-- migrate:down
