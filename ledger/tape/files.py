"""The files about loans and people (design.md 9): their columns, what makes a row the same row, and the rules for each."""

from ledger.tape.kind import FileKind
from ledger.tape.rules import (
    Check,
    Rule,
    code,
    country,
    days,
    ids,
    language,
    needed,
    numbers,
    one_of,
    rules,
    texts,
    timezone,
    truths,
)

PHONE = r"'^\+[1-9]\d{6,14}$'"
ROLES = (
    "borrower",
    "co_borrower",
    "guarantor",
    "legal_representative",
    "business_contact",
    "reference",
    "attorney",
    "executor",
)
SCOPES = ("voice_auto", "sms", "email", "hours", "frequency", "third_party", "recording")


LOANS = FileKind(
    name="loans",
    needed=(
        "loan_id",
        "borrower_id",
        "borrower_name",
        "borrower_kind",
        "phone",
        "language",
        "timezone",
        "country",
        "currency",
        "opened_on",
        "product",
    ),
    optional=(
        "portfolio_id",
        "purpose",
        "creditor_role",
        "governing_law",
        "annual_rate",
        "penalty_rate",
        "secured",
        "collateral_ref",
        "limitation_on",
        "charged_off_on",
        "status",
    ),
    key=("lender_id", "loan_id"),
    usual=(("language", "en"), ("purpose", "consumer"), ("creditor_role", "original")),
    checks=(
        Check(
            "select * from staged_loans",
            rules(
                needed(
                    "loan_id",
                    "borrower_id",
                    "borrower_name",
                    "borrower_kind",
                    "country",
                    "currency",
                    "opened_on",
                    "product",
                ),
                ids("lender_id", "loan_id", "borrower_id"),
                Rule(
                    "loan_id",
                    "loan_id like '%/%'",
                    "loan_id {loan_id} holds a slash, which stands between lender and loan: remove it.",
                ),
                texts("borrower_name", "product", "portfolio_id", "governing_law", "collateral_ref"),
                one_of("borrower_kind", ("person", "sole_trader", "business")),
                Rule(
                    "phone",
                    f"phone !~ {PHONE}",
                    "phone is no E.164 number: write it as +12015550100, or leave it empty.",
                ),
                language(),
                timezone(),
                country(),
                code("currency", "currency", "use a code of ISO 4217 such as EUR or CNY"),
                days("opened_on", "limitation_on", "charged_off_on"),
                one_of("purpose", ("consumer", "business")),
                one_of("creditor_role", ("original", "servicer", "agency", "buyer")),
                numbers("annual_rate", "penalty_rate"),
                truths("secured"),
                one_of("status", ("active", "recalled", "sold")),
            ),
        ),
        Check(
            """
            select s.*, l.currency as known_currency from staged_loans s
            join loans l using (lender_id, loan_id) where l.currency <> s.currency
            """,
            (
                Rule(
                    "currency",
                    "true",
                    "currency of loan {loan_id} is {known_currency} in the ledger, not {currency}: give another currency another loan_id.",
                ),
            ),
        ),
        # The workflow's id is `loan-<lender_id>-<loan_id>`: two lenders may meet in it where one's id is the other's and a dash and more.
        Check(
            """
            with names as (select lender_id from lenders union select lender_id from staged_loans),
            twins as (
                select longer.lender_id as longer, shorter.lender_id as shorter,
                       substr(longer.lender_id, length(shorter.lender_id) + 2) || '-' as begins
                from names longer join names shorter on starts_with(longer.lender_id, shorter.lender_id || '-')
            ),
            same as (
                select s.line, t.shorter as other_lender, t.begins || s.loan_id as other_loan
                from twins t join staged_loans s on s.lender_id = t.longer
                union all
                select s.line, t.longer, substr(s.loan_id, length(t.begins) + 1)
                from twins t join staged_loans s on s.lender_id = t.shorter and starts_with(s.loan_id, t.begins)
            )
            select s.*, o.other_lender, o.other_loan from staged_loans s join same o using (line)
            where not exists (select from loans l where l.lender_id = s.lender_id and l.loan_id = s.loan_id)
              and (exists (select from loans l where l.lender_id = o.other_lender and l.loan_id = o.other_loan)
                   or exists (select from staged_loans f where f.lender_id = o.other_lender and f.loan_id = o.other_loan and f.line < s.line))
            """,
            (
                Rule(
                    "loan_id",
                    "true",
                    "loan_id {loan_id} of lender {lender_id} gives its case the same id as loan {other_loan} of lender {other_lender}: "
                    "give one of the two another loan_id.",
                ),
            ),
        ),
        Check(
            """
            select s.*, first.line as first_line from staged_loans s
            join (
                select lender_id, borrower_id, min(line) as line from staged_loans group by lender_id, borrower_id having count(*) > 1
            ) again using (lender_id, borrower_id)
            join staged_loans first on first.line = again.line
            where (first.borrower_name, first.borrower_kind, first.language) is distinct from (s.borrower_name, s.borrower_kind, s.language)
            """,
            (
                Rule(
                    "borrower_id",
                    "true",
                    "borrower {borrower_id} has another name, kind or language in line {first_line}: make them the same.",
                ),
            ),
        ),
    ),
)

