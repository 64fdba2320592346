"""The page that Prometheus reads."""

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ledger.figures import MEANINGS
from starters import metrics
from tests.ledger.samples import Pool, add_case, add_loan


async def asked(http: httpx.AsyncClient) -> dict[str, list[tuple[dict[str, str], float]]]:
    answer = await http.get("/metrics")
    assert answer.status_code == 200, answer.text
    families = text_string_to_metric_families(answer.text)
    return {f.name: [(s.labels, s.value) for s in f.samples] for f in families}


async def test_prometheus_can_read_every_figure(http: httpx.AsyncClient, pool: Pool) -> None:
    await add_loan(pool)
    await add_case(pool)
    found = await asked(http)
    assert set(found) == set(MEANINGS)
    assert found["arrears_open_cases"] == [({"lender": "default", "stage": "new"}, 1.0)]


async def test_the_ledger_is_not_asked_again_at_once(
    http: httpx.AsyncClient, pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(metrics, "KEPT", 3600.0)
    assert (await asked(http))["arrears_open_cases"] == []
    await add_loan(pool)
    await add_case(pool)
    assert (await asked(http))["arrears_open_cases"] == []
    monkeypatch.setattr(metrics, "KEPT", 0.0)
    assert len((await asked(http))["arrears_open_cases"]) == 1


async def test_without_the_ledger_there_are_no_figures(http: httpx.AsyncClient, pool: Pool) -> None:
    await pool.execute("alter table cases rename to away")
    assert (await http.get("/metrics")).status_code >= 500
    await pool.execute("alter table away rename to cases")
    assert "arrears_open_cases" in await asked(http)


async def test_senders_are_told_nothing_of_it(http: httpx.AsyncClient) -> None:
    assert "/metrics" not in (await http.get("/openapi.json")).json()["paths"]
