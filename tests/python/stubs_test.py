"""bitgrid.pyi names all that the module has, with the same parameters, and nothing else."""

import ast
import os
import re
import unittest

import bitgrid

# Of the classes of C++, and what Python adds by itself.
LEFT_OUT = {"__doc__", "__module__", "__new__", "__hash__", "__init__"}


def of_module():
    """{"Grid.run": ["self", "stimulus", ..] or None for what is no function}"""
    found = {}
    for name, value in vars(bitgrid).items():
        if name.startswith("__") and name != "__version__":
            continue
        found[name] = parameters(name, value) if callable(value) and not isinstance(value, type) else None
        if isinstance(value, type) and not issubclass(value, Exception):
            for member, what in vars(value).items():
                if member not in LEFT_OUT:
                    what = getattr(what, "__func__", what)
                    found[f"{name}.{member}"] = parameters(member, what) if callable(what) else None
            if "Initialize self" not in (value.__init__.__doc__ or ""):
                found[f"{name}.__init__"] = parameters("__init__", value.__init__)
    return found


def parameters(name, function):
    """From the signature in the docstring's first line; of overloaded functions and operators None."""
    signature = re.match(re.escape(name) + r"\((.*)\) -> ", (function.__doc__ or "").split("\n")[0])
    if not signature or name.startswith("__") and name != "__init__":
        return None
    depth, parts = 0, [""]
    for c in signature[1]:
        depth += (c in "[({") - (c in "])}")
        if c == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += c
    names = [re.split("[:=]", p)[0].strip() for p in parts if p.strip()]
    return [n for n in names if n != "*"]


def of_stubs():
    path = os.path.join(os.path.dirname(os.path.abspath(bitgrid.__file__)), "bitgrid.pyi")
    with open(path) as file:
        tree = ast.parse(file.read())
    found = {}

    def add(prefix, body):
        for node in body:
            if isinstance(node, ast.FunctionDef):
                decorators = {ast.unparse(d) for d in node.decorator_list}
                a = node.args
                names = [x.arg for x in a.posonlyargs + a.args]
                names += ["*" + a.vararg.arg] if a.vararg else []
                names += [x.arg for x in a.kwonlyargs] + (["**" + a.kwarg.arg] if a.kwarg else [])
                special = "property" in decorators or node.name.startswith("__") and node.name != "__init__"
                if node.name != "__hash__" and not any(d.endswith(".setter") for d in decorators):
                    found[prefix + node.name] = None if special else names
            elif isinstance(node, ast.ClassDef):
                found[node.name] = None
                add(node.name + ".", node.body)
            elif isinstance(node, ast.AnnAssign):
                found[prefix + node.target.id] = None

    add("", tree.body)
    return found


class Stubs(unittest.TestCase):
    def test_they_name_all_that_the_module_has(self):
        self.assertEqual(sorted(set(of_module()) - set(of_stubs())), [])

    def test_the_module_has_all_that_they_name(self):
        self.assertEqual(sorted(set(of_stubs()) - set(of_module())), [])

    def test_parameters_are_the_same(self):
        stubs = of_stubs()
        wrong = {name: (stubs.get(name), got) for name, got in of_module().items() if got is not None and stubs.get(name) != got}
        self.assertEqual(wrong, {})

    def test_everything_has_a_docstring_or_an_obvious_name(self):
        obvious = {"name", "got", "expected", "__version__", "Error"}
        bare = [n for n in of_module() if not doc_of(n) and n.split(".")[-1] not in obvious and "__" not in n and "_repr" not in n]
        self.assertEqual(bare, [])


def doc_of(name):
    value = bitgrid
    for part in name.split("."):
        value = getattr(value, part)
    doc = value.__doc__ or ""
    return doc.split("\n", 1)[1].strip() if " -> " in doc.split("\n")[0] and "\n" in doc else doc if " -> " not in doc else ""


if __name__ == "__main__":
    unittest.main()
