"""The structure of the code, held to what docs/architecture.md says of it."""

from __future__ import annotations

import ast
import re
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import ledger

ROOT = Path(__file__).parent.parent
MODULES = sorted((ROOT / "ledger").rglob("*.py"))
OTHERS = [
    path
    for name in ("tests", "tools", "benchmarks")
    for path in sorted((ROOT / name).rglob("*.py"))
]
SOURCES = [*MODULES, *OTHERS, ROOT / "dev.py", ROOT / "cli.py"]
LONGEST_FUNCTION = 70
PUBLIC_NAMES = {
    *(
        "Answers",
        "Batch",
        "Bridge",
        "Cause",
        "Checked",
        "Comparison",
        "CorrectionRefused",
        "Diagnosis",
        "Diff",
    ),
    *(
        "Edition",
        "EditionName",
        "Examined",
        "Explanation",
        "Export",
        "File",
        "Finding",
        "FindingsFound",
        "History",
        "IngestOptions",
        "InputRefused",
    ),
    *(
        "DataFolder",
        "LakeProjection",
        "Ledger",
        "LedgerBusy",
        "LedgerDamaged",
        "LedgerError",
        "LogEntry",
        "Month",
        "MonthIngest",
    ),
    *(
        "Names",
        "NoLedger",
        "Problem",
        "Projected",
        "Published",
        "Quarter",
        "RecordingFailed",
        "RecoveryNeeded",
        "Report",
    ),
    *(
        "Query",
        "Restatement",
        "Retraction",
        "RowChange",
        "SequenceBroken",
        "Snapshot",
        "Source",
        "Status",
    ),
    *("EventProof", "Fault", "Receipt", "ReportProof", "ReportVerification"),
    *("lay_out", "verify_proof", "verify_report"),
    *("StorageFailed", "Tag", "Verification", "VerificationFailed", "WrongUsage"),
}


def room(path: Path) -> str:
    """The module that a file belongs to; all of a subpackage is one."""
    return path.relative_to(ROOT / "ledger").with_suffix("").parts[0]


def imported_rooms(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ledger."):
            names.add(str(node.module).split(".")[1])
        elif isinstance(node, ast.ImportFrom) and node.level:
            pytest.fail(f"{path}: a relative import")
        elif isinstance(node, ast.Import):
            names |= {a.name.split(".")[1] for a in node.names if a.name.startswith("ledger.")}
    return names


def rooms_in_docs() -> dict[str, list[str]]:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \| [^|]+ \|([^|]*)\|$", text, re.MULTILINE)
    return {name: re.findall(r"`(\w+)`", allowed) for name, allowed in rows}


def test_every_folder_has_a_row_in_the_table_of_the_docs() -> None:
    assert {room(path) for path in MODULES} - {"__init__", "__main__"} == set(rooms_in_docs())


def test_the_table_of_the_docs_flows_one_way() -> None:
    table = rooms_in_docs()
    order = list(table)
    for name, allowed in table.items():
        assert all(order.index(other) < order.index(name) for other in allowed), name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_module_imports_what_the_table_of_the_docs_allows(path: Path) -> None:
    if room(path) in ("__init__", "__main__"):
        return
    allowed = {*rooms_in_docs()[room(path)], room(path)}
    assert imported_rooms(path) <= allowed


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("pendulum", {"model.local_time"}),
        ("sqlite3", {"store"}),
        ("click", {"cli"}),
        (
            "pyarrow",
            {"model", "outputs.parquet", "outputs.read_back", "lake", "engines"},
        ),
        ("pandas", {"model.tabular"}),
        ("rich", {"cli.console", "cli.layout"}),
        ("deltalake", {"lake.delta"}),
        ("duckdb", {"engines.duckdb"}),
        ("pyspark", {"engines.spark"}),
        ("msgspec", {"model", "store", "integrity.documents"}),
        ("datasette", {"web"}),
        ("uvicorn", {"web"}),
        ("csv", {"delivery.csv_reader", "outputs.csv", "outputs.read_back", "cli"}),
        ("altair", {"outputs.charts"}),
        ("vl_convert", {"outputs.charts"}),
        ("jinja2", {"outputs.html"}),
        ("xlsxwriter", {"outputs.xlsx"}),
    ],
)
def test_a_library_is_used_where_it_belongs(library: str, only: set[str]) -> None:
    users = {module_of(path) for path in MODULES if library in libraries(path)}
    assert users
    for user in users:
        assert any(user == place or user.startswith(f"{place}.") for place in only), user


def libraries(path: Path) -> set[str]:
    """The packages that a module imports, anywhere in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names.add(str(node.module).split(".")[0])
    return names


def module_of(path: Path) -> str:
    """The dotted name of a module, without that of the package."""
    return ".".join(path.relative_to(ROOT / "ledger").with_suffix("").parts)


def imported_modules(path: Path) -> set[str]:
    """The modules of the package that a module imports, anywhere in it."""
    known = {module_of(other).removesuffix(".__init__") for other in MODULES}
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("ledger."):
            module = str(node.module).removeprefix("ledger.")
            inner = {f"{module}.{alias.name}" for alias in node.names} & known
            names |= inner or {module}
        elif isinstance(node, ast.Import):
            found = (alias.name for alias in node.names)
            names |= {name.removeprefix("ledger.") for name in found if name.startswith("ledger.")}
    return names


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph = {module_of(path).removesuffix(".__init__"): imported_modules(path) for path in MODULES}
    # `static_order` raises CycleError, which names the circle.
    list(TopologicalSorter(graph).static_order())


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_no_function_is_long(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            lines = (node.end_lineno or 0) - node.lineno + 1
            assert lines < LONGEST_FUNCTION, f"{node.name} has {lines} lines"


def test_the_public_names_are_these() -> None:
    assert set(ledger.__all__) == PUBLIC_NAMES
    for name in ledger.__all__:
        assert getattr(ledger, name).__doc__


def test_the_changelog_knows_the_version() -> None:
    text = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{ledger.__version__}]" in text
