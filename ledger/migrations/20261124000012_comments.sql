-- migrate:up

-- What each table and column means, for whoever looks at the database; docs/reference/tables.md is made from it.

-- Columns of the same name that mean the same everywhere; what differs follows.
do $$
declare
    r record;
begin
    for r in
        select c.relname, a.attname, m.says from (values
            ('lender_id', 'The lender.'),
            ('loan_id', 'The loan, as its lender names it.'),
            ('party_id', 'The person or business.'),
            ('episode', 'The case''s episode in which it was.'),
            ('step_id', 'The step of the strategy, or of the house.'),
            ('ordinal', 'Which attempt at the step.'),
            ('version', 'One more with each change by a file.'),
            ('recorded_at', 'When it was written; real time.'),
            ('posted_at', 'When it was committed; real time.'),
            ('published_at', 'When it was published; real time.'),
            ('commit_order', 'Its place in the order of commits.'),
            ('released_order', 'The place of its end in the order of commits.'),
            ('opened_at', 'When it began; business time.'),
            ('ended_at', 'When it ended; business time.'),
            ('end_reason', 'Why it ended.'),
            ('contact_id', 'The contact.'),
            ('carrier_id', 'The carrier''s own id of it.'),
            ('currency', 'ISO 4217.'),
            ('entry_id', 'The sender''s id of the entry; the same id is the same entry.'),
            ('judged_at', 'When it was found kept or broken; business time.'),
            ('ledger_version', 'The version of its loan.'),
            ('evidence', 'What shows it.'),
            ('since', 'From when on.'),
            ('until', 'Until when.'),
            ('reason', 'Why.'),
            ('source', 'Where it comes from.'),
            ('waterfall', 'In which order money is spent; the lender''s where null.'),
            ('day_count', 'How days are counted for interest; the lender''s where null.'),
            ('limitation_on', 'The day on which it is time-barred.'),
            ('governing_law', 'The country whose law holds.')
        ) m (name, says)
        join pg_attribute a on a.attname = m.name and a.attnum > 0
        join pg_class c on c.oid = a.attrelid and c.relkind in ('r', 'v')
        where c.relnamespace = 'public'::regnamespace and c.relname <> 'schema_migrations'
          and col_description(c.oid, a.attnum) is null
    loop
        execute format('comment on column %I.%I is %L', r.relname, r.attname, r.says);
    end loop;
end $$;

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

