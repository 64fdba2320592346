"""Ways to break a ledger by hand; names in braces stand for the ids of the rows in it (tests/activities/test_proof.py)."""

from typing import NamedTuple


def copy_of(contact: str, **columns: str) -> str:
    """One more contact like another, put in by hand; the values are SQL."""
    columns = {"contact_id": "'by-hand'", "step_id": "'by-hand'", "carrier_id": "'SM-by-hand'", **columns}
    changed = ", ".join(f"'{name}', {value}" for name, value in columns.items())
    return f"""
        insert into contacts select (jsonb_populate_record(null::contacts, to_jsonb(c) || jsonb_build_object({changed}))).*
        from contacts c where contact_id = '{contact}'
    """


def moved_to(when: str, contact: str) -> str:
    """Another time for a contact, in its row and in its permit alike; the hours are UTC, an hour less than in Rome."""
    moved = f"(c.sending_at::date + time '{when}') at time zone 'UTC'"
    return f"""
        update contacts c set sending_at = {moved}, permit = jsonb_set(permit, '{{{{facts,now}}}}', to_jsonb({moved}))
        where contact_id = '{contact}'
    """


def permit(contact: str, *path_and_value: str) -> str:
    *path, value = path_and_value
    where = "{{" + ",".join(path) + "}}"
    return f"update contacts set permit = jsonb_set(permit, '{where}', '{value}') where contact_id = '{contact}'"


class Broken(NamedTuple):
    """How the ledger is broken; which checks find it, as which kind; and the row that they name."""

    name: str
    red: dict[str, set[str]]
    row: str
    statements: tuple[str, ...]


