"""What `kubectl kustomize` makes of a folder, without kubectl: as much of it as deploy/kubernetes/ uses, and no more.

Where this meets something it does not know it fails. Names get no hashes here. tests/deploy/test_kubernetes.py compares
it with the real one where that is installed.
"""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

Manifest = dict[str, Any]
"""One Kubernetes object, or a part of one."""

KNOWN = {"apiVersion", "kind", "resources", "patches", "configMapGenerator", "labels"}
LABELS = ("metadata", "labels")
TEMPLATE_LABELS = ("spec", "template", "metadata", "labels")


def read(folder: Path) -> Manifest:
    """Give a folder's kustomization.yaml."""
    found: Manifest = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert found["kind"] == "Kustomization"
    assert found.keys() <= KNOWN, f"{folder}: {found.keys() - KNOWN} is not known here"
    return found


def build(folder: Path) -> list[Manifest]:
    """Give every object of a kustomization folder."""
    settings = read(folder)
    objects: list[Manifest] = []
    for resource in settings.get("resources", []):
        path = (folder / resource).resolve()
        objects += build(path) if path.is_dir() else documents(path)
    for generator in settings.get("configMapGenerator", []):
        _generate(objects, generator, folder)
    for patch in settings.get("patches", []):
        assert patch.keys() == {"path"}
        for document in documents(folder / patch["path"]):
            [index] = [index for index, found in enumerate(objects) if identity(found) == identity(document)]
            objects[index] = merge(objects[index], document)
    for label in settings.get("labels", []):
        assert label.keys() == {"pairs", "includeTemplates"}
        for found in objects:
            _put(found, LABELS, label["pairs"])
            if "template" in found.get("spec", {}):
                _put(found, TEMPLATE_LABELS, label["pairs"])
    return objects


def documents(path: Path) -> list[Manifest]:
    """Give the documents of one YAML file."""
    return [document for document in yaml.safe_load_all(path.read_text()) if document]


def identity(found: Manifest) -> tuple[str, str, str]:
    """Give what tells one object from another."""
    return found["apiVersion"], found["kind"], found["metadata"]["name"]


def _generate(objects: list[Manifest], generator: Manifest, folder: Path) -> None:
    assert generator.keys() <= {"name", "files", "behavior"}
    data = {}
    for file in generator["files"]:
        key, _, path = file.rpartition("=")
        data[key or Path(path).name] = (folder / path).read_text()
    made: Manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": generator["name"]}, "data": data}
    same = [found for found in objects if identity(found) == identity(made)]
    assert bool(same) == (generator.get("behavior") == "replace")
    if same:
        same[0]["data"] = data
    else:
        objects.append(made)


def merge(base: Manifest, patch: Manifest) -> Manifest:
    """Merge strategically: mappings by key, lists of named things by name, new ones first; null takes away."""
    merged = deepcopy(base)
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = merge(merged[key], value)
        elif isinstance(merged.get(key), list) and all(isinstance(item, dict) and "name" in item for item in value):
            named = {item["name"]: item for item in value}
            known = [merge(item, named.pop(item["name"], {})) for item in merged[key]]
            merged[key] = list(named.values()) + known
        else:
            merged[key] = deepcopy(value)
    return merged


def _put(found: Manifest, where: tuple[str, ...], pairs: Manifest) -> None:
    for key in where:
        found = found.setdefault(key, {})
    found.update(pairs)
