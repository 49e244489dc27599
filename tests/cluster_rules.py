"""What a Citus cluster refuses in a statement, read from the statement's query tree. Each rule says why.

The rules were learnt from a trial on Citus 14; the words in quotes are what a cluster answers. A statement is
executed by one machine if every table of tenants in it is pinned to one tenant by a parameter. Otherwise all machines
execute it, each for its own tenants, and what they cannot do each by itself is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from tests.query_trees import COMMANDS, Catalogue, Node, walk

RELATION, SUBQUERY, VALUES, CTE = "0", "1", "5", "6"
Place = tuple[int, str]
ANCHOR: Place = (0, "a parameter")


@dataclass
class Statement:
    """One statement, and where its tables are in a cluster: `tables` has distributed, reference or local for each."""

    tree: Node
    catalogue: Catalogue
    tables: dict[str, str]

    def __post_init__(self) -> None:
        self.queries = [node for node in self.tree.walk() if node.kind == "QUERY"]
        self.groups: dict[Place, Place] = {}
        self.places: dict[Place, str] = {}
        self.visit(self.tree, [])

    @property
    def names(self) -> set[str]:
        """All its tables."""
        entries = (node for node in self.tree.walk() if node.kind == "RANGETBLENTRY" and node["rtekind"] == RELATION)
        return {name for entry in entries if (name := self.catalogue.tables.get(entry["relid"]))}

    def of_kind(self, kind: str) -> set[str]:
        return {name for name in self.names if self.tables.get(name) == kind}

    @property
    def is_pinned(self) -> bool:
        """Whether each table of tenants in it is narrowed to one tenant, so that one machine executes it."""
        return all(self.group(place) == self.group(ANCHOR) for place in self.places)

    @property
    def is_joined(self) -> bool:
        """Whether its tables of tenants are joined by the tenant, so that each machine can execute its part."""
        return len({self.group(place) for place in self.places}) <= 1

    def changes(self) -> Iterator[Node]:
        """The queries in it that change a table of tenants."""
        return (query for query in self.changes_of_any() if self.is_distributed(self.target(query)))

    def changes_of_any(self) -> Iterator[Node]:
        """The queries in it that change one of our tables, wherever it is."""
        for query in self.queries:
            if COMMANDS.get(query["commandType"]) != "select" and self.name(self.target(query)) in self.tables:
                yield query

    def target(self, query: Node) -> Node:
        return query["rtable"][int(query["resultRelation"]) - 1]  # type: ignore[no-any-return]

    def is_distributed(self, entry: Node) -> bool:
        return entry["rtekind"] == RELATION and self.tables.get(self.name(entry)) == "distributed"

    def reads_tenants(self, query: Node) -> bool:
        return any(node.kind == "RANGETBLENTRY" and self.is_distributed(node) for node in query.walk())

    def name(self, entry: Node) -> str:
        return self.catalogue.tables.get(entry["relid"], "")

    def mutable(self, value: Any) -> list[str]:
        """The functions in it that are not immutable."""
        return [one.name for node in walk(value) for one in self.catalogue.functions_in(node) if not one.is_immutable]

    def volatile(self, value: Any) -> list[str]:
        called = (one for node in walk(value) for one in self.catalogue.functions_in(node))
        return [one.name for one in called if one.volatility == "v"]

    # Which tables are of the same tenant?

    def group(self, place: Place) -> Place:
        while place in self.groups:
            place = self.groups[place]
        return place

    def unite(self, one: Place | None, other: Place | None) -> None:
        if one and other and (first := self.group(one)) != (second := self.group(other)):
            self.groups[first] = second

    def visit(self, query: Node, above: list[Node]) -> None:
        scope = [query, *above]
        excluded = query["onConflict"] and query["onConflict"]["exclRelIndex"]
        for index, entry in enumerate(query["rtable"] or (), 1):
            if self.is_distributed(entry) and str(index) != excluded:
                self.places[id(query), str(index)] = self.name(entry)
        for condition in self.conditions(query):
            one, other = (self.place(side, scope) for side in condition["args"])
            self.unite(one, other)
        self.visit_inserted(query, scope)
        for inner in queries_in(query):
            self.visit(inner, scope)

    def visit_inserted(self, query: Node, scope: list[Node]) -> None:
        """A row that is inserted is of the tenant it names."""
        if COMMANDS.get(query["commandType"]) != "insert" or not self.is_distributed(self.target(query)):
            return
        column = self.catalogue.column(self.name(self.target(query)), "tenant_id")
        for entry in query["targetList"] or ():
            if entry["resno"] == column:
                self.unite((id(query), query["resultRelation"]), self.place(entry["expr"], scope))

    def conditions(self, query: Node) -> Iterator[Node]:
        """The equalities that hold for every row of a query."""
        waiting = [query["jointree"]]
        while waiting:
            node = waiting.pop()
            if not isinstance(node, Node):
                continue
            if node.kind == "FROMEXPR":
                waiting += [*(node["fromlist"] or ()), node["quals"]]
            elif node.kind == "JOINEXPR":
                waiting += [node["larg"], node["rarg"], node["quals"]]
            elif node.kind == "BOOLEXPR" and node["boolop"] == "and":
                waiting += node["args"]
            elif node.kind == "OPEXPR" and self.catalogue.function(node["opfuncid"]).name == "uuid_eq":
                yield node

    def place(self, node: Node, scope: list[Node]) -> Place | None:
        """The table whose tenant this is, or a value that is the same for the whole statement."""
        while node.kind in ("RELABELTYPE", "COERCEVIAIO"):
            node = node["arg"]
        if node.kind != "VAR":
            return None if any(inner.kind in ("VAR", "SUBLINK") for inner in node.walk()) else ANCHOR
        levels = int(node["varlevelsup"])
        query = scope[levels]
        entry, column = query["rtable"][int(node["varno"]) - 1], int(node["varattno"])
        if self.is_distributed(entry):
            of_tenant = self.catalogue.column(self.name(entry), "tenant_id") == str(column)
            return (id(query), node["varno"]) if of_tenant else None
        if entry["rtekind"] == RELATION and self.name(entry) == "tenants":
            # A copy of it is everywhere; joined by its id, it leads from one table of tenants to the next.
            return (id(query), node["varno"]) if self.catalogue.column("tenants", "id") == str(column) else None
        if entry["groupexprs"]:
            return self.place(entry["groupexprs"][column - 1], scope[levels:])
        if entry["rtekind"] == SUBQUERY:
            return self.output(entry["subquery"], column, scope[levels:])
        if entry["rtekind"] == VALUES:
            return (
                ANCHOR if all(self.place(row[column - 1], scope) == ANCHOR for row in entry["values_lists"]) else None
            )
        if entry["rtekind"] == CTE:
            above = scope[levels + int(entry["ctelevelsup"]) :]
            named = [each for each in above[0]["cteList"] or () if each["ctename"] == entry["ctename"]]
            return self.output(named[0]["ctequery"], column, above) if named else None
        return None

    def output(self, query: Node, column: int, above: list[Node]) -> Place | None:
        returned = query["returningList"] or query["targetList"] or []
        entry = next((one for one in returned if one["resno"] == str(column)), None)
        if entry is None or entry["expr"].kind == "QUERY":
            return None
        return self.place(entry["expr"], [query, *above])


def is_correlated(query: Node, depth: int = 0) -> bool:
    """Whether it names columns of a query around it."""
    names = (node for node in walk([*query.fields.values()], into_queries=False) if node.kind == "VAR")
    is_here = any(int(node["varlevelsup"]) > depth for node in names)
    return is_here or any(is_correlated(inner, depth + 1) for inner in queries_in(query))


def queries_in(query: Node) -> Iterator[Node]:
    """The queries just below: subselects, CTEs, subqueries in FROM."""
    for node in walk([*query.fields.values()], into_queries=False):
        for value in node.fields.values():
            for results in value if isinstance(value, list) else [value]:
                if isinstance(results, Node) and results.kind == "QUERY":
                    yield results


Rule = Callable[[Statement], Iterator[str]]
RULES: list[Rule] = []


def rule(check: Rule) -> Rule:
    RULES.append(check)
    return check


def refusals(statement: Statement) -> list[str]:
    return [f"{check.__name__}: {words}" for check in RULES for words in check(statement)]


@rule
def set_config_is_not_propagated(statement: Statement) -> Iterator[str]:
    if any(
        one.name == "set_config" for node in statement.tree.walk() for one in statement.catalogue.functions_in(node)
    ):
        yield "no error and 0 rows: workers get `set local …` as a statement, never a call of set_config()"


@rule
def no_volatile_function_changes_rows(statement: Statement) -> Iterator[str]:
    """Of any table that the cluster knows, also of those that stay on one machine."""
    for query in statement.changes_of_any():
        is_insert = COMMANDS[query["commandType"]] == "insert"
        parts = [query["onConflict"]] if is_insert else [query["targetList"], query["jointree"]]
        if results := statement.volatile(parts):
            yield f"{results}: 'functions used in UPDATE queries on distributed tables must not be VOLATILE'"


CLOCKS = {"now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "timeofday", "current_timestamp"}


@rule
def the_time_is_a_parameter(statement: Statement) -> Iterator[str]:
    called = {one.name for node in statement.tree.walk() for one in statement.catalogue.functions_in(node)}
    if statement.places and (results := called & CLOCKS):
        yield f"{sorted(results)}: each machine has a clock of its own; bind :now from database_now()"


@rule
def no_stable_function_of_a_column(statement: Statement) -> Iterator[str]:
    for query in statement.changes():
        parts = [query["targetList"], query["jointree"]] if COMMANDS[query["commandType"]] != "insert" else []
        for node in walk(parts, into_queries=False):
            stable = [one.name for one in statement.catalogue.functions_in(node) if one.volatility == "s"]
            if stable and any(inner.kind == "VAR" for inner in node.walk()):
                yield f"{stable}: 'STABLE functions used in UPDATE queries cannot be called with column references'"


@rule
def no_mutable_function_in_a_case(statement: Statement) -> Iterator[str]:
    for query in statement.changes():
        parts = [query["targetList"], query["jointree"]] if COMMANDS[query["commandType"]] != "insert" else []
        for node in walk(parts):
            if node.kind in ("CASEEXPR", "COALESCEEXPR") and (results := statement.mutable(node)):
                yield f"{results}: 'non-IMMUTABLE functions are not allowed in CASE or COALESCE statements'"


@rule
def no_mutable_function_is_returned(statement: Statement) -> Iterator[str]:
    for query in statement.changes():
        if results := statement.mutable(query["returningList"]):
            yield f"{results}: 'non-IMMUTABLE functions are not allowed in the RETURNING clause'"


@rule
def no_mutable_function_on_conflict(statement: Statement) -> Iterator[str]:
    for query in statement.changes():
        if results := statement.mutable(query["onConflict"]):
            yield f"{results}: 'functions used in the DO UPDATE SET clause … must be marked IMMUTABLE'"


@rule
def a_set_is_inserted_with_on_conflict_or_returning(statement: Statement) -> Iterator[str]:
    for query in statement.changes():
        selects = any(entry["rtekind"] == SUBQUERY for entry in query["rtable"])
        is_bare = not (query["onConflict"] or query["returningList"])
        if COMMANDS[query["commandType"]] == "insert" and selects and is_bare:
            yield "'COPY FROM not supported with row-level security': add `on conflict do nothing` or `returning`"


@rule
def local_tables_are_read_by_themselves(statement: Statement) -> Iterator[str]:
    if statement.places and (local := statement.of_kind("local")):
        yield f"{sorted(local)} stay on the coordinator: 'a column definition list is required …'; read them first"


@rule
def nothing_recursive_over_all_tenants(statement: Statement) -> Iterator[str]:
    recursive = any(query["hasRecursive"] == "true" for query in statement.queries)
    if statement.places and recursive and not statement.is_pinned:
        yield "'recursive CTEs are only supported when they contain a filter on the distribution column'"


@rule
def tables_of_tenants_are_joined_by_the_tenant(statement: Statement) -> Iterator[str]:
    if not (statement.is_pinned or statement.is_joined):
        loose = {name for place, name in statement.places.items() if statement.group(place) != statement.group(ANCHOR)}
        yield f"{sorted(loose)}: 'complex joins are only supported when … joined on their distribution columns'"


@rule
def copies_do_not_look_into_tables_of_tenants(statement: Statement) -> Iterator[str]:
    """A machine has all rows of a copied table, and of tenants' rows its own: what is missing here may be elsewhere."""
    if statement.is_pinned:
        return
    for query in statement.queries:
        entries = query["rtable"] or ()
        if not any(statement.is_distributed(one) or one["rtekind"] in (SUBQUERY, CTE) for one in entries):
            nodes = walk([*query.fields.values()], into_queries=False)
            inner = [node["subselect"] for node in nodes if node.kind == "SUBLINK"]
            if entries and any(is_correlated(one) and statement.reads_tenants(one) for one in inner):
                yield "'correlated subqueries are not supported when the FROM clause contains a reference table'"


