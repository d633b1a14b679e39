from hector_faiss_database.columns import Columns
from hector_sdk.values import struct


def said(**metadata: object) -> bytes:
    return struct(metadata).SerializeToString()


def test_a_column_follows_every_change_after_it_was_first_read():
    columns = Columns()
    columns.put(0, said(colour="red"))
    columns.put(1, said(colour=["red", "blue"]))
    assert columns.slots("colour") == {"red": {0, 1}, "blue": {1}, ("list", ("red", "blue")): {1}}
    columns.put(2, said(colour="green"))
    columns.put(1, said(colour="red", size=1))
    columns.put(0, b"")
    assert columns.slots("colour") == {"red": {1}, "green": {2}}
    assert columns.slots("size") == {1.0: {1}}


def test_metadata_come_back_as_they_were_put():
    columns = Columns()
    columns.put(0, said(a=1))
    columns.put(1, b"")
    assert [columns[0], columns[1], len(columns)] == [said(a=1), b"", 2]


def test_an_element_that_stands_twice_in_a_list_is_forgotten_with_it():
    columns = Columns()
    columns.put(0, said(tag=["x", "x"]))
    assert columns.slots("tag")["x"] == {0}
    columns.put(0, said(tag="y"))
    assert columns.slots("tag") == {"y": {0}}