comment on column alerts.alert_id is 'Its number.';
comment on column alerts.kind is 'Such as carrier, second_message, remedy.';
comment on column alerts.about is 'What is the matter, in a sentence; nobody is named.';
comment on column alerts.raised_at is 'When; business time.';
comment on column alerts.cleared_at is 'When somebody had looked; business time.';
comment on column audit_content.seq is 'The link of the log.';
comment on column audit_content.erased_at is 'When it was erased; real time.';
comment on column audit_heads.seq is 'The last link.';
comment on column audit_heads.hash is 'Its hash.';
comment on column balances.as_of is 'The day for which the core system says it.';
comment on column balances.outstanding is 'All that is owed.';
comment on column balances.arrears is 'What is past due.';
comment on column balances.oldest_due_on is 'Since when; null where nothing is.';
comment on column business_clock.only_row is 'Always true: there is one row.';
comment on column business_clock.real_anchor is 'The real time at which business time was the other anchor.';
comment on column business_clock.business_anchor is 'The business time at the real anchor.';
comment on column business_clock.paused is 'Whether business time stands still at its anchor.';
comment on column case_events.id is 'Its number.';
comment on column case_events.at is 'When; business time.';
comment on column case_events.kind is 'What happened.';
comment on column cases.workflow_id is 'The workflow that collects the loan.';
comment on column cases.strategy is 'The strategy that this episode keeps to.';
comment on column cases.strategy_version is 'Its version.';
comment on column cases.stage is 'The stage that it is in.';
comment on column cases.open is 'Whether it is open.';
comment on column cases.episode_at is 'When this episode began.';
comment on column cases.cured_at is 'When nothing was past due any more.';
comment on column cases.closed_at is 'When it ended.';
comment on column cases.collector is 'The id of whoever has it.';
comment on column consents.contact_value is 'The number or address that it is for.';
comment on column consents.scope is 'What was allowed.';
comment on column consents.given_on is 'The day it was given.';
comment on column consents.expires_on is 'The day it ends by itself.';
comment on column consents.revoked_on is 'The day it was taken back.';
comment on column contact_points.kind is 'A mobile or landline number, an e-mail or postal address.';
comment on column contact_points.value is 'The number or address.';
comment on column contact_points.country is 'Where it is.';
comment on column contact_points.region is 'The region, where a rule asks for it.';
comment on column contact_points.postcode is 'The postal code.';
comment on column contact_points.timezone is 'Its zone, where it is known.';
comment on column contact_points.source is 'Who gave it.';
comment on column contact_points.verified_on is 'The day it was checked.';
comment on column contact_points.status is 'Whether it may be used, or why not.';
comment on column contact_points.reassigned_checked_on is 'The day it was last checked whether it belongs to somebody else.';
comment on column contacts.channel is 'How.';
comment on column contacts.purpose is 'What for.';
comment on column contacts.contact_value is 'The number or address that it went to.';
comment on column contacts.template is 'Which words.';
comment on column contacts.language is 'In which language.';
comment on column contacts.body is 'The words themselves.';
comment on column contacts.reserved_at is 'When it was meant; business time.';
comment on column contacts.settled_at is 'When its end was known; business time.';
comment on column contacts.error_code is 'The carrier''s code where it failed.';
comment on column contacts.reason is 'Why it ended so.';
comment on column contacts.minutes is 'Minutes of somebody''s time.';
comment on column contacts.party_id is 'Whom it went to.';
comment on column disputed_parts.dispute_id is 'Its number.';
comment on column disputed_parts.instalment is 'The instalment; all where null.';
comment on column disputed_parts.component is 'The component; all where null.';
comment on column disputed_parts.since is 'The first day on which it was disputed.';
comment on column effects.effect_id is 'Its number.';
comment on column effects.task_id is 'The task that it is, or that undoes it.';
comment on column entries.kind is 'Payment, reversal, interest, late_fee, cost, waiver, adjustment, refund, settlement_discount, opening_balance, write_off, accelerate or reinstate.';
comment on column entries.reverses is 'Of a reversal: the entry that it takes back.';
comment on column entries.status is 'As it first came; what became of pending money stands in entry_status_changes.';
comment on column entries.component is 'What it is for, where its sender says.';
comment on column entries.instalment is 'Which instalment it is for, where its sender says.';
comment on column entries.direction is 'Of an adjustment, as its sender says.';
comment on column entries.reason is 'Why, as a code or in words.';
comment on column entries.payer is 'Who paid, where somebody else did.';
comment on column entry_status_changes.status is 'What it became.';
comment on column entry_status_changes.ledger_version is 'The version of its loan that this made.';
comment on column feeds.fed_at is 'The payment feed.';
comment on column feeds.tape_at is 'The loans file.';
comment on column feeds.balances_at is 'The balances file.';
comment on column holds.hold_id is 'Its id.';
comment on column holds.subject_kind is 'What it is on.';
comment on column holds.subject_id is 'The id of that.';
comment on column holds.reason is 'Such as dispute, hardship, bereavement.';
comment on column holds.from_at is 'When it begins; business time.';
comment on column holds.released_at is 'When somebody ended it; business time.';
comment on column holds.source is 'Who placed it.';
comment on column inbound.carrier_id is 'The carrier''s id of the text.';
comment on column inbound.sender is 'The number that it came from.';
comment on column inbound.body is 'What it says.';
comment on column inbound.received_at is 'When; business time.';
comment on column instalments.number is 'Its number in the schedule.';
comment on column instalments.due_on is 'The day it falls due.';
comment on column instalments.principal is 'Principal due.';
comment on column instalments.interest is 'Interest due.';
comment on column instalments.fee is 'Fees due.';
comment on column lender_contacts.source_id is 'The lender''s id of it.';
comment on column lender_contacts.channel is 'How.';
comment on column lender_contacts.made_at is 'When.';
comment on column lenders.name is 'As people are told it.';
comment on column lenders.day_count is 'How days are counted for interest.';
comment on column limitation_events.event_id is 'The lender''s id of it.';
comment on column limitation_events.kind is 'What it does to the years.';
comment on column limitation_events.happened_on is 'The day it happened.';
comment on column loan_parties.role is 'Borrower, co-borrower, guarantor, legal representative and so on.';
comment on column loan_parties.liable is 'Whether they owe it.';
comment on column loan_parties.may_discuss is 'Whether it may be talked about with them.';
comment on column loan_parties.since is 'The first day of that.';
comment on column loan_parties.until is 'The first day on which it was over.';
comment on column loans.borrower_id is 'Who owes it.';
comment on column loans.country is 'Where the borrower lives.';
comment on column loans.opened_on is 'The day it began.';
comment on column loans.product is 'What kind of loan it is.';
comment on column loans.portfolio_id is 'The portfolio it belongs to.';
comment on column loans.purpose is 'Consumer or business.';
comment on column loans.creditor_role is 'What the lender is to it.';
comment on column loans.annual_rate is 'Interest a year, as a share.';
comment on column loans.penalty_rate is 'Interest a year on what is late, as a share.';
comment on column loans.secured is 'Whether there is collateral.';
comment on column loans.collateral_ref is 'Which collateral.';
comment on column loans.charged_off_on is 'The day it was charged off.';
comment on column loans.daily_interest is 'Whether interest is worked out here; the lender''s where null.';
comment on column loans.penalty_interest is 'Whether interest on what is late is worked out here; the lender''s where null.';
comment on column notices.notice_id is 'Its id.';
comment on column notices.proof is 'What shows that it was served.';
comment on column outbox.id is 'Its number; messages of a loan are delivered in this order.';
comment on column outbox.payload is 'What the message says.';
comment on column outbox.created_at is 'When it was written; real time.';
comment on column outbox.delivered_at is 'When it was delivered; real time.';
comment on column parties.name is 'Their name.';
comment on column parties.kind is 'A person, a sole trader or a business.';
comment on column parties.language is 'BCP 47.';
comment on column plans.plan_id is 'Its id.';
comment on column plans.status is 'What became of it.';
comment on column plans.agreed_at is 'When; business time.';
comment on column plans.captured_version is 'Payments of later ledger versions count towards it.';
comment on column plans.agreed_by is 'The id of who agreed it.';
comment on column plans.approved_by is 'The id of who approved it.';
comment on column promises.promise_id is 'Its id.';
comment on column promises.due_on is 'The day it is promised for.';
comment on column promises.status is 'What became of it.';
comment on column promises.captured_at is 'When; business time.';
comment on column promises.captured_by is 'The id of who took it.';
comment on column recalls.reason is 'Recalled, sold, or returned to us.';
comment on column recoveries.recovery_id is 'Its number.';
comment on column requests.request_id is 'Its id.';
comment on column requests.kind is 'What was asked for.';
comment on column requests.channel is 'How it was said.';
comment on column requests.asked_at is 'When; business time.';
comment on column rulebooks.name is 'Its name.';
comment on column steps.result is 'In words.';
comment on column steps.began_at is 'When it began; business time.';
comment on column stops.channel is 'The channel; `*` is all.';
comment on column stops.lender_id is 'The lender; `*` is all.';
comment on column stops.strategy is 'The strategy; `*` is all.';
comment on column stops.stopped_at is 'When it was pressed; real time.';
comment on column stops.stop_id is 'Its number.';
comment on column stops.released_at is 'When it was released; real time.';
comment on column strategies.name is 'Its name.';
comment on column strategies.version is 'Its version.';
comment on column strategies.content is 'What it says.';
comment on column suppressions.channel is 'The channel.';
comment on column suppressions.value is 'The number or address.';
comment on column suppressions_lifted.channel is 'The channel.';
comment on column suppressions_lifted.value is 'The number or address.';
comment on column suppressions_lifted.commit_order is 'The place of the opt-out in the order of commits.';
comment on column suppressions_lifted.lifted_order is 'The place of its end in the order of commits.';
comment on column suspense.loan_id is 'The loan that it names and nobody knows.';
comment on column suspense_matches.loan_id is 'The loan that it is for.';
comment on column suspense_matches.matched_by is 'The id of who knew.';
comment on column tape_history.key is 'The row''s key.';
comment on column tape_history.version is 'The version that it was.';
comment on column tape_history.replaced_at is 'When; real time.';
comment on column tasks.task_id is 'Its id, which says where it comes from.';
comment on column tasks.status is 'What became of it.';
comment on column tasks.owner is 'The id of who has it.';
comment on column tasks.opened_at is 'When it was handed out; business time.';
comment on column tasks.deadline is 'Until when; business time.';
comment on column tasks.outcome is 'The code that it was answered with.';
comment on column tasks.data is 'What the answer says besides, or what is to be put right.';
comment on column tasks.answered_by is 'The id of who answered.';
comment on column tasks.approved_by is 'The id of who approved.';
comment on column voice_calls.state is 'Where the conversation stands.';
comment on column voice_calls.carrier_id is 'The carrier''s id of the call.';
comment on column webhook_secrets.secret_id is 'Its id, which may be shown.';
comment on column webhook_secrets.kind is 'What it is for.';
comment on column webhook_secrets.secret is 'The secret itself.';
comment on column webhook_secrets.until is 'When it ends; real time.';
comment on column loan_terms.tolerance is 'What may stay unpaid of an instalment.';
comment on column loan_terms.materiality is 'What may stay unpaid of the loan.';
comment on column loan_terms.annual_rate is 'Interest a year, where it is worked out here.';
comment on column loan_terms.penalty_rate is 'Interest a year on what is late, where it is worked out here.';
comment on column loan_terms.opened_on is 'The day it began.';
comment on column loan_terms.disputed is 'What is disputed of it, from when to when.';
comment on column loan_terms.waterfall is 'In which order money is spent.';
comment on column loan_terms.day_count is 'How days are counted for interest.';
comment on column ledger_lines.kind is 'What kind of entry.';
comment on column ledger_lines.amount is 'In the loan''s currency.';
comment on column ledger_lines.value_date is 'The day from which it counts.';
comment on column ledger_lines.reverses is 'The entry that it takes back.';
comment on column ledger_lines.status is 'Its status in this line; only settled lines count.';
comment on column ledger_lines.component is 'What it is for.';
comment on column ledger_lines.instalment is 'Which instalment it is for.';
comment on column ledger_lines.direction is 'Of an adjustment.';
comment on column ledger_lines.reason is 'Why.';
comment on column ledger_lines.payer is 'Who paid.';

-- migrate:down
