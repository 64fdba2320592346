"""The files about the law's side of a loan: notices that were served, and what moves the day on which a debt is time-barred."""

from ledger.tape.kind import FileKind
from ledger.tape.rules import Check, Rule, days, ids, needed, numbers, one_of, rules, texts

_KNOWN_LOAN = "loan {loan_id} is unknown: put it into the loans file."


def _of_known_loans(name: str) -> Check:
    return Check(
        f"""
        select s.*, l.loan_id as known_loan from staged_{name} s left join loans l on l.lender_id = s.lender_id and l.loan_id = s.loan_id
        """,  # noqa: S608 - the name is one of the two below
        (Rule("loan_id", "known_loan is null", _KNOWN_LOAN),),
    )


NOTICES = FileKind(
    name="notices",
    needed=("notice_id", "loan_id", "kind", "served_on", "method"),
    optional=("party_id", "proof"),
    key=("lender_id", "notice_id"),
    checks=(
        Check(
            "select * from staged_notices",
            rules(
                needed("notice_id", "loan_id", "kind", "served_on", "method"),
                ids("lender_id", "notice_id", "loan_id", "party_id"),
                texts("kind", "method", "proof"),
                days("served_on"),
            ),
        ),
        _of_known_loans("notices"),
    ),
)

LIMITATION = FileKind(
    name="limitation",
    needed=("loan_id", "event_id", "kind", "happened_on"),
    optional=("until_on", "years", "evidence"),
    key=("lender_id", "loan_id", "event_id"),
    checks=(
        Check(
            "select * from staged_limitation",
            rules(
                needed("loan_id", "event_id", "kind", "happened_on"),
                ids("lender_id", "loan_id", "event_id"),
                texts("evidence"),
                one_of("kind", ("start", "interrupt", "suspend")),
                days("happened_on", "until_on"),
                numbers("years"),
                Rule("years", "years !~ '^[1-9][0-9]?$'", "years is {years}: write whole years, 1 to 99."),
                Rule(
                    "years",
                    "kind = 'start' and years is null",
                    "years is empty: say after how many a debt is time-barred.",
                ),
            ),
        ),
        _of_known_loans("limitation"),
    ),
)
