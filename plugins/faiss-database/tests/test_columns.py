from hector_faiss_database.columns import Columns
from hector_sdk.values import struct


def said(**metadata: object) -> bytes:
    return struct(metadata).SerializeToString()


def rows(columns: Columns, key: str, value: object, count: int) -> list[int]:
    return columns.column(key, count).among([value]).tolist()


def test_a_column_goes_on_where_the_block_has_grown():
    metadata = [said(colour="red"), said(colour=["red", "blue"])]
    columns = Columns(metadata)
    assert rows(columns, "colour", "red", 2) == [0, 1]
    assert rows(columns, "colour", ("list", ("red", "blue")), 2) == [1]
    metadata += [said(colour="green"), b"", said(colour="red", size=1)]
    assert rows(columns, "colour", "red", 5) == [0, 1, 4]
    assert rows(columns, "size", 1.0, 5) == [4]


def test_who_was_told_of_fewer_rows_sees_those_alone():
    metadata = [said(n=number % 2) for number in range(10)]
    columns = Columns(metadata)
    assert rows(columns, "n", 0.0, 10) == [0, 2, 4, 6, 8]
    assert rows(columns, "n", 0.0, 5) == [0, 2, 4]
    assert columns.column("n", 3).present().tolist() == [0, 1, 2]


def test_an_element_that_stands_twice_in_a_list_is_one_row():
    assert rows(Columns([said(tag=["x", "x"])]), "tag", "x", 1) == [0]


def test_bounds_take_values_of_their_own_kind():
    columns = Columns([said(n=value) for value in (3, "3", True, 1, [2, 9], None, 1)])
    column = columns.column("n", 7)
    assert column.between(float, (1.0, False), None).tolist() == [0, 4]
    assert column.between(float, (1.0, True), (2.0, True)).tolist() == [3, 4, 6]
    assert column.between(float, None, (3.0, False)).tolist() == [3, 4, 6]
    assert column.between(str, None, None).tolist() == [1]
