"""Fails where modules import each other in a circle, be it at the top, inside a function or for types only."""

from __future__ import annotations

import graphlib
import sys

import grimp

PROGRAMS = ("app", "bench", "conformance", "dev", "simulator")


def main() -> None:
    graph = grimp.build_graph(*PROGRAMS, exclude_type_checking_imports=False, cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    try:
        graphlib.TopologicalSorter(imports).prepare()
    except graphlib.CycleError as error:
        sys.exit("A circle of imports: " + " → ".join(reversed(error.args[1])))
    print(f"{len(graph.modules)} modules, no circle")


if __name__ == "__main__":
    main()
