"""Every sentence that a refusal can say, read from the code: the texts that go into `found`, `required` and `detail`,
and what alarms tell.

A sentence is a template: `{}` stands for each value. What is computed as a whole (a state, a number) is no sentence.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent.parent
ROOMS: Final = ("domain", "workflows", "adapters", "db", "api")
WORDS: Final = frozenset({"found", "required"})
"""The parameters that hold a sentence, wherever a function has one of that name."""
EARLIER: Final = "earlier"
"""What a person did before, of `same_person`: the person stands before it."""
DEPTH: Final = 4
"""So many names are followed to where they were given their text."""

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True)
class Sentence:
    """One template and where it stands."""

    text: str
    place: str


@dataclass
class _File:
    path: Path
    tree: ast.Module
    inside: dict[ast.AST, Function]
    """Node → the innermost function around it."""


def sentences() -> list[Sentence]:
    """All of them."""
    files = [_file(path) for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))]
    takes = _takers(files)
    found: dict[str, Sentence] = {}
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, ast.Call):
                for argument, before in _arguments(node, takes):
                    for text in (before + own for own in _texts(file, node, argument, DEPTH)):
                        place = f"{file.path.relative_to(ROOT)}:{node.lineno}"
                        found.setdefault(text, Sentence(text, place))
    return [one for one in found.values() if _is_sentence(one.text)]


def _is_sentence(text: str) -> bool:
    fixed = text.replace("{}", "")
    is_code = fixed.isupper() and "_" in fixed and " " not in fixed  # helpers of one name differ in their order
    return any(char.isalpha() for char in fixed) and not is_code


def _file(path: Path) -> _File:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inside: dict[ast.AST, Function] = {}
    for node in ast.walk(tree):  # from the outside to the inside: the innermost is written last
        if isinstance(node, Function):
            inside |= dict.fromkeys(ast.walk(node), node)
    return _File(path, tree, inside)


def _takers(files: list[_File]) -> dict[str, set[int]]:
    """Name of a function → the positions of its arguments that are sentences."""
    found: dict[str, set[int]] = defaultdict(set)
    for file in files:
        for node in ast.walk(file.tree):
            if isinstance(node, Function):
                names = [one.arg for one in node.args.args if one.arg != "self"]
                places = {place for place, name in enumerate(names) if name in WORDS}
                if set(names) >= WORDS:
                    found[node.name] |= places
    found["Problem"] = {2}
    found["AdapterRefused"] = {1}
    found["Fault"] = {3, 4}
    found["same_person"] = {4, 5}
    found["raise_alarm"] = found["raise_alarm_once"] = {2}
    return found


def _arguments(call: ast.Call, takes: dict[str, set[int]]) -> Iterator[tuple[ast.expr, str]]:
    """The arguments that are sentences, each with what stands before it."""
    name = call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "")
    named = WORDS | _MORE.get(name, frozenset())
    for place, argument in enumerate(call.args):
        if place in takes.get(name, ()):
            yield argument, "{} " if (name, place) == ("same_person", 5) else ""
    for keyword in call.keywords:
        if keyword.arg in named:
            yield keyword.value, "{} " if keyword.arg == EARLIER else ""


_MORE: Final = {
    "Problem": frozenset({"detail"}), "AdapterRefused": frozenset({"detail"}),
    "same_person": frozenset({"act", EARLIER}),
}  # fmt: skip


def _texts(file: _File, near: ast.AST, node: ast.expr, depth: int) -> list[str]:
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr():
            return ["".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)]  # type: ignore[misc]
        case ast.IfExp():
            return _texts(file, near, node.body, depth) + _texts(file, near, node.orelse, depth)
        case ast.BoolOp():
            return [text for value in node.values for text in _texts(file, near, value, depth)]
        case ast.BinOp(op=ast.Add()):
            before, after = (_texts(file, near, side, depth) or ["{}"] for side in (node.left, node.right))
            return [one + other for one in before for other in after]
        case ast.Name() if depth:
            return [text for value in _given(file, near, node.id) for text in _texts(file, near, value, depth - 1)]
        case _:
            return []


def _given(file: _File, near: ast.AST, name: str) -> Iterator[ast.expr]:
    """What a name was given, in the function around or in the module."""
    around = file.inside.get(near)
    for scope in (around, file.tree):
        if scope is None:
            continue
        body = ast.walk(scope) if scope is around else iter(file.tree.body)
        values = [value for node in body for value in _value(node, name)]
        if values:
            yield from values
            return


def _value(node: ast.AST, name: str) -> Iterator[ast.expr]:
    match node:
        case ast.Assign(targets=[ast.Name(id=own)], value=value) if own == name:
            yield value
        case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)):
            yield from (one for own, one in zip(names, values, strict=False) if getattr(own, "id", "") == name)
        case ast.AnnAssign(target=ast.Name(id=own), value=ast.expr() as value) if own == name:
            yield value
        case ast.NamedExpr(target=ast.Name(id=own), value=value) if own == name:
            yield value