@rule
def no_limit_in_a_lateral_over_all_tenants(statement: Statement) -> Iterator[str]:
    entries = (node for node in statement.tree.walk() if node.kind == "RANGETBLENTRY" and node["lateral"] == "true")
    laterals = [entry["subquery"] for entry in entries if entry["subquery"]]
    is_refused = any(lateral["limitCount"] or lateral["setOperations"] for lateral in laterals)
    if statement.places and is_refused and not statement.is_pinned:
        yield "a lateral subquery with a limit or a union: 'complex joins are only supported …'; split it"


@rule
def rows_of_all_tenants_are_not_locked(statement: Statement) -> Iterator[str]:
    locks = any(query["rowMarks"] for query in statement.queries)
    if statement.places and locks and not statement.is_pinned:
        yield "'could not run distributed query with FOR UPDATE/SHARE commands': lock the rows of one tenant at a time"


@rule
def a_change_of_all_tenants_is_simple(statement: Statement) -> Iterator[str]:
    changes = list(statement.changes())
    has_parts = any(query["cteList"] or query["limitCount"] for query in statement.queries)
    inserts = any(COMMANDS[query["commandType"]] == "insert" for query in changes)
    if changes and not statement.is_pinned and (has_parts or inserts):
        yield "a change of many tenants' rows may join by the tenant, and has no CTE, no limit and inserts nothing"
