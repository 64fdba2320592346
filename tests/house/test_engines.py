"""An engine of the gate that has given permits is never changed: `arrears verify` asks it again years later, and it must say the same."""

import ast
import hashlib
from importlib.util import find_spec
from pathlib import Path

import grimp
import pytest

from domain.gate import ENGINES

# What each engine says, and what the models say that it reads. An engine that no release has given permits with may still change, and then
# its figure does too; one that was released may not. The models may grow, by what has a default under which old permits read as before.
ENGINE_IS = {1: "b6686172afa8f6f5"}
MODELS_ARE = {1: "f7eb89ae1b26dc6e"}


def plain(node: object) -> object:
    """What a piece of source means: no comments, docstrings, places; empty parts are left out, for they differ among Pythons."""
    if isinstance(node, list):
        return [plain(each) for each in node]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = dict(ast.iter_fields(node))
    if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        fields["body"] = [each for each in node.body if not _is_text(each)]
    told = {name: plain(value) for name, value in sorted(fields.items()) if value not in (None, []) and name != "kind"}
    return [type(node).__name__, told]


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def figure(sources: dict[str, str]) -> str:
    """One figure for the meaning of some modules."""
    told = [(name, plain(ast.parse(source))) for name, source in sorted(sources.items())]
    return hashlib.sha256(repr(told).encode()).hexdigest()[:16]


def sources_of(modules: set[str]) -> dict[str, str]:
    found = {}
    for name in modules:
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        found[name] = Path(spec.origin).read_text("utf-8")
    return found


def parts_of(engine: int) -> tuple[set[str], set[str]]:
    """An engine's own modules, and those of ours that it reads from."""
    graph = grimp.build_graph("domain", cache_dir=None)
    root = f"domain.gate.engine_{engine}"
    own = {root, *graph.find_descendants(root)}
    return own, {each for module in own for each in graph.find_modules_directly_imported_by(module)} - own


@pytest.mark.parametrize("engine", ENGINES)
def test_an_engine_stays_as_it_was(engine: int) -> None:
    own, _ = parts_of(engine)
    now = figure(sources_of(own))
    assert now == ENGINE_IS[engine], (
        f"domain/gate/engine_{engine} decides otherwise than it did. If a release has given permits with it, put it back and make "
        f"engine_{max(ENGINES) + 1}; if none has, write {now} into ENGINE_IS."
    )


@pytest.mark.parametrize("engine", ENGINES)
def test_what_an_engine_reads_only_grows(engine: int) -> None:
    _, models = parts_of(engine)
    now = figure(sources_of(models))
    assert now == MODELS_ARE[engine], (
        f"{', '.join(sorted(models))}, which engine_{engine} reads, changed. If every old permit reads as before (a new field with a "
        f"default does), write {now} into MODELS_ARE; else make engine_{max(ENGINES) + 1} with models of its own."
    )


def test_words_about_the_code_do_not_count_and_the_code_does() -> None:
    source = "def f(a: int) -> bool:\n    return a < 3\n"
    told = figure({"m": source})
    assert (
        figure({"m": '"""Says."""\n\n\ndef f(a: int) -> bool:\n    """Says more."""\n    return (a < 3)  # why\n'})
        == told
    )
    assert figure({"m": source.replace("<", "<=")}) != told
    assert figure({"m": source.replace("3", "4")}) != told
    assert figure({"n": source}) != told
