"""Counts of the source's structure, held to the limits of the design.

python -m benchmarks.structure
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import statistics
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from amodal.modalities import MODALITIES

ROOT = Path(__file__).resolve().parents[1]
PYTHON_FOLDERS = ("src", "tests", "benchmarks", "examples", "docs")
CODE_BEFORE = 12_133
"""Lines of code in src before the layout by rooms."""
ADDED = (
    "settings.py",
    "cli/methods.py",
    "models/vae/latents.py",
    "models/vae/private_latent.py",
    "models/vae/objectives/cross_reconstruction.py",
    "models/vae/objectives/private_elbo.py",
    "distributions/binned.py",
    "metrics/feature_blocks.py",
    "metrics/fidelity.py",
    "metrics/membership.py",
    "metrics/sharpness.py",
    "metrics/supervised.py",
    "metrics/textures.py",
    "modalities/subwords.py",
    "models/latent_flow/calibration.py",
    "models/latent_flow/linear_experts.py",
    "models/latent_flow/softmax_heads.py",
    "nn/codes.py",
)
"""Files of src/amodal whose behaviour came with that layout or after it."""

EXTENSIONS = {
    "column type": ("tests/contracts/test_own_modality.py", ["CLOCK"]),
    "fusion rule": ("tests/contracts/test_extending.py", ["RULE"]),
    "report section": ("tests/report/test_section.py", ["TOY", "TEMPLATE"]),
}
"""Kind of extension -> test that adds one, and the names of its files' texts there."""
MAX_FILES = 2

COLUMN_TYPES = {kind.type for kind in MODALITIES} | {kind.representation for kind in MODALITIES}
MODALITY_CLASSES = {kind.__name__ for kind in MODALITIES}
MAY_COMPARE_TYPES = ("src/amodal/metrics/by_type.py", "src/amodal/report/")

PRIVATE_WORDS = "told shown beside nothing said apart made there whole stands"
FORBIDDEN_NAMES = {
    "": """
        _tells of_present _beside emphasis Shortcut shortcuts jumps of_text of_flow joins Plan Cooling
        process_number seconds_of Doubling joined_patches Merging MapNorm judged_alike realism weighed
        Mark Reading Made Shown LeftOut Standing standings attempt UsageProblem DataProblem
    """,
    "src/amodal": f"{PRIVATE_WORDS} judged",
    "benchmarks": PRIVATE_WORDS,
    "examples": PRIVATE_WORDS,
    "docs": PRIVATE_WORDS,
    "src/amodal/models": "measure centre spread",
    "src/amodal/models/latent_flow": "splits single draws",
    "src/amodal/methods.py": "share during parts",
    "src/amodal/training": "Training",
}
"""Folder or file -> identifiers that the vocabulary replaces there; "" stands for every folder."""

RUN_SETTINGS = {"seed", "device", "devices", "precision", "num_nodes", "strategy"}
"""Settings of a run that are no hyper-parameters of a model or its training."""

QUESTION_WORDS = ("What", "How", "Whether", "Of", "Who", "Whose", "Where", "When", "Which", "Why")


@dataclass(frozen=True)
class Place:
    """One counted thing.

    Attributes:
        path: file, relative to the repository.
        line: line number, from 1.
        text: name or code.
    """

    path: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass(frozen=True)
class Source:
    """One parsed Python file.

    Attributes:
        path: path relative to the repository.
        lines: number of lines.
        code: number of lines without docstrings, comments and blank lines.
        tree: the syntax tree.
    """

    path: str
    lines: int
    code: int
    tree: ast.Module


