"""Finds what ties the sessions of a noxfile to each other besides what it declares.

Under nox all sessions are one process, in one order: one can leave a global variable or a file to
those behind it. The probe loads this file and calls ties_of() once the noxfile is loaded. What a
session does is read from the source of its function, of the project's own decorators around it, and
of the project's functions that these call. Only what is certain counts, since a false alarm is
worse than none: a name must be a global that one session's code assigns (or a list, dict or set
that it changes) and another's reads without assigning it; a command must be spelled out.
"""

from __future__ import annotations

import ast
import builtins
import collections
import os
import pathlib
import re
import sys
import types

CONTAINERS = (list, dict, set, bytearray, collections.deque)
MUTATORS = set("append appendleft extend insert add update setdefault pop popitem remove".split())
MUTATORS |= {"discard", "clear", "sort", "reverse"}
# A command is given to functions with such names; `install` names packages, and `log` prose.
RUNS = re.compile("run|call|check_output|popen|execute|shell|invoke", re.IGNORECASE)
SILENT = re.compile("install|log|warn|error|debug|notify|skip|print|fail$", re.IGNORECASE)
# What is left behind -> the commands that read it, and those that make it.
PRODUCTS = {
    "coverage data": (
        r"(?:^|[ /])(?:python3?-)?coverage3? (?:combine|report|html|xml|json|lcov|annotate)\b"
        r"|^(?:codecov|codecovcli|coveralls|codacy|diff-cover|coverage-badge|genbadge)\b",
        r"coverage3? run|--cov\b|\bpytest\b|\bpy\.test\b|\bunittest\b|\btrial\b|\bnose2?\b"
        r"|\bstestr\b|\bgreen\b|\bward\b|manage\.py test|setup\.py test|\btox\b"
        r"|(?:^|[ /])\.coverage",
    ),
    "distributions in dist/": (
        r"\btwine (?:upload|check)\b|^(?:check-wheel-contents|abi3audit|pyroma) dist",
        r"-m build|pyproject-build|(?:hatch|flit|poetry|pdm|uv|maturin) build|\bpip wheel\b"
        r"|setup\.py.* (?:sdist|bdist)|-m (?:flit|poetry|hatch|pdm) build|(?:flit|hatch) publish",
    ),
}
ENVIRONMENT = "os.environ"  # in place of a module; handover.py knows it, too
# So many sessions do not hand on one variable.
MANY = 200
# Who says so makes coverage data; a mere pytest may do it by its configuration.
MAKES_COVERAGE = re.compile(r"coverage3? run|--cov\b|(?:^|[ /])\.coverage")
COVERAGE_COMMANDS = {"combine", "report", "html", "xml", "json"}
OTHERS_FOLDERS = re.compile(r"(^|/)\.nox(/|$)|(^|/)\*+/tmp(/|$)")
WRITES = {"write_text", "write_bytes", "touch"}
READS = {"read_text", "read_bytes", "exists", "is_file", "stat"}
OUTPUT_OPTION = re.compile(r"--(?:junit-?xml|output|output-file|outfile|out)=(.+)")


class Sources:
    """The syntax trees of the project's files, each parsed once."""

    def __init__(self, roots: list[str]) -> None:
        self.roots = roots
        self.files: dict[str, dict[tuple[str, int], ast.AST]] = {}

    def is_ours(self, path: str) -> bool:
        inside = any(path.startswith(root + os.sep) for root in self.roots)
        return inside and "site-packages" not in path

    def function(self, code) -> ast.AST | None:
        """The definition that this code was made from."""
        path = code.co_filename
        if not self.is_ours(path):
            return None
        if path not in self.files:
            found = self.files[path] = {}
            try:
                with open(path, "rb") as file:
                    tree = ast.parse(file.read())
            except (OSError, SyntaxError, ValueError):
                return None
            for node in ast.walk(tree):
                if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                    for line in [node, *node.decorator_list]:  # which it is differs by version
                        found[node.name, line.lineno] = node
        return self.files[path].get((code.co_name, code.co_firstlineno))


