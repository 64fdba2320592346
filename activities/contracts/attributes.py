"""The search attributes of a case: one registry, read by the start, the upsert and `arrears register`."""

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes

from activities.contracts import Standing

LOAN_STAGE = SearchAttributeKey.for_keyword("LoanStage")
ARREARS_BAND = SearchAttributeKey.for_keyword("ArrearsBand")
STRATEGY = SearchAttributeKey.for_keyword("Strategy")
COLLECTOR = SearchAttributeKey.for_keyword("Collector")
COUNTRY = SearchAttributeKey.for_keyword("Country")
LENDER = SearchAttributeKey.for_keyword("Lender")
HOLD_SCOPES = SearchAttributeKey.for_keyword_list("HoldScopes")
DELINQUENT_SINCE = SearchAttributeKey.for_datetime("DelinquentSince")

REGISTRY = (LOAN_STAGE, ARREARS_BAND, STRATEGY, COLLECTOR, COUNTRY, LENDER, HOLD_SCOPES, DELINQUENT_SINCE)

_TYPES: dict[int, str] = {
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD: "Keyword",
    IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD_LIST: "KeywordList",
    IndexedValueType.INDEXED_VALUE_TYPE_DATETIME: "Datetime",
}


def types() -> dict[str, str]:
    """Names and types, as a server takes them."""
    return {key.name: _TYPES[key.indexed_value_type] for key in REGISTRY}


def pairs(lender_id: str, standing: Standing) -> list[SearchAttributePair]:  # type: ignore[type-arg]
    """Every attribute that a standing gives a value for."""
    found: list[SearchAttributePair] = [  # type: ignore[type-arg]
        SearchAttributePair(LENDER, lender_id),
        SearchAttributePair(LOAN_STAGE, standing.stage),
        SearchAttributePair(ARREARS_BAND, standing.band),
        SearchAttributePair(STRATEGY, standing.strategy),
        SearchAttributePair(COUNTRY, standing.country),
        SearchAttributePair(COLLECTOR, standing.collector or "none"),
        SearchAttributePair(HOLD_SCOPES, list(standing.hold_scopes)),
    ]
    if standing.delinquent_since is not None:
        found.append(SearchAttributePair(DELINQUENT_SINCE, standing.delinquent_since))
    return found


def at_start(lender_id: str, standing: Standing) -> TypedSearchAttributes:
    """The attributes of a new case; set with the start they cost no event."""
    return TypedSearchAttributes(pairs(lender_id, standing))
