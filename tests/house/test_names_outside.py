"""Names that other programs use: they are contracts, and change for nobody."""

from activities.contracts import CASES, CONTACT, OFFICE
from activities.contracts.attributes import types
from domain.messages import SIGNALS, UPDATES
from workers.fleet import WORKFLOWS


def test_search_attributes_have_their_names_and_types() -> None:
    assert types() == {
        "LoanStage": "Keyword",
        "ArrearsBand": "Keyword",
        "Strategy": "Keyword",
        "Collector": "Keyword",
        "Country": "Keyword",
        "Lender": "Keyword",
        "HoldScopes": "KeywordList",
        "DelinquentSince": "Datetime",
    }


def test_task_queues_and_workflow_types_have_their_names() -> None:
    assert (CASES, CONTACT, OFFICE) == ("cases", "contact", "office")
    assert [w.__temporal_workflow_definition.name for w in WORKFLOWS] == ["CollectionCase", "DelinquencySweep"]  # type: ignore[attr-defined]


def test_every_message_has_its_handler_under_its_own_name() -> None:
    definition = WORKFLOWS[0].__temporal_workflow_definition  # type: ignore[attr-defined]
    assert set(definition.signals) == set(SIGNALS)
    assert set(definition.updates) == set(UPDATES)
    assert set(definition.queries) == {"status", "timeline"}
