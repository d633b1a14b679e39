import pytest
from google.protobuf.struct_pb2 import Struct, Value

from hector_faiss_database.values import faces, finite, plain
from hector_sdk.values import struct


def value(python: object) -> Value:
    return struct({"it": python}).fields["it"]


def test_equal_means_equal_json():
    different = [None, True, False, 0, 1, 1.5, "", "1", "true", [], [1], [True], [[1]], {}, {"a": 1}, {"a": True}]
    hashed = [plain(value(each)) for each in different]
    assert len(set(hashed)) == len(different)
    assert hashed == [plain(value(each)) for each in different]


def test_objects_are_equal_in_any_order():
    assert plain(value({"a": 1, "b": [2]})) == plain(value({"b": [2.0], "a": 1.0}))


def test_a_list_shows_itself_and_its_elements():
    assert set(faces(value(["x", 1]))) == {("list", ("x", 1.0)), "x", 1.0}
    assert list(faces(value("x"))) == ["x"]


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_cannot_write_are_found_at_any_depth(number: float):
    deep = Struct()
    deep.fields["list"].list_value.values.add().struct_value.fields["x"].number_value = number
    assert not finite(deep)
    deep.fields["list"].list_value.values[0].struct_value.fields["x"].number_value = 1e300
    assert finite(deep)
