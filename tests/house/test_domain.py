"""The domain leans on nothing but a few pure libraries; import-linter can only forbid, so the list is held here."""

import sys

import grimp

ALLOWED = {"domain", "pydantic", "pydantic_core", "babel", "holidays"}
IMPURE = {"asyncio", "io", "logging", "os", "random", "secrets", "shutil", "socket", "sqlite3", "subprocess", "time"}


def test_the_domain_imports_only_what_is_allowed() -> None:
    graph = grimp.build_graph("domain", include_external_packages=True, cache_dir=None)
    imported = {
        target.partition(".")[0]
        for module in graph.modules
        if module.partition(".")[0] == "domain"
        for target in graph.find_modules_directly_imported_by(module)
    }
    assert imported - ALLOWED - (sys.stdlib_module_names - IMPURE) == set()
