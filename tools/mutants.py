"""Small changes to the pure modules, one at a time: do the unit tests notice each? The last line is `result: tried=… noticed=…`.

A change is a comparison, an `and`/`or`, a `not` or a sign, made by cosmic-ray in a copy of the repository. It is noticed when a unit test
fails, or when the tests do not end. First the tests of the module's own folder run, then every unit test that names the module. A change
that means the same stands in mutants.yml with the reason, and counts as noticed. mutants.py [--sample N] [--seed N] [--only TEXT]
"""

from __future__ import annotations

import argparse
import ast
import functools
import os
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import check
import cosmic_ray.ast
import cosmic_ray.mutating
import cosmic_ray.plugins
import yaml

UTILS = Path("plugins/module_utils")
TESTS = Path("tests/unit/plugins")
# Decisions and protocols without IO. What talks to a machine or to AWS is tried by the suites with containers instead.
PURE = (
    *("_traffic.py", "_lock.py", "_parameters.py", "_refresh.py", "_boots.py", "_ownership.py", "_policies.py"),
    *("_canary/*.py", "_compose/*.py", "_ssm/*.py"),
)
# A page's drawing is looked at in a browser; the remote side of the connection is a program that does IO.
NOT_PURE = {"_canary/page.py", "_ssm/mux_remote.py"}
OPERATORS = (
    *("Eq_NotEq", "NotEq_Eq", "Lt_LtE", "LtE_Lt", "Gt_GtE", "GtE_Gt", "Lt_Gt", "Gt_Lt", "LtE_GtE", "GtE_LtE", "Is_IsNot", "IsNot_Is"),
    *("AndWithOr", "OrWithAnd", "AddNot", "Delete_Not", "Delete_USub", "Add_Sub", "Sub_Add"),
)
KEEP = 0.95
# Tests that do not end have noticed the change: a loop no longer ends.
PATIENCE = 90


@dataclass(frozen=True)
class Mutant:
    """One change: the module (below module_utils), its whole new text, and the line before and after."""

    module: str
    line: int
    before: str
    after: str
    text: str

    def __str__(self):
        return f"{self.module}:{self.line}\n      - {self.before}\n      + {self.after}"


def operators():
    """(name, operator) of the kinds of change that are tried."""
    for name in cosmic_ray.plugins.operator_names():
        if name.startswith("core/") and name.endswith(tuple(f"{'_' if '_' in kind else ''}{kind}" for kind in OPERATORS)):
            yield name, cosmic_ray.plugins.get_operator(name)()


def places(source: str, module: str) -> list[tuple]:
    """(module, operator, occurrence) of every change to one module's text."""
    nodes = list(cosmic_ray.ast.ast_nodes(cosmic_ray.ast.get_ast(source)))
    return [
        (module, operator, occurrence)
        for _name, operator in operators()
        for occurrence in range(sum(len(list(operator.mutation_positions(node))) for node in nodes))
    ]


def mutant_of(source: str, module: str, operator, occurrence: int) -> Mutant | None:
    """The change; None when it leaves the text as it was."""
    text = cosmic_ray.mutating.mutate_code(source, operator, occurrence)
    pairs = enumerate(zip(source.splitlines(), (text or "").splitlines(), strict=False), start=1)
    changed = next(((line, before.strip(), after.strip()) for line, (before, after) in pairs if before != after), None)
    return Mutant(module, *changed, text) if changed else None


def sample_of(root: Path, only: str, size: int, seed: int) -> tuple[int, list[Mutant]]:
    """(how many changes there are, those that are tried)."""
    sources = {module: (root / UTILS / module).read_text(encoding="utf-8") for module in modules(root) if only in module}
    found = [place for module, source in sources.items() for place in places(source, module)]
    random.Random(seed).shuffle(found)  # noqa: S311, a sample and no secret
    chosen: dict = {}
    for module, operator, occurrence in found:
        mutant = mutant_of(sources[module], module, operator, occurrence)
        if mutant:
            chosen[mutant.text] = mutant
        if len(chosen) == size:
            break
    return len(found), list(chosen.values())


def modules(root: Path) -> list[str]:
    paths = {path.relative_to(root / UTILS).as_posix() for pattern in PURE for path in (root / UTILS).glob(pattern)}
    return sorted(path for path in paths - NOT_PURE if not path.endswith("__init__.py"))


def tests_of(root: Path, module: str) -> list[list[str]]:
    """Unit tests of a module in the order in which they are asked: its own, its folder's, then those that import it or test an importer."""
    path = UTILS / module
    own = TESTS / "module_utils" / Path(module).with_name(f"test_{path.name.lstrip('_')}")
    folder = own.parent if "/" in module else None
    name = f"{path.parent.name}.{path.stem}"
    importers = {f"test_{file.stem.lstrip('_')}.py" for file in _python(root / "plugins") if name in _imported(file)}
    tests = [file for file in _python(root / TESTS) if file.name.startswith("test_")]
    rest = [file.relative_to(root) for file in tests if file.name in importers or name in _imported(file)]
    rest = [file for file in rest if file != own and folder not in file.parents]
    stages = [[own] if (root / own).exists() else [], [folder] if folder and (root / folder).exists() else [], rest]
    return [[file.as_posix() for file in stage] for stage in stages if stage]