def dotted(node) -> str:
    """The path of attributes that this expression is; empty if it is another one."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and dotted(node.value):
        return f"{dotted(node.value)}.{node.attr}"
    return ""


def bound_names(scope: ast.AST) -> set[str]:
    """The local names of a function, lambda or comprehension."""
    names, declared = set(), set()
    pending = [scope]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            names.add(node.id)
        elif isinstance(node, ast.alias):
            names.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            declared.update(node.names)
        elif node is not scope and hasattr(node, "name") and hasattr(node, "body"):
            names.add(node.name)  # a function or class in this one
        is_other = node is not scope and isinstance(
            node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)
        )
        pending += [] if is_other else ast.iter_child_nodes(node)
    return names - declared


class Effects:
    """What a session does, as far as others may notice."""

    def __init__(self) -> None:
        self.read: dict[tuple, tuple[str, str]] = {}  # key of a variable -> its module and name
        self.written: dict[tuple, tuple[str, str]] = {}
        self.own: set[tuple] = set()  # assigned before they were read
        self.words: list[str] = []  # the constants in the code
        self.commands: list[str] = []
        self.globs: list[str] = []
        self.files_read: set[str] = set()
        self.files_written: set[str] = set()
        self.called: set[str] = set()  # names of functions and methods

    def matches(self, pattern: str, texts: list[str]) -> str | None:
        return next((text for text in texts if re.search(pattern, text)), None)

    def makes(self, product: str) -> bool:
        return self.matches(PRODUCTS[product][1], [*self.commands, *self.words]) is not None

    def surely_makes(self, product: str) -> bool:
        texts = [*self.commands, *self.words]
        return product != "coverage data" or self.matches(MAKES_COVERAGE.pattern, texts) is not None

    def reads(self, product: str) -> str | None:
        """The command that reads it, if the session does not make it itself."""
        commands = list(self.commands)
        if product == "coverage data" and "coverage" in commands:  # its argument is a variable
            commands += [f"coverage {word}" for word in self.words if word in COVERAGE_COMMANDS]
        if self.matches(PRODUCTS[product][1], [*self.commands, *self.words_but_files()]):
            return None
        return self.matches(PRODUCTS[product][0], commands)

    def words_but_files(self) -> list[str]:
        return [word for word in self.words if ".coverage" not in word]

    def erases(self) -> bool:
        """Does it do nothing with coverage data but to erase what there is?"""
        others = [command for command in self.commands if "coverage erase" not in command]
        of_data = "|".join(PRODUCTS["coverage data"])
        return len(others) < len(self.commands) and not self.matches(of_data, others)

    def removes(self) -> bool:
        commands = any(command.startswith("rm ") for command in self.commands)
        return commands or bool(self.called & {"unlink", "rmtree", "remove", "rmdir"})


class Reader(ast.NodeVisitor):
    """Reads one function, and those of the project that it calls."""

    def __init__(self, sources: Sources, effects: Effects) -> None:
        self.sources, self.effects = sources, effects
        self.seen: set[ast.AST] = set()
        self.scopes: list[set[str]] = []
        self.globals: dict[str, object] = {}

    def read(self, func) -> None:
        node = self.sources.function(func.__code__)
        if node is None or node in self.seen or len(self.seen) > 200:
            return
        self.seen.add(node)
        outer = self.scopes, self.globals
        self.scopes, self.globals = [set(func.__code__.co_freevars)], func.__globals__
        self.visit_function(node)
        self.scopes, self.globals = outer

    # Scopes

    def visit_function(self, node) -> None:
        self.scopes.append(bound_names(node))
        body = node.body if isinstance(node.body, list) else [node.body]
        if ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None:
            body = body[1:]
        for statement in body:
            self.visit(statement)
        self.scopes.pop()

    def visit_FunctionDef(self, node) -> None:
        for part in [*node.decorator_list, node.args]:
            self.visit(part)
        self.visit_function(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node) -> None:
        self.visit(node.args)
        self.visit_function(node)

    def visit_comprehension_scope(self, node) -> None:
        self.scopes.append(bound_names(node))
        self.generic_visit(node)
        self.scopes.pop()

    visit_ListComp = visit_SetComp = visit_DictComp = visit_comprehension_scope
    visit_GeneratorExp = visit_comprehension_scope

    # Variables

    def is_global(self, name: str) -> bool:
        return not any(name in scope for scope in self.scopes)

    def resolve(self, node) -> object:
        """The object that a name, or a path of attributes from one, stands for now; or None."""
        if isinstance(node, ast.Name):
            return self.globals.get(node.id) if self.is_global(node.id) else None
        if isinstance(node, ast.Attribute):
            try:
                return vars(self.resolve(node.value)).get(node.attr)
            except TypeError:
                return None
        return None

    def is_own(self, thing: object) -> bool:
        """Is it a module, class, function or object of the project, whose attributes can be set?"""
        if isinstance(thing, types.ModuleType):
            return self.sources.is_ours(getattr(thing, "__file__", None) or "")
        if isinstance(thing, types.SimpleNamespace):
            return True
        kind = thing if isinstance(thing, (type, types.FunctionType)) else type(thing)
        module = sys.modules.get(getattr(kind, "__module__", None) or "")
        path = getattr(module, "__file__", None) or ""
        return self.sources.is_ours(path) and hasattr(thing, "__dict__")

    def environment_name(self, node) -> str | None:
        """X in os.environ["X"], os.environ.get("X", ...) and os.getenv("X")."""
        if isinstance(node, ast.Subscript) and self.resolve(node.value) is os.environ:
            name = getattr(node.slice, "value", None)
            name = getattr(name, "value", name)  # Python 3.8 has one node more
        elif isinstance(node, ast.Call) and node.args:
            method = getattr(node.func, "attr", "") in ("get", "setdefault", "pop")
            if not (method and self.resolve(node.func.value) is os.environ):
                if self.resolve(node.func) is not os.getenv:
                    return None
            name = getattr(node.args[0], "value", None)
        else:
            return None
        return name if isinstance(name, str) else None

    def variable(self, node) -> tuple[tuple, tuple[str, str]] | None:
        """Its key, and the module and name of it, if this expression is a shared variable."""
        module = str(self.globals.get("__name__"))
        name = self.environment_name(node)
        if name:
            return ("environment", name), (ENVIRONMENT, name)
        if isinstance(node, ast.Name) and self.is_global(node.id):
            if node.id not in self.globals and node.id in dir(builtins):
                return None
            key, name = ("name", id(self.globals), node.id), node.id
        elif isinstance(node, ast.Attribute) and self.is_own(owner := self.resolve(node.value)):
            key, name = ("attribute", id(owner), node.attr), dotted(node)
            if isinstance(owner, types.ModuleType):
                key = ("name", id(vars(owner)), node.attr)
        else:
            return None
        value = self.resolve(node)
        if isinstance(value, CONTAINERS):
            key = ("object", id(value))  # other modules may have it by other names
        return key, (module, name)

    def note_read(self, node) -> bool:
        found = self.variable(node)
        if found and found[0] not in self.effects.own:
            self.effects.read.setdefault(*found)
        return found is not None

    def note_write(self, node, assigns: bool = True) -> bool:
        found = self.variable(node)
        if found:
            self.effects.written.setdefault(*found)
        if found and assigns and found[0] not in self.effects.read:
            self.effects.own.add(found[0])
        return found is not None

    def visit_Name(self, node) -> None:
        note = self.note_read if isinstance(node.ctx, ast.Load) else self.note_write
        note(node)

    def visit_Attribute(self, node) -> None:
        note = self.note_read if isinstance(node.ctx, ast.Load) else self.note_write
        if not note(node):
            self.generic_visit(node)

    def visit_Assign(self, node) -> None:
        for part in [node.value, *node.targets]:
            self.visit(part)

    def visit_Subscript(self, node) -> None:
        if self.environment_name(node):
            note = self.note_read if isinstance(node.ctx, ast.Load) else self.note_write
            note(node)
            return
        base = node
        while isinstance(base, ast.Subscript):
            base = base.value
        if isinstance(node.ctx, ast.Load) or not self.changes(base):
            self.visit(node.value)
        self.visit(node.slice)

    def changes(self, node) -> bool:
        is_container = isinstance(self.resolve(node), CONTAINERS)
        return is_container and self.note_write(node, assigns=False)

    def visit_AugAssign(self, node) -> None:
        self.note_read(node.target)
        self.visit(node.value)
        self.visit(node.target)

    # Commands and files

    def path(self, node) -> str | None:
        """The path that an expression of constants, `/` and Path() stands for, made absolute."""
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            return node.value
        if isinstance(node, (ast.Name, ast.Attribute)):
            value = self.resolve(node)
            return str(value) if isinstance(value, (str, pathlib.PurePath)) else None
        parts = []
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
            parts = [node.left, node.right]
        elif isinstance(node, ast.Call) and node.args:
            called = dotted(node.func)
            if re.search(r"(^|\.)(Path|PurePath|str|fspath|join|open)$", called):
                parts = node.args if called.endswith(("Path", "join")) else node.args[:1]
        found = [self.path(part) for part in parts]
        return os.path.join(*found) if found and None not in found else None

    def note_file(self, node) -> None:
        """A call that reads or writes a file whose path is known."""
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        place = path = None
        if name in WRITES | READS and isinstance(node.func, ast.Attribute):
            place, path = name in WRITES, self.path(node.func.value)
        elif name == "open":
            mode = [*node.args[1:2], *(word.value for word in node.keywords if word.arg == "mode")]
            of_method = isinstance(node.func, ast.Attribute) and not mode
            mode = node.args[:1] if of_method else mode
            text = mode[0].value if mode and isinstance(mode[0], ast.Constant) else "r"
            place = any(letter in str(text) for letter in "wax")
            path = self.path(node.func.value if of_method else node.args[0]) if node.args else None
        if path:
            files = self.effects.files_written if place else self.effects.files_read
            files.add(os.path.abspath(path))

    def note_command(self, node) -> None:
        words = []
        for argument in node.args:
            for part in ast.walk(argument):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    words += part.value.split()
            path = self.path(argument)
            if path:
                self.effects.files_read.add(os.path.abspath(path))
        for word in words:
            option = OUTPUT_OPTION.fullmatch(word)
            if option:
                self.effects.files_written.add(os.path.abspath(option[1]))
        if words:
            self.effects.commands.append(" ".join(words))

    def visit_Call(self, node) -> None:
        name = getattr(node.func, "attr", getattr(node.func, "id", ""))
        self.effects.called.add(name)
        if self.environment_name(node):
            self.note_read(node)
            if name == "setdefault":
                self.note_write(node)
        constants = [
            part.value
            for part in ast.walk(node)
            if isinstance(part, ast.Constant) and isinstance(part.value, str)
        ]
        if name in ("glob", "iglob", "rglob", "iterdir", "listdir", "scandir"):
            self.effects.globs += constants
        if RUNS.search(name) and not SILENT.search(name):
            self.note_command(node)
        self.note_file(node)
        called = self.resolve(node.func)
        if isinstance(called, types.FunctionType):
            self.read(called)
        is_change = isinstance(node.func, ast.Attribute) and name in MUTATORS
        if is_change and self.changes(node.func.value):
            if name in ("pop", "popitem", "setdefault"):
                self.note_read(node.func.value)
        else:
            self.visit(node.func)
        words = len(self.effects.words)
        for argument in [*node.args, *node.keywords]:
            self.visit(argument)
        if SILENT.search(name):
            del self.effects.words[words:]

    def visit_Constant(self, node) -> None:
        if isinstance(node.value, str):
            self.effects.words.append(node.value)


def functions_of(func) -> list:
    """The wrappers of nox and of the project around a session's function, and that itself."""
    layers = [func]
    while hasattr(layers[-1], "__wrapped__") and len(layers) < 100:
        layers.append(layers[-1].__wrapped__)
    found = [getattr(layer, "func", layer) for layer in layers]
    return [layer for layer in found if isinstance(layer, types.FunctionType)]


