"""Checks that names in settings, scripts and docs exist: a filter that matches nothing passes in silence.

    scripts/names.py

Looks at nextest filters (`package(…)`, `binary(…)`, `test(…)`), cargo's arguments (`-p`, `--bin`, `--test`, `--example`), profile
overrides of Cargo.toml, files under `$(TARGET)/debug`, `make TARGET`, and paths in docs. Test names are searched in the sources, so nothing
is built. Refuses names of tests with more than a dozen words, too.
"""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A function, or a line of a macro that makes one, as `name: Value, …`.
TEST = re.compile(r"\bfn +([a-z0-9_]+)|^\s*([a-z0-9_]+): [A-Z]", re.M)
FILTER = re.compile(r"\b(package|binary|test)\(([^()\s$]+)\)")
ARGUMENT = re.compile(r"(?<!\S)(?:-p|--package|--bin|--binary-name|--test|--example)[ =]([a-z][a-z0-9_-]*)(?: ([a-z0-9]+(?:_[a-z0-9]+)+))?")
PROGRAM = re.compile(r"(?:\$\(TARGET\)|target)/(?:debug|release|\$\(PROFILE\))/(?!deps|build|examples|incremental)([a-z][a-z-]*)")
FOLDERS = "agents|cli|crates|dev|docs|fixtures|functions|fuzz|infra|local|media-task|scripts|tests"
PATH = re.compile(rf"`((?:{FOLDERS})/[A-Za-z0-9_./-]+)`")
TEST_NAME = re.compile(r"#\[(?:tokio::)?test\b[^\n]*\n(?:\s*#\[[^\n]*\n)*\s*(?:async )?fn ([a-z0-9_]+)")
# Lines that name packages, programs or tests.
CARGO = re.compile(r"\bcargo\b|\$\(CARGO\)|manifest-path|\btree\b|nextest")


def workspace() -> tuple[dict[str, Path], dict[str, set[str]]]:
    """Returns the packages with their folders, and the targets by kind."""
    asked = ["cargo", "metadata", "--no-deps", "--locked", "--offline", "--format-version", "1"]
    packages = json.loads(subprocess.run(asked, cwd=ROOT, check=True, capture_output=True).stdout)["packages"]
    targets: dict[str, set[str]] = {}
    for package in packages:
        for target in package["targets"]:
            for kind in target["kind"]:
                targets.setdefault(kind, set()).add(target["name"])
    return {package["name"]: Path(package["manifest_path"]).parent for package in packages}, targets


def tests(folders: list[Path]) -> set[str]:
    """Returns the names of functions in the sources of these folders."""
    found: set[str] = set()
    for folder in folders:
        for source in folder.rglob("*.rs"):
            found.update(name for pair in TEST.findall(source.read_text()) for name in pair if name)
    return found


class Names:
    """The names that exist."""

    def __init__(self) -> None:
        self.packages, self.targets = workspace()
        self.makefile = (ROOT / "Makefile").read_text()
        self.goals = set(re.findall(r"^([a-z][a-z-]*):", self.makefile, re.M))

    def filters(self, text: str) -> list[str]:
        """Returns what a nextest filter names and nothing has."""
        named = FILTER.findall(text)
        packages = [name for kind, name in named if kind == "package"]
        wrong = [f"package({name})" for name in packages if name not in self.packages]
        binaries = self.targets.get("test", set()) | self.targets.get("bin", set()) | self.targets.get("lib", set())
        wrong += [f"binary({name})" for kind, name in named if kind == "binary" and name not in binaries]
        within = [self.packages[name] for name in packages if name in self.packages] or list(self.packages.values())
        have = tests(within) if any(kind == "test" for kind, _ in named) else set()
        for kind, name in named:
            pattern = re.compile(name.strip("/")) if name.startswith("/") else re.compile(re.escape(name.lstrip("=~")))
            if kind == "test" and not any(pattern.search(test) for test in have):
                wrong.append(f"test({name}) in {', '.join(packages) or 'any package'}")
        return wrong

    def arguments(self, text: str) -> list[str]:
        """Returns the packages, programs and tests that cargo's arguments name and nothing has."""
        known = set(self.packages).union(*self.targets.values())
        wrong = []
        for found in ARGUMENT.finditer(text):
            name, test = found.groups()
            if name not in known:
                wrong.append(found.group(0).strip())
            elif test and test not in tests(list(self.packages.values())):
                wrong.append(f"{test}, a test of {name}")
        wrong += [name for name in PROGRAM.findall(text) if name not in self.targets["bin"]]
        return wrong

    def overrides(self) -> list[str]:
        """Returns the packages that have a profile of their own and are not in Cargo.lock."""
        manifest = tomllib.loads((ROOT / "Cargo.toml").read_text())
        locked = {package["name"] for package in tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]}
        named = {name for profile in manifest["profile"].values() for name in profile.get("package", {})}
        return [f"profile override of {name}" for name in sorted(named - locked - {"*"})]

    def made(self, text: str) -> list[str]:
        """Returns the goals of `make` that a page shows and the Makefile does not have."""
        shown = re.findall(r"(?:`|^ *|&& |(?<=\n))make ([a-z][a-z-]*)", text, re.M)
        return [f"make {goal}" for goal in shown if goal not in self.goals]


def long_names() -> list[tuple[str, str]]:
    """Returns the tests whose names have more than a dozen words, with their files."""
    listed = subprocess.run(["git", "ls-files", "*.rs"], cwd=ROOT, check=True, capture_output=True, text=True)
    found = ((file, name) for file in listed.stdout.split() for name in TEST_NAME.findall((ROOT / file).read_text()))
    return [(file, name) for file, name in found if len(name.split("_")) > 12]


def main() -> int:
    """Prints each name that does not exist, with where it stands, and each name that is too long."""
    names = Names()
    wrong = [("Cargo.toml", fault) for fault in names.overrides()]
    nextest = tomllib.loads((ROOT / ".config/nextest.toml").read_text())
    for profile in nextest["profile"].values():
        for part in profile.get("overrides", []) + profile.get("scripts", []):
            wrong += [(".config/nextest.toml", fault) for fault in names.filters(part["filter"])]
    listed = subprocess.run(["git", "ls-files", "Makefile", "scripts/*.sh", "scripts/*.py", "*.md"], cwd=ROOT, check=True, capture_output=True, text=True)
    for file in listed.stdout.split():
        text = (ROOT / file).read_text()
        if file == "scripts/names.py":
            continue
        for line in text.splitlines():
            if CARGO.search(line):
                wrong += [(file, fault) for fault in names.filters(line)]
            if CARGO.search(line) or PROGRAM.search(line):
                wrong += [(file, fault) for fault in names.arguments(line)]
        if file.endswith(".md"):
            wrong += [(file, fault) for fault in names.made(text)]
            folders = [ROOT, (ROOT / file).parent]
            wrong += [(file, path) for path in PATH.findall(text) if not any(any(folder.glob(f"{path.rstrip('/')}*")) for folder in folders)]
    phony = re.search(r"^\.PHONY: (.*)$", names.makefile, re.M).group(1).split()
    wrong += [("Makefile", f".PHONY {goal}") for goal in phony if goal not in names.goals]
    for file, fault in wrong:
        print(f"names: {file}: nothing is named by {fault}", file=sys.stderr)
    long = long_names()
    for file, name in long:
        print(f"names: {file}: {name} has more than a dozen words", file=sys.stderr)
    return 1 if wrong or long else 0


sys.exit(main())
