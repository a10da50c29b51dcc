"""Refuses files of the product that import each other in a circle.

    scripts/circles.py [ROOT]

A file imports another when a path in it, such as `use crate::call::Call` or `super::call::ringing`, leads to that file. A file and those of
its own folder (`session.rs` and `session/…`) are one thing in parts, and may use each other; what a file publishes of its parts with `use`
is its own. Tests are not looked at.
"""

import re
import sys
from pathlib import Path

PRODUCT = ["crates/*/src", "functions/*/src", "media-task/src", "cli/src"]

COMMENT = re.compile(r"//[^\n]*")
TEXT = re.compile(r'r(#+)".*?"\1|"(?:[^"\\]|\\.)*"', re.S)
MODULE = re.compile(r"^(#\[cfg\([^\n]*test[^\n]*\)\]\s*)?(?:pub(?:\([^)]*\))? )?mod (\w+);", re.M)
USE = re.compile(r"^[ \t]*(?:pub(?:\([^)]*\))? )?use ([^;]+);", re.M)
PATH = re.compile(r"(?<![\w:])((?:\w+::)+\w+)")

Path_ = tuple[str, ...]


def code(source: str) -> str:
    """Returns the source without its tests, comments and strings."""
    source = TEXT.sub('""', COMMENT.sub("", source))
    return source.split("#[cfg(test)]\nmod tests {")[0]


def leaves(tree: str) -> list[tuple[list[str], str]]:
    """Returns the paths of a `use`, each with the name that it gets: `a::{b, c as d}` has `a::b` and `a::c`, named d."""
    tree = " ".join(tree.split())
    opening = tree.find("{")
    if opening < 0:
        path, _, alias = tree.partition(" as ")
        parts = path.strip().split("::")
        return [(parts, alias.strip() or parts[-1])]
    before = [part for part in tree[:opening].strip().split("::") if part]
    found, depth, item = [], 0, ""
    for letter in tree[opening + 1 : tree.rfind("}")] + ",":
        depth += (letter == "{") - (letter == "}")
        if letter == "," and depth == 0:
            found += [(before + path, name) for path, name in leaves(item)] if item.strip() else []
            item = ""
        else:
            item += letter
    return [((path[:-1], path[-2]) if path[-1] == "self" else (path, name)) for path, name in found]


class Module:
    """A file of a crate."""

    def __init__(self, file: Path, path: Path_) -> None:
        self.file, self.path = file, path
        self.code = code(file.read_text())
        self.children = {name for test, name in MODULE.findall(self.code) if not test}
        self.names = {name: path for tree in USE.findall(self.code) for path, name in leaves(tree)}


class Crate:
    """The files of a crate, by their paths as modules."""

    def __init__(self, source: Path) -> None:
        self.source = source
        self.modules: dict[Path_, Module] = {}
        root = next(source / name for name in ("lib.rs", "main.rs") if (source / name).exists())
        self.read(root, source, ())

    def read(self, file: Path, folder: Path, path: Path_) -> None:
        """Reads a file and those of its folder."""
        module = self.modules[path] = Module(file, path)
        for child in sorted(module.children):
            if (folder / f"{child}.rs").exists():
                self.read(folder / f"{child}.rs", folder / child, (*path, child))

    def target(self, module: Module, path: list[str], depth: int = 0) -> Module | None:
        """Returns the file that a path in this file leads to, if it is one of this crate's."""
        at, rest = module, list(path)
        if rest[0] == "crate":
            at, rest = self.modules[()], rest[1:]
        elif rest[0] in ("super", "self"):
            while rest and rest[0] in ("super", "self"):
                if rest[0] == "super" and not at.path:
                    return None
                at = self.modules[at.path[:-1]] if rest[0] == "super" else at
                rest = rest[1:]
        elif rest[0] not in module.children:
            named = module.names.get(rest[0])
            return self.target(module, named + rest[1:], depth + 1) if named and named != path and depth < 9 else None
        while rest and rest[0] in at.children and (*at.path, rest[0]) in self.modules:
            at, rest = self.modules[(*at.path, rest[0])], rest[1:]
        return at

    def imports(self) -> dict[str, dict[str, str]]:
        """Returns the files that each file imports, each with a path that leads there."""
        found: dict[str, dict[str, str]] = {}
        for module in self.modules.values():
            own = found.setdefault(self.name(module), {})
            for path in [*module.names.values(), *(path.split("::") for path in PATH.findall(USE.sub("", module.code)))]:
                target = self.target(module, path)
                if target and not is_part(module.path, target.path) and not is_part(target.path, module.path):
                    own.setdefault(self.name(target), "::".join(path))
        return found

    def name(self, module: Module) -> str:
        """Returns the path of a file within the crate."""
        return str(module.file.relative_to(self.source))


def is_part(part: Path_, whole: Path_) -> bool:
    """Returns whether a module is another, or is in its folder."""
    return part[: len(whole)] == whole


def circle(imports: dict[str, dict[str, str]]) -> list[str]:
    """Returns files that import each other in a circle, in its order; none if there is no circle."""
    finished: set[str] = set()

    def visit(file: str, way: list[str]) -> list[str]:
        if file in way:
            return way[way.index(file) :]
        if file not in finished:
            for to in imports[file]:
                if found := visit(to, [*way, file]):
                    return found
            finished.add(file)
        return []

    return next((found for file in imports if (found := visit(file, []))), [])


def main() -> None:
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    crates = [Crate(folder) for pattern in PRODUCT for folder in sorted(root.glob(pattern))]
    if sum(len(to) for crate in crates for to in crate.imports().values()) < len(crates):
        # A check that reads no imports would pass.
        sys.exit("circles: no imports found: this script no longer reads the sources")
    wrong = False
    for crate in crates:
        imports = crate.imports()
        files = circle(imports)
        if files:
            wrong = True
            print(f"circles: files of {crate.source.relative_to(root)} import each other: move what both need to a third", file=sys.stderr)
            for file, to in zip(files, files[1:] + files[:1]):
                print(f"  {file} -> {to}  ({imports[file][to]})", file=sys.stderr)
    sys.exit(wrong)


if __name__ == "__main__":
    main()