def _python(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@functools.cache
def _imported(path: Path) -> set[str]:
    """Modules that a file imports, each as its folder's name and its own: `_ssm.message`."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module.rpartition('.')[2]}.{alias.name}" for alias in node.names}
            found.add(".".join(node.module.split(".")[-2:]))
    return found


def known(root: Path) -> list[dict]:
    """The changes that mean the same, from mutants.yml."""
    return yaml.safe_load((root / "tools/mutants.yml").read_text(encoding="utf-8"))


def same(mutant: Mutant, table: list[dict]) -> dict | None:
    """The entry of mutants.yml that shows that a change means the same."""
    return next(
        (row for row in table if (row["module"], row["before"], row["after"]) == (mutant.module, mutant.before, mutant.after)), None
    )


def stale(table: list[dict], root: Path) -> list[str]:
    """Entries whose line is no longer in its module."""
    return [f"{row['module']}: {row['before']}" for row in table if row["before"] not in (root / UTILS / row["module"]).read_text()]


class Copy:
    """A copy of the repository, in which one change at a time is tried."""

    def __init__(self, folder: Path):
        self._root = folder
        for name in check.tracked("plugins", "tests/unit", "tests/__init__.py", "meta", "roles", "galaxy.yml", "pyproject.toml"):
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(check.ROOT / name, target)
        package = folder / ".work/ansible_collections/bluegreen"
        package.mkdir(parents=True)
        (package / "aws").symlink_to(folder, target_is_directory=True)

    def passes(self, tests: list[str], patience: float | None = None) -> bool:
        words = [check.BIN / "python", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", *tests]
        env = {**os.environ, "PYTHONPATH": str(self._root / ".work"), "PYTHONDONTWRITEBYTECODE": "1"}
        process = subprocess.Popen(
            words,
            cwd=self._root,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        try:
            return process.wait(patience or PATIENCE) == 0
        except subprocess.TimeoutExpired:
            return False
        finally:
            if process.poll() is None:
                os.killpg(process.pid, 9)
                process.wait()

    def notices(self, mutant: Mutant) -> bool:
        path = self._root / UTILS / mutant.module
        before = path.read_text(encoding="utf-8")
        path.write_text(mutant.text, encoding="utf-8")
        try:
            return any(not self.passes(stage) for stage in tests_of(check.ROOT, mutant.module))
        finally:
            path.write_text(before, encoding="utf-8")


def run(sample: list[Mutant], table: list[dict], workers: int) -> list[Mutant]:
    """The changes that no test noticed and that do not mean the same."""
    missed, lock, began = [], threading.Lock(), time.monotonic()
    done = 0
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        free = [Copy(Path(folder) / str(number)) for number in range(workers)]
        tests = sorted({path for mutant in sample for stage in tests_of(check.ROOT, mutant.module) for path in stage})
        if not free[0].passes(tests, patience=10 * PATIENCE):
            sys.exit("mutants: the unit tests fail without any change; run make unit and mend that first")

        def attempt(mutant):
            nonlocal done
            with lock:
                copy = free.pop()
            try:
                noticed = bool(same(mutant, table)) or copy.notices(mutant)
            finally:
                with lock:
                    free.append(copy)
            with lock:
                done += 1
                if not noticed:
                    missed.append(mutant)
                    print(f"  missed {mutant}", flush=True)
                if done % 10 == 0:
                    print(f"  {done} of {len(sample)}, {len(missed)} missed ({time.monotonic() - began:.0f} s)", flush=True)

        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(attempt, sample))
    return missed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=200, help="how many changes are tried")
    parser.add_argument("--seed", type=int, default=13, help="another seed, another sample")
    parser.add_argument("--only", default="", help="modules whose path has this text")
    options = parser.parse_args()
    table = known(check.ROOT)
    old = stale(table, check.ROOT)
    if old:
        sys.exit("mutants: entries of mutants.yml whose line is gone: " + "; ".join(old))
    size, sample = sample_of(check.ROOT, options.only, options.sample, options.seed)
    print(f"  {size} changes can be made; {len(sample)} are tried", flush=True)
    missed = run(sample, table, os.cpu_count() or 1)
    print(f"result: tried={len(sample)} noticed={len(sample) - len(missed)}")
    sys.exit(0 if sample and len(sample) - len(missed) >= KEEP * len(sample) else 1)


if __name__ == "__main__":
    main()
