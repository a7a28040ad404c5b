"""schema_test.py SOURCE_DIR: the published JSON Schema accepts every example configuration and refuses broken ones."""

import copy
import json
import pathlib
import sys

try:
    import jsonschema
except ImportError:
    print("SKIPPED: the Python package jsonschema is not there (Debian: python3-jsonschema)")
    sys.exit(77)

SOURCE = pathlib.Path(sys.argv[1])
SCHEMA = json.loads((SOURCE / "docs" / "eigengrad.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def places(value, path=()):
    """Every place below a value, as a path."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield path + (key,)
        yield from places(item, path + (key,))


def at(value, path):
    for key in path:
        value = value[key]
    return value


def mutated(config, path, change):
    result = copy.deepcopy(config)
    change(at(result, path[:-1]), path[-1])
    return result


def is_option(config, path):
    """Whether a key is the name of an option, and not one that the user chose (of a layer, of a parameter)."""
    return isinstance(path[-1], str) and not (len(path) > 1 and path[-2] in ("layers", "shortcut", "tied"))


def mutations(config):
    """Broken configurations, with what was done to them."""
    for path in places(config):
        if not is_option(config, path):
            continue
        name = path[-1]

        def misspell(parent, key):
            parent[key + "x"] = parent.pop(key)

        def mistype(parent, key):
            parent[key] = {"no": ["such", {"thing": 1}]}

        yield f"{path}: key misspelt", mutated(config, path, misspell)
        yield f"{path}: an object of the wrong kind", mutated(config, path, mistype)
        value = at(config, path)
        if isinstance(value, (int, float)) and not isinstance(value, bool) and name not in ("padding_idx", "dims"):
            yield f"{path}: a string", mutated(config, path, lambda parent, key: parent.update({key: str(value)}))
            yield f"{path}: far too small", mutated(config, path, lambda parent, key: parent.update({key: -10**9}))
        if name == "type":
            yield f"{path}: no such type", mutated(config, path, lambda parent, key: parent.update({key: "Nonsense"}))
    for key in SCHEMA["required"]:
        yield f"{key} is missing", mutated(config, (key,), lambda parent, name: parent.pop(name))


def main():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    examples = sorted((SOURCE / "examples").glob("*/*.json"))
    assert len(examples) >= 6
    count = 0
    for example in examples:
        config = json.loads(example.read_text())
        errors = [error.message[:200] for error in VALIDATOR.iter_errors(config)]
        assert not errors, f"{example}: {errors}"
        assert VALIDATOR.is_valid({"$schema": "docs/eigengrad.schema.json", **config})
        if example.stem not in ("mlp", "gpt"):
            continue
        for what, broken in mutations(config):
            assert not VALIDATOR.is_valid(broken), f"{example}: accepted although {what}"
            count += 1
    assert count >= 150, count
    print(f"{len(examples)} examples accepted, {count} broken ones refused")


main()
