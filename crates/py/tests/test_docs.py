"""The examples of docstrings run, every public name is documented, and stubs say what is there."""

import ast
import doctest
import importlib
import inspect
import pkgutil
from pathlib import Path

import crible
import pytest

MODULES = ["crible", *(f"crible.{one.name}" for one in pkgutil.walk_packages(crible.__path__))]
MODULES = [name for name in MODULES if not name.endswith("_crible")]
MODULES += [f"crible.detectors.{name}" for name in ("_base", "_columns", "_models", "_neighbours")]


@pytest.mark.parametrize("name", sorted(set(MODULES)))
def test_examples_run(name):
    module = importlib.import_module(name)
    failed, tried = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.IGNORE_EXCEPTION_DETAIL)
    assert failed == 0
    if name in ("crible", "crible._run", "crible._engine", "crible.detectors._models"):
        assert tried > 0


@pytest.mark.parametrize("name", ["Key", "Observation", "Payment"])
def test_examples_of_compiled_classes_run(name):
    (test,) = doctest.DocTestFinder(recurse=False).find(getattr(crible, name), name, globs={})
    results = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test)
    assert results.attempted > 0 and results.failed == 0


@pytest.mark.parametrize("name", [name for name in crible.detectors.__all__ if name != "Detector"])
def test_a_detector_s_parameters_are_documented_and_it_has_an_example(name):
    kind = getattr(crible.detectors, name)
    text = inspect.getdoc(kind)
    described = text.split("Parameters\n----------\n")[1].split("\n\nExamples\n")[0].splitlines()
    named = {one.strip() for line in described if not line.startswith(" ") for one in line.split(",")}
    assert named == set(kind._parameter_names())
    # The example finds the row that it has made odd.
    assert f">>> detector = {name}(" in text and text.endswith("((41,), 40)")
    assert "`Detector`" in text


def test_public_names_are_documented():
    undocumented = []
    for name in crible.__all__:
        one = getattr(crible, name)
        if name == "__version__":
            continue
        if not inspect.getdoc(one):
            undocumented.append(name)
        if inspect.isclass(one) and one.__module__.startswith("crible"):
            members = {key: member for key, member in vars(one).items() if not key.startswith("_") and callable(member)}
            undocumented += [f"{name}.{key}" for key, member in members.items() if not inspect.getdoc(member)]
    assert undocumented == []


def test_stubs_are_of_what_is_there():
    stub = ast.parse((Path(crible.__file__).parent / "_crible.pyi").read_text())
    stubbed = {}
    for node in stub.body:
        if isinstance(node, ast.ClassDef):
            stubbed[node.name] = {one.name for one in node.body if isinstance(one, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef):
            stubbed[node.name] = None
    real = {name for name in vars(crible._crible) if not name.startswith("__")}
    assert set(stubbed) == real
    for name, members in stubbed.items():
        if members is not None and not issubclass(getattr(crible._crible, name), Exception):
            there = {key for key in vars(getattr(crible._crible, name)) if not key.startswith("__")}
            assert {key for key in members if not key.startswith("__")} == there, name
    assert (Path(crible.__file__).parent / "py.typed").exists()
