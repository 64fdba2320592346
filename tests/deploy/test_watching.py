"""What the alerts and dashboards ask for exists: our figures by name, Temporal's by the SDK's own list, each label, each runbook."""

import json
import re

import yaml

from ledger.figures import MEANINGS
from tests.deploy.compose import ROOT

RULES = yaml.safe_load((ROOT / "deploy/prometheus/rules.yml").read_text("utf-8"))["groups"][0]["rules"]
BOARD = json.loads((ROOT / "deploy/grafana/arrears.json").read_text("utf-8"))
ASKED = [r["expr"] for r in RULES] + [t["expr"] for p in BOARD["panels"] for t in p["targets"]]
# Of Temporal's SDK, as its figures are named here (durations in seconds).
OF_THE_SDK = {
    "temporal_activity_execution_failed_total",
    "temporal_activity_execution_latency_seconds_count",
    "temporal_activity_schedule_to_start_latency_seconds_bucket",
    "temporal_request_failure_total",
    "temporal_sticky_cache_size",
    "temporal_sticky_cache_total_forced_eviction_total",
    "temporal_worker_task_slots_available",
    "temporal_workflow_task_execution_failed_total",
    "temporal_workflow_task_schedule_to_start_latency_seconds_bucket",
}


def test_every_figure_asked_for_is_one_that_is_served() -> None:
    asked = {name for expr in ASKED for name in re.findall(r"\b(?:arrears|temporal)_[a-z_]+", expr)}
    assert asked <= set(MEANINGS) | OF_THE_SDK
    assert set(MEANINGS) <= asked | {"arrears_payments_heard_last_hour"}, "a figure that nobody looks at"


def test_every_label_asked_for_is_one_that_the_figure_has() -> None:
    for expr in ASKED:
        for name, labels in re.findall(r"(arrears_[a-z_]+)\{([^}]*)\}", expr):
            assert set(re.findall(r"(\w+)=~?\"", labels)) <= set(MEANINGS[name][1]), expr


def test_every_alert_has_a_runbook_that_speaks_of_it() -> None:
    for rule in RULES:
        assert f"`{rule['alert']}`" in (ROOT / rule["annotations"]["runbook"]).read_text("utf-8"), rule["alert"]


def test_every_alert_is_seen_to_ring() -> None:
    """`make check-rules` runs these tests, by Prometheus' own tool."""
    rules_test = yaml.safe_load((ROOT / "deploy/prometheus/rules_test.yml").read_text("utf-8"))
    checks = [check for each in rules_test["tests"] for check in each["alert_rule_test"]]
    assert {check["alertname"] for check in checks if check.get("exp_alerts")} == {rule["alert"] for rule in RULES}


def test_a_service_that_is_gone_rings() -> None:
    """What DNS does not name is no target, and no target is never down."""
    jobs = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text("utf-8"))["scrape_configs"]
    [names] = [found["names"] for job in jobs for found in job.get("dns_sd_configs", [])]
    [rule] = [rule for rule in RULES if rule["alert"] == "NobodyWorks"]
    assert re.findall(r'absent\(up\{job="arrears-workers", service="([a-z-]+)"\}\)', rule["expr"]) == names


def test_the_page_lists_every_figure() -> None:
    page = (ROOT / "docs/telemetry.md").read_text("utf-8")
    for name, (meaning, labels) in MEANINGS.items():
        assert f"| `{name}` | {', '.join(f'`{x}`' for x in labels) or '–'} | {meaning} |" in page