PARTIES = FileKind(
    name="parties",
    needed=("loan_id", "party_id", "role", "name", "language", "liable", "may_discuss"),
    optional=("since", "until"),
    key=("lender_id", "loan_id", "role", "party_id"),
    usual=(("language", "en"),),
    checks=(
        Check(
            "select * from staged_parties",
            rules(
                needed("loan_id", "party_id", "role", "name", "liable", "may_discuss"),
                ids("lender_id", "loan_id", "party_id"),
                texts("name"),
                one_of("role", ROLES),
                language(),
                truths("liable", "may_discuss"),
                days("since", "until"),
            ),
        ),
        Check(
            """
            select s.*, l.loan_id as known_loan, b.loan_id as borrowed,
                   (p.name, p.language) is distinct from (s.name, s.language) as renamed, first.line as first_line
            from staged_parties s
            left join loans l using (lender_id, loan_id)
            left join parties p using (lender_id, party_id)
            left join lateral (
                select loan_id from loans where lender_id = s.lender_id and borrower_id = s.party_id limit 1
            ) b on true
            left join (
                select lender_id, party_id, min(line) as line from staged_parties group by lender_id, party_id having count(*) > 1
            ) again using (lender_id, party_id)
            left join staged_parties first on first.line = again.line
                and (first.name, first.language) is distinct from (s.name, s.language)
            """,
            (
                Rule("loan_id", "known_loan is null", "loan {loan_id} is unknown: put it into the loans file."),
                Rule(
                    "party_id",
                    "borrowed is not null and renamed",
                    "party {party_id} is the borrower of loan {borrowed} under another name or language: the loans file gives both.",
                ),
                Rule(
                    "party_id",
                    "first_line is not null",
                    "party {party_id} has another name or language in line {first_line}: make them the same.",
                ),
            ),
        ),
    ),
)

_KNOWN_PARTY = Rule(
    "party_id", "known_party is null", "party {party_id} is unknown: put it into the loans or parties file."
)

CONTACTS = FileKind(
    name="contacts",
    needed=("party_id", "kind", "value"),
    optional=("country", "region", "postcode", "timezone", "source", "verified_on", "status"),
    key=("lender_id", "party_id", "kind", "value"),
    usual=(("source", "tape"), ("status", "active")),
    checks=(
        Check(
            "select * from staged_contacts",
            rules(
                needed("party_id", "kind", "value"),
                ids("lender_id", "party_id", "value"),
                texts("region", "postcode", "source"),
                one_of("kind", ("mobile", "landline", "email", "address")),
                Rule(
                    "value",
                    f"kind in ('mobile', 'landline') and value !~ {PHONE}",
                    "value is no E.164 number: write it as +12015550100.",
                ),
                Rule(
                    "value",
                    r"kind = 'email' and value !~ '^[^@\s]+@[^@\s]+$'",
                    "value is no e-mail address: write it as a@b.example.",
                ),
                country(),
                timezone(),
                days("verified_on"),
                one_of("status", ("active", "dead", "wrong", "opted_out")),
            ),
        ),
        Check(
            "select s.*, p.party_id as known_party from staged_contacts s left join parties p using (lender_id, party_id)",
            (_KNOWN_PARTY,),
        ),
    ),
)

CONSENTS = FileKind(
    name="consents",
    needed=("party_id", "contact_value", "scope", "given_on"),
    optional=("expires_on", "revoked_on", "evidence"),
    key=("lender_id", "party_id", "contact_value", "scope", "given_on"),
    checks=(
        Check(
            "select * from staged_consents",
            rules(
                needed("party_id", "contact_value", "scope", "given_on"),
                ids("lender_id", "party_id", "contact_value"),
                texts("evidence"),
                one_of("scope", SCOPES),
                days("given_on", "expires_on", "revoked_on"),
            ),
        ),
        Check(
            "select s.*, p.party_id as known_party from staged_consents s left join parties p using (lender_id, party_id)",
            (_KNOWN_PARTY,),
        ),
    ),
)
