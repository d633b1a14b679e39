"""The contract's filters over metadata as plain JSON values."""

import operator

from hector_sdk import Status


def matches(condition, metadata):
    """Whether metadata matches; every part of the condition is looked at, so that a mistake is found in any case."""
    judged = [entry(key, wanted, metadata) for key, wanted in condition.items()]
    return all(judged)


def entry(key, wanted, metadata):
    if key in ("$and", "$or"):
        parts = [matches(part, metadata) for part in listed(wanted)]
        return all(parts) if key == "$and" else any(parts)
    if key == "$not":
        return not matches(wanted, metadata)
    if key.startswith("$"):
        raise invalid(f"unknown operator {key}")
    plain = not isinstance(wanted, dict) or not any(name.startswith("$") for name in wanted)
    tests = {"$eq": wanted} if plain else wanted
    judged = [test(name, operand, key in metadata, metadata.get(key)) for name, operand in tests.items()]
    return all(judged)


def test(name, operand, there, value):
    if name == "$exists":
        return there == operand
    if name in ("$ne", "$nin"):
        return not test("$eq" if name == "$ne" else "$in", operand, there, value)
    if name == "$in":
        return any(test("$eq", one, there, value) for one in listed(operand))
    if name not in TESTS:
        raise invalid(f"unknown operator {name}")
    faces = [value, *(value if isinstance(value, list) else [])]
    return there and any(TESTS[name](face, operand) for face in faces)


def same(one, other):
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def ordered(relation):
    def holds(one, other):
        numbers = all(isinstance(each, int | float) and not isinstance(each, bool) for each in (one, other))
        return (numbers or (isinstance(one, str) and isinstance(other, str))) and relation(one, other)

    return holds


TESTS = {
    "$eq": same,
    "$gt": ordered(operator.gt),
    "$gte": ordered(operator.ge),
    "$lt": ordered(operator.lt),
    "$lte": ordered(operator.le),
}


def listed(value):
    if not isinstance(value, list):
        raise invalid("needs a list")
    return value


def invalid(words):
    import grpc

    return Status(grpc.StatusCode.INVALID_ARGUMENT, words)
