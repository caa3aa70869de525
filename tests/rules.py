"""Rules of this house that no published linter has: TLS, calls and XML that are left to defaults.

`python -m tests.rules FOLDER` names who breaks them.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

VERBS = {"get", "post", "put", "patch", "delete", "head", "options", "request"}
LXML_READERS = {"fromstring", "fromstringlist", "XML", "XMLID", "parse", "iterparse"}
OTHER_XML = ("xml.etree", "xml.dom", "xml.sax", "xml.parsers", "xmlrpc", "lxml.objectify")
# What a parser of documents that nobody has to trust must say.
STRICT = {"resolve_entities": False, "no_network": True}


def broken(source: str) -> list[str]:
    """What a module does against the rules, each with its line."""
    tree = ast.parse(source)
    names = dict(_imported(tree))
    found = [(node.lineno, name) for node in ast.walk(tree) for name in _other_xml(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            found += [(node.lineno, problem) for problem in _call(node, names)]
    if "requests.Session" in {_name(node, names) for node in _calls(tree)}:
        found += _trusting(tree)
    return [f"{line}: {problem}" for line, problem in sorted(found)]


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The full names of what is imported, by the name it goes by in this module."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for name in node.names:
                first = name.name.split(".")[0]
                yield (name.asname, name.name) if name.asname else (first, first)
        if isinstance(node, ast.ImportFrom):
            yield from ((n.asname or n.name, f"{node.module}.{n.name}") for n in node.names)


def _imports_requests(names: dict[str, str]) -> bool:
    """Whether `requests` is the library here, and no module or list of that name."""
    return any(name.split(".")[0] == "requests" for name in names.values())


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(call: ast.Call, names: dict[str, str]) -> str:
    """The full name of what is called, as lxml.etree.XML; self.x.get stays as it is."""
    parts, node = [], call.func
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    first = names.get(node.id, node.id) if isinstance(node, ast.Name) else "?"
    return ".".join([first, *reversed(parts)])


def _call(call: ast.Call, names: dict[str, str]) -> Iterator[str]:
    name = _name(call, names)
    module, _, last = name.rpartition(".")
    given = {word.arg: word.value for word in call.keywords}
    if last in ("starttls", "SMTP_SSL") and "context" not in given:
        yield f"{last} without context does not check who the mail server is"
    if "cert_reqs" in given and not _is(given["cert_reqs"], "CERT_REQUIRED"):
        yield f"{last} without cert_reqs='CERT_REQUIRED' does not check who answers"
    if "assert_hostname" in given:
        yield f"{last} with assert_hostname does not check the name of who answers"
    if _is(given.get("verify"), False):
        yield f"{last} with verify=False does not check who answers"
    http = "requests" in names and _is_session(module)
    if last in VERBS and http and "timeout" not in given:
        yield f"{name} without timeout may wait for ever"
    if last == "urlopen" or (last in VERBS and "urllib3" in names and _is_pool(module)):
        if "timeout" not in given:
            yield f"{name} without timeout may wait for ever"
        if not (_is(given.get("redirect"), False) or _is(given.get("retries"), False)):
            yield f"{name} without redirect=False goes where it is sent"
    if module == "requests" and _imports_requests(names) and last in VERBS:
        yield f"{name} takes proxies and passwords from the environment; use a session"
    has_parser = len(call.args) > 1 or "parser" in given
    if module == "lxml.etree" and last in LXML_READERS and not has_parser:
        yield f"{name} with the default parser"
    if name == "lxml.etree.XMLParser":
        for option, value in STRICT.items():
            if not _is(given.get(option), value):
                yield f"{name} without {option}={value}"


def _is_session(receiver: str) -> bool:
    return receiver.rpartition(".")[2].strip("_") in ("session", "http", "requests")


def _is_pool(receiver: str) -> bool:
    return receiver.rpartition(".")[2].strip("_") in ("pool", "pools", "urllib3")


def _is(node: ast.expr | None, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value == value


def _other_xml(node: ast.AST) -> Iterator[str]:
    modules = []
    if isinstance(node, ast.Import):
        modules = [name.name for name in node.names]
    if isinstance(node, ast.ImportFrom):
        modules = [f"{node.module}.{name.name}" for name in node.names]
    for module in modules:
        if module == "xml" or module.startswith(OTHER_XML):
            yield f"{module} reads XML by other rules than ours"


def _trusting(tree: ast.Module) -> list[tuple[int, str]]:
    """Sessions of a module that lets the environment have its say."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _is(node.value, False):
            named = {target.attr for target in node.targets if isinstance(target, ast.Attribute)}
            if "trust_env" in named:
                return []
    return [(1, "requests.Session without trust_env = False takes proxies from the environment")]


def main(folder: Path) -> int:
    """Print what is broken in the modules of a folder; returns how much."""
    found = [
        f"{file}:{problem}"
        for file in sorted(folder.rglob("*.py"))
        for problem in broken(file.read_text("utf-8"))
    ]
    sys.stdout.writelines(f"{line}\n" for line in found)
    return len(found)


if __name__ == "__main__":
    sys.exit(min(main(Path(sys.argv[1])), 1))