LATER = "c.sending_at + interval '9 days'"
HOLD = """
    insert into holds (hold_id, lender_id, subject_kind, subject_id, reason, scopes, from_at, source)
    values ('h1', 'default', 'loan', '{other}', 'dispute', array['contact'], '2026-01-01Z', 'test')
"""
OPT_OUT = """
    insert into suppressions (lender_id, channel, value, since, reason)
    values ('default', 'sms', '+12015550102', '2026-01-01Z', 'test')
"""
CORRUPTIONS = (
    Broken(
        "a contact after payment",
        {"quiet": {"contact_after_cure"}},
        "by-hand",
        (
            copy_of(
                "{text}",
                ledger_version="1",
                commit_order="nextval('commit_order')",
                business_date="c.business_date + 9",
                sending_at=LATER,
                permit=f"jsonb_set(c.permit, '{{{{facts,now}}}}', to_jsonb({LATER}))",
            ),
        ),
    ),
    Broken(
        "a contact that saw an old ledger",
        {"quiet": {"saw_old_ledger"}},
        "{text}",
        ("update contacts set commit_order = nextval('commit_order') where contact_id = '{text}'",),
    ),
    Broken(
        "a second message for one contact",
        {"once": {"two_messages_one_contact"}},
        "{text}",
        ("insert into alerts (kind, about, raised_at) values ('second_message', '{text} SM-other', now())",),
    ),
    Broken(
        "a second call for one contact",
        {"once": {"two_messages_one_contact"}},
        "{text}",
        ("insert into voice_calls (contact_id, carrier_id) values ('{text}', 'CA-other')",),
    ),
    Broken(
        "two contacts for one attempt at a step",
        {"once": {"two_contacts_one_step"}, "limits": {"limit_exceeded"}, "permitted": {"facts_incomplete"}},
        "by-hand",
        (
            "alter table contacts drop constraint contacts_lender_id_loan_id_episode_step_id_ordinal_key",
            copy_of("{second}", step_id="c.step_id", commit_order="nextval('commit_order')"),
        ),
    ),
    Broken(
        "one message for two contacts",
        {"once": {"two_contacts_one_message"}},
        "{first}",
        (
            "alter table contacts drop constraint contacts_carrier_id_key",
            "update contacts set carrier_id = 'SM1' where contact_id in ('{first}', '{second}')",
        ),
    ),
    Broken(
        "a text without a message",
        {"once": {"no_carrier_message"}},
        "{text}",
        ("update contacts set carrier_id = null where contact_id = '{text}'",),
    ),
    Broken(
        "a text that the carrier delivered although it had refused it",
        {"once": {"carrier_contradicts"}},
        "{first}",
        ("update contacts set state = 'failed', carrier_status = 'delivered' where contact_id = '{first}'",),
    ),
    Broken(
        "a permit that is not there",
        {"permitted": {"no_permit"}},
        "{call}",
        ("update contacts set permit = null where contact_id = '{call}'",),
    ),
    Broken(
        "a permit altered: nothing was owed",
        {"permitted": {"permit_not_repeated"}},
        "{text}",
        (permit("{text}", "facts", "owes", "false"),),
    ),
    Broken(
        "a permit altered: opted out",
        {"permitted": {"permit_not_repeated"}},
        "{text}",
        (permit("{text}", "facts", "suppressed", "true"),),
    ),
    Broken(
        "a permit altered: other rules",
        {"permitted": {"permit_not_repeated"}},
        "{text}",
        (permit("{text}", "verdict", "rules", "[]"),),
    ),
    Broken(
        "a permit altered: unknown engine",
        {"permitted": {"permit_not_repeated"}},
        "{text}",
        (permit("{text}", "engine", "99"),),
    ),
    Broken(
        "a permit of shadow mode",
        {"permitted": {"only_in_shadow"}},
        "{text}",
        (permit("{text}", "facts", "shadow", "true"), permit("{text}", "verdict", "shadow", "true")),
    ),
    Broken(
        "a permit for a call",
        {"permitted": {"permit_for_another"}},
        "{call}",
        ("update contacts set channel = 'visit' where contact_id = '{call}'",),
    ),
    Broken(
        "a permit that is no permit",
        {"permitted": {"permit_not_repeated"}},
        "{text}",
        ("update contacts set permit = '{{\"rulebooks\": []}}' where contact_id = '{text}'",),
    ),
    Broken(
        "a rulebook altered",
        {"permitted": {"permit_not_repeated"}},
        "{text}",
        ("update rulebooks set content = jsonb_set(content, '{{title}}', '\"Another\"')",),
    ),
    Broken("a rulebook lost", {"permitted": {"permit_not_repeated"}}, "{call}", ("delete from rulebooks",)),
    Broken(
        "a contact that a permit left out",
        {"permitted": {"facts_incomplete"}},
        "{second}",
        ("update contacts set permit = permit #- '{{facts,past}}' where contact_id = '{second}'",),
    ),
    Broken(
        "a hold that a permit left out",
        {"permitted": {"hold_ignored"}},
        "{text}",
        (HOLD, "update holds set commit_order = 0"),
    ),
    Broken(
        "a hold that a permit left out and that was ended only afterwards",
        {"permitted": {"hold_ignored"}},
        "{text}",
        (HOLD, "update holds set commit_order = 0, released_at = '2026-01-01Z'"),
    ),
    Broken(
        "an opt-out that a permit left out",
        {"permitted": {"opted_out_ignored"}},
        "{text}",
        (OPT_OUT, "update suppressions set commit_order = 0"),
    ),
    Broken(
        "an opt-out that a permit left out and that was taken back only afterwards",
        {"permitted": {"opted_out_ignored"}},
        "{text}",
        (OPT_OUT, "update suppressions set commit_order = 0", "delete from suppressions"),
    ),
    Broken(
        "a stop that was pressed",
        {"permitted": {"stop_ignored"}},
        "{text}",
        ("insert into stops (lender_id, channel, strategy, commit_order) values ('*', 'sms', '*', 0)",),
    ),
    Broken(
        "a limit exceeded by a contact put in by hand",
        {"limits": {"limit_exceeded"}, "permitted": {"no_permit"}},
        "by-hand",
        (
            copy_of(
                "{second}",
                permit="null",
                sending_at="c.sending_at + interval '1 hour'",
                commit_order="nextval('commit_order')",
            ),
        ),
    ),
    Broken(
        "a text right after a conversation",
        {"limits": {"silence_broken"}},
        "by-hand",
        (
            # A call the day after it was talked about the debt, which the permit was not told of.
            copy_of(
                "{call}",
                carrier_id="null",
                ledger_version="0",
                business_date="c.business_date + 1",
                sending_at="c.sending_at + interval '1 day'",
            ),
        ),
    ),
    Broken(
        "a text in quiet hours",
        {"hours": {"quiet_hours"}, "permitted": {"permit_not_repeated"}},
        "{text}",
        (moved_to("22:30", "{text}"),),
    ),
    Broken(
        "a text in quiet hours, its permit from another time",
        {"hours": {"quiet_hours"}, "permitted": {"permit_for_another"}},
        "{text}",
        ("update contacts set sending_at = sending_at::date + interval '5 hours' where contact_id = '{text}'",),
    ),
    Broken(
        "a call in quiet hours",
        {"hours": {"quiet_hours"}, "permitted": {"permit_not_repeated"}},
        "{call}",
        (moved_to("20:30", "{call}"),),
    ),
    Broken("an entry deleted", {"entries": {"versions"}}, "{paid}", ("delete from entries where entry_id = 'part'",)),
    Broken(
        "an untold entry",
        {"entries": {"untold"}},
        "part",
        ("delete from outbox where payload ->> 'entry_id' = 'part'",),
    ),
    Broken(
        "entries out of order",
        {"entries": {"order"}, "quiet": {"saw_old_ledger"}},
        "rest",
        ("update entries set commit_order = -1 where entry_id = 'rest'",),
    ),
    Broken(
        "an open effect after the cure",
        {"undone": {"not_undone"}},
        "{effect}",
        ("update effects set state = 'open' where effect_id = {effect}",),
    ),
    Broken(
        "a task that is not on record",
        {"undone": {"not_on_record"}},
        "{paid}",
        ("delete from effects where effect_id = {effect}",),
    ),
    Broken(
        "a broken chain",
        {"audit": {"hash"}},
        "{paid}",
        (
            "alter table audit disable trigger append_only",
            "update audit set at = at + interval '1 hour' where loan_id = '{paid}' and seq = 2",
        ),
    ),
)
