import pytest
from google.protobuf.struct_pb2 import Struct

from hector_sdk.values import plain, struct, whole

VALUE = {"a": None, "b": True, "c": 3, "d": 2.5, "e": "text", "f": {"g": [1, {"h": -4}]}, "i": []}


def test_a_struct_comes_back_with_its_integers():
    back = plain(struct(VALUE))
    assert back == VALUE
    assert [type(back[key]) for key in "bcd"] == [bool, int, float]
    assert isinstance(back["f"]["g"][1]["h"], int)


@pytest.mark.parametrize("value", [{"a": 1.0, "b": [2.0, 2.5, {"c": 3.0}], "d": "1.0", "e": None}])
def test_json_and_struct_agree(value):
    assert repr(whole(value)) == repr({"a": 1, "b": [2, 2.5, {"c": 3}], "d": "1.0", "e": None})
    assert whole(value) == plain(struct(value))


def test_infinity_stays_a_float():
    message = Struct()
    message["x"] = float("inf")
    assert plain(message) == {"x": float("inf")}