def read_sources(root: Path, *folders: str) -> list[Source]:
    """Parse all Python files below these folders."""
    sources = []
    for path in sorted(path for folder in folders for path in (root / folder).rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        code = count_code(text, tree)
        sources.append(Source(path.relative_to(root).as_posix(), text.count("\n"), code, tree))
    return sources


def count_code(text: str, tree: ast.Module) -> int:
    """Lines of a file without docstrings, comments and blank lines."""
    empty = {
        tokenize.COMMENT,
        tokenize.NL,
        tokenize.NEWLINE,
        tokenize.INDENT,
        tokenize.DEDENT,
        tokenize.ENDMARKER,
    }
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in empty:
            lines |= set(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            lines -= set(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    return len(lines)


def extension_sizes(root: Path) -> dict[str, list[int]]:
    """Lines that are not blank of each file of an extension, as its test adds it."""
    sizes = {}
    for kind, (path, names) in EXTENSIONS.items():
        tree = ast.parse((root / path).read_text(encoding="utf-8"))
        texts = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            if isinstance(node.value, ast.Constant)
        }
        sizes[kind] = [sum(bool(line.strip()) for line in texts[name].splitlines()) for name in names]
    return sizes


def room(path: str) -> str:
    """Package, or module, of `amodal` that a file belongs to.

    Example:
        >>> room("src/amodal/models/vae/priors.py"), room("src/amodal/batch.py")
        ('models', 'batch.py')
    """
    return path.removeprefix("src/amodal/").partition("/")[0]


def type_comparisons(sources: list[Source]) -> list[Place]:
    """Comparisons of a column's type or representation with names of types, outside the files that may.

    Counted are `==`, `in`, `match` and look-ups in a table by `.type` or `.representation`, or by a variable that
    holds one of these, and `isinstance` of a modality's class.
    """
    places = []
    for source in sources:
        if source.path.startswith(MAY_COMPARE_TYPES):
            continue
        for scope in _scopes(source.tree):
            aliases = {
                target.id
                for node in _own_nodes(scope)
                if isinstance(node, ast.Assign) and _is_type(node.value, set())
                for target in node.targets
                if isinstance(target, ast.Name)
            }
            places += [
                Place(source.path, node.lineno, ast.unparse(node).splitlines()[0])
                for node in _own_nodes(scope)
                if isinstance(node, ast.expr | ast.stmt) and _compares_type(node, aliases)
            ]
    return places


def _compares_type(node: ast.AST, aliases: set[str]) -> bool:
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            operands = [left, *others]
            if not any(_is_type(operand, aliases) for operand in operands):
                return False
            names = {
                constant.value
                for operand in operands
                for constant in ast.walk(operand)
                if isinstance(constant, ast.Constant) and isinstance(constant.value, str)
            }
            in_table = isinstance(ops[0], ast.In | ast.NotIn) and isinstance(
                others[0], ast.Name | ast.Attribute
            )
            return bool(names & COLUMN_TYPES) or (in_table and _is_type(left, aliases))
        case ast.Subscript(slice=key, ctx=ast.Load()):
            return _is_type(key, aliases)
        case ast.Call(func=ast.Attribute(attr="get"), args=[key, *_]):
            return _is_type(key, aliases)
        case ast.Call(func=ast.Name(id="isinstance"), args=[_, kinds]):
            return any(isinstance(name, ast.Name) and name.id in MODALITY_CLASSES for name in ast.walk(kinds))
        case ast.Match(subject=subject):
            return _is_type(subject, aliases)
    return False


def _is_type(node: ast.expr, aliases: set[str]) -> bool:
    match node:
        case ast.Attribute(value=ast.Attribute(attr="device")):
            return False
        case ast.Attribute(attr="type" | "representation"):
            return True
        case ast.Name(id=name):
            return name in aliases
    return False


def _scopes(tree: ast.Module) -> Iterator[ast.AST]:
    yield tree
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def _own_nodes(scope: ast.AST) -> Iterator[ast.AST]:
    """Nodes of a module or function without those of the functions in it."""
    for child in ast.iter_child_nodes(scope):
        if not isinstance(child, ast.FunctionDef):
            yield child
            yield from _own_nodes(child)
        else:
            yield from (node for decorator in child.decorator_list for node in ast.walk(decorator))


def forbidden_names(root: Path) -> list[Place]:
    """Identifiers that the vocabulary has replaced, as tokens: no strings and no comments."""
    places = []
    for folder in PYTHON_FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            name = path.relative_to(root).as_posix()
            forbidden = {
                word
                for prefix, words in FORBIDDEN_NAMES.items()
                if name.startswith(prefix)
                for word in words.split()
            }
            with path.open(encoding="utf-8") as lines:
                places += [
                    Place(name, token.start[0], token.string)
                    for token in tokenize.generate_tokens(lines.readline)
                    if token.type == tokenize.NAME and token.string in forbidden
                ]
    return places


def question_docstrings(sources: list[Source]) -> list[Place]:
    """Docstrings that open with a question word instead of naming the thing."""
    return [
        Place(source.path, getattr(node, "lineno", 1), text.splitlines()[0])
        for source in sources
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node))
        if text.split(maxsplit=1)[0].rstrip(",:") in QUESTION_WORDS
    ]


def batch_slices(sources: list[Source]) -> list[Place]:
    """Dictionaries of every column's tensor at some rows, made by hand instead of by `Batch`."""
    places = []
    for source in sources:
        if source.path.endswith("amodal/batch.py"):
            continue
        for node in ast.walk(source.tree):
            match node:
                case ast.DictComp(
                    value=ast.Subscript(value=ast.Name(id=sliced), slice=rows),
                    generators=[
                        ast.comprehension(
                            target=ast.Tuple(elts=[ast.Name(id=column), ast.Name(id=values)]),
                            iter=ast.Call(func=ast.Attribute(value=ast.Attribute(attr="x"), attr="items")),
                        )
                    ],
                ) if sliced == values and column not in {
                    name.id for name in ast.walk(rows) if isinstance(name, ast.Name)
                }:
                    places.append(Place(source.path, node.lineno, ast.unparse(node)))
    return places


