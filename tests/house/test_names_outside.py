"""Names that other programs use: they are contracts, and change for nobody."""

from typing import Any

from activities.contracts import CASES, CONTACT, OFFICE
from activities.contracts.attributes import types
from domain.messages import SIGNALS, UPDATES
from workers.fleet import WORKFLOWS
from workflows.collection_case import CollectionCase


def _definition(workflow: type) -> Any:
    """What the SDK registers of a workflow class."""
    return getattr(workflow, "__temporal_workflow_definition")


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
    assert [_definition(w).name for w in WORKFLOWS] == ["CollectionCase", "DelinquencySweep"]


def test_every_message_has_its_handler_under_its_own_name() -> None:
    definition = _definition(CollectionCase)
    assert set(definition.signals) == set(SIGNALS)
    assert set(definition.updates) == set(UPDATES)
    assert set(definition.queries) == {"status", "timeline"}