def effects_of(func, sources: Sources) -> Effects:
    effects = Effects()
    reader = Reader(sources, effects)
    for layer in functions_of(func):
        reader.read(layer)
    return effects


def global_ties(kinds: list, effects: list[Effects], ties: list, leaves: list) -> None:
    """Variables that one function assigns and another only reads."""
    variables = {key: name for one in effects for key, name in one.written.items()}
    for key, name in variables.items():
        writers = [i for i, one in enumerate(effects) if key in one.written]
        readers = [i for i, one in enumerate(effects) if key in one.read]
        only_read = {kinds[i] for i in readers if i not in writers}
        if not only_read:
            continue
        for i in writers:
            leaves[i].append(list(effects[i].written[key]))
        for i in readers:
            others = [k for k in writers if k != i]
            if others and len(others) < MANY:
                ties[i].append({"global": True, "what": name[1], "from": others})


def leftover(what: str, makers: list[int]) -> dict:
    return {"global": False, "what": re.sub("[^ -~]", "?", what)[:80], "from": makers}


def leftover_ties(kinds: list, effects: list[Effects], ties: list) -> None:
    """Files and data that one function leaves and another reads."""
    for i, one in enumerate(effects):
        others = [k for k in range(len(effects)) if kinds[k] != kinds[i]]
        for product in PRODUCTS:
            command = one.reads(product)
            if not command:
                continue
            makers = [k for k in others if effects[k].makes(product)]
            makers = [k for k in makers if not effects[k].reads(product)]
            makers = [k for k in makers if effects[k].surely_makes(product)] or makers
            if makers:
                makers += [k for k in others if effects[k].reads(product)]
                ties[i].append(leftover(f"{product}: {command}", sorted(makers)))
        erasers = [k for k in others if effects[k].erases() and not one.erases()]
        if erasers and one.makes("coverage data"):
            ties[i].append(leftover("coverage data: coverage erase", erasers))
        glob = one.matches(OTHERS_FOLDERS.pattern, one.globs)
        makers = [k for k in others if "create_tmp" in effects[k].called]
        if glob and makers and not one.removes() and not ties[i]:
            ties[i].append(leftover(f"files: {glob}", makers))
        for path in sorted(one.files_read - one.files_written):
            makers = [k for k in others if path in effects[k].files_written]
            if makers:
                ties[i].append(leftover(f"file: {os.path.relpath(path)}", makers))


def ties_of(funcs: list, roots: list[str]) -> tuple[list, list]:
    """For each session's function, what it takes from which others, and what it leaves to them.

    A tie is {"global": bool, "what": for people, "from": positions in the list}; what is left is
    [module, name] of global variables.
    """
    sources = Sources(roots)
    kinds = [functions_of(func)[-1].__code__ if functions_of(func) else None for func in funcs]
    known: dict = {}
    for kind, func in zip(kinds, funcs):
        if kind not in known:
            known[kind] = effects_of(func, sources)
    effects = [known[kind] for kind in kinds]
    ties: list = [[] for _ in funcs]
    leaves: list = [[] for _ in funcs]
    global_ties(kinds, effects, ties, leaves)
    leftover_ties(kinds, effects, ties)
    return ties, leaves