def repeated_defaults(sources: list[Source]) -> list[Place]:
    """Defaults of hyper-parameters that stand once more outside models/ and training/, as a literal."""
    owners = [source for source in sources if room(source.path) in ("models", "training")]
    names = {name for source in owners for name, _ in _defaults(source.tree)} - RUN_SETTINGS
    return [
        Place(source.path, value.lineno, f"{name} = {ast.unparse(value)}")
        for source in sources
        if room(source.path) in ("estimator.py", "methods.py", "comparison", "cli")
        for name, value in _defaults(source.tree)
        if name in names
    ]


def _defaults(tree: ast.Module) -> Iterator[tuple[str, ast.Constant]]:
    """Names of arguments and fields with a number or a string as default."""
    for node in ast.walk(tree):
        pairs: list[tuple[str, ast.expr | None]] = []
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            pairs = [(node.target.id, node.value)]
        elif isinstance(node, ast.arguments):
            positional = [*node.posonlyargs, *node.args]
            late = positional[len(positional) - len(node.defaults) :]
            pairs = [(argument.arg, value) for argument, value in zip(late, node.defaults, strict=True)]
            pairs += [
                (argument.arg, value)
                for argument, value in zip(node.kwonlyargs, node.kw_defaults, strict=True)
            ]
        for name, value in pairs:
            if isinstance(value, ast.Constant) and not isinstance(value.value, bool | None):
                yield name, value


def functions(sources: list[Source]) -> list[tuple[int, Place]]:
    """Functions with their lines of code below the docstring, the longest first."""
    sizes = []
    for source in sources:
        for node in ast.walk(source.tree):
            if isinstance(node, ast.FunctionDef):
                body = node.body[1:] if ast.get_docstring(node) else node.body
                size = (node.end_lineno or 0) - body[0].lineno + 1 if body else 0
                sizes.append((size, Place(source.path, node.lineno, node.name)))
    return sorted(sizes, key=lambda each: -each[0])


def counts(root: Path = ROOT) -> dict[str, list[Place]]:
    """The counts that must be zero, with their places."""
    sources = read_sources(root, "src")
    return {
        "type comparisons outside metrics/by_type.py and report/": type_comparisons(sources),
        "names that the vocabulary replaces": forbidden_names(root),
        "docstrings that open with a question word": question_docstrings(sources),
        "rows of a batch taken by hand": batch_slices(sources),
        "defaults of hyper-parameters written again": repeated_defaults(sources),
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--places", action="store_true", help="list every place that is counted")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the counts to FILE as well")
    options = parser.parse_args()

    sources = read_sources(ROOT, "src")
    lines = sum(source.lines for source in sources)
    rooms: Counter[str] = Counter()
    files: Counter[str] = Counter()
    for source in sources:
        rooms[room(source.path)] += source.lines
        files[room(source.path)] += 1
    code = sum(source.code for source in sources)
    added = sum(source.code for source in sources if source.path.removeprefix("src/amodal/") in ADDED)
    print(f"{lines:,} lines of Python in src")
    print(
        f"{code:,} of them code, {added:,} in files of added behaviour; {CODE_BEFORE:,} before the layout by rooms"
    )
    for name, size in rooms.most_common():
        print(f"  {size:6,}  {name}{f', {files[name]} files' if files[name] > 1 else ''}")
    print("longest files")
    for source in sorted(sources, key=lambda source: -source.lines)[:5]:
        print(f"  {source.lines:6,}  {source.path}")
    sizes = functions(sources)
    print(
        f"longest functions; the median of {len(sizes):,} has {statistics.median(size for size, _ in sizes):g} lines"
    )
    for size, place in sizes[:5]:
        print(f"  {size:6,}  {place}")

    sizes_of_extensions = extension_sizes(ROOT)
    print("lines of an extension, in each of its files")
    for kind, in_files in sizes_of_extensions.items():
        print(f"  {' + '.join(map(str, in_files)):>6}  {kind}")

    found = counts()
    print("counts that must be zero")
    for name, places in found.items():
        print(f"  {len(places):6,}  {name}")
        for place in places if options.places else ():
            print(f"          {place}")
    missed = {name: len(places) for name, places in found.items() if places}
    missed |= {kind: len(files) for kind, files in sizes_of_extensions.items() if len(files) > MAX_FILES}
    figures = {
        "lines": lines,
        "code": {"now": code, "added behaviour": added, "before": CODE_BEFORE},
        "extensions": sizes_of_extensions,
        "rooms": dict(rooms.most_common()),
        "counts": {name: len(places) for name, places in found.items()},
    }
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if missed:
        sys.exit(f"missed: {', '.join(f'{name} ({count:,})' for name, count in missed.items())}")


if __name__ == "__main__":
    main()
