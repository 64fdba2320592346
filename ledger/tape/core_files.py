"""The files in which a lender's core system takes loans back, and says what it holds them to owe."""

from ledger.tape.kind import FileKind
from ledger.tape.rules import Check, Rule, days, fits_currency, ids, needed, numbers, one_of, rules

_KNOWN_LOAN = "loan {loan_id} is unknown: put it into the loans file."

RECALLS = FileKind(
    name="recalls",
    needed=("loan_id", "reason", "as_of"),
    optional=(),
    key=("lender_id", "loan_id"),
    checks=(
        Check(
            "select * from staged_recalls",
            rules(
                needed("loan_id", "reason", "as_of"),
                ids("lender_id", "loan_id"),
                one_of("reason", ("recalled", "sold", "returned")),
                days("as_of"),
            ),
        ),
        Check(
            """
            select s.*, l.loan_id as known_loan, r.as_of as known_as_of, r.reason as known_reason from staged_recalls s
            left join loans l using (lender_id, loan_id)
            left join recalls r using (lender_id, loan_id)
            """,
            (
                Rule("loan_id", "known_loan is null", _KNOWN_LOAN),
                Rule(
                    "as_of",
                    "as_of::date < known_as_of",
                    "as_of {as_of} is before {known_as_of}, of which loan {loan_id} is known as {known_reason}: leave the older row out.",
                ),
            ),
        ),
    ),
)

BALANCES = FileKind(
    name="balances",
    needed=("loan_id", "as_of", "outstanding", "arrears", "oldest_due_on"),
    optional=(),
    key=("lender_id", "loan_id", "as_of"),
    checks=(
        Check(
            "select * from staged_balances",
            rules(
                needed("loan_id", "as_of", "outstanding", "arrears"),
                ids("lender_id", "loan_id"),
                days("as_of", "oldest_due_on"),
                numbers("outstanding", "arrears"),
                Rule(
                    "arrears",
                    "arrears::numeric > outstanding::numeric",
                    "arrears {arrears} are more than the outstanding {outstanding}, of which they are a part: correct one of the two.",
                ),
                Rule(
                    "oldest_due_on",
                    "oldest_due_on::date > as_of::date",
                    "oldest_due_on {oldest_due_on} is after {as_of}: give the day of what was due by then.",
                ),
                Rule(
                    "oldest_due_on",
                    "oldest_due_on is not null and arrears::numeric = 0",
                    "oldest_due_on {oldest_due_on} is given, but nothing is in arrears: leave it empty, or give the arrears.",
                ),
            ),
        ),
        Check(
            """
            select s.*, l.currency, c.decimals, (m.now at time zone b.timezone)::date as today,
                   l.ledger_version = 0 and l.begun_on is null and not exists (
                       select from instalments i where i.lender_id = s.lender_id and i.loan_id = s.loan_id
                   ) as begins
            from staged_balances s cross join moment m
            left join loans l using (lender_id, loan_id)
            left join lenders b using (lender_id)
            left join known_codes c on c.kind = 'currency' and c.code = l.currency
            """,
            rules(
                Rule("loan_id", "currency is null", _KNOWN_LOAN),
                # A later balance takes the place of every older one, and so would silence them until its day.
                Rule(
                    "as_of",
                    "as_of::date > today",
                    "as_of {as_of} is after {today}, the lender's business date: load the balance when its day has come.",
                ),
                fits_currency(("outstanding", "arrears"), "currency"),
                Rule(
                    "oldest_due_on",
                    "begins and arrears::numeric > 0 and oldest_due_on is null",
                    "oldest_due_on is missing: loan {loan_id} begins with this balance, and its arrears need their day.",
                ),
            ),
        ),
    ),
)
