import pytest

from hector_sdk.embedding.model import slices


@pytest.mark.parametrize(
    ("lengths", "most", "expected"),
    [
        ([], 10, []),
        ([3], 10, [[0]]),
        ([3, 5, 4], 15, [[1, 2, 0]]),
        ([3, 5, 4], 14, [[1, 2], [0]]),
        ([99, 1], 10, [[0], [1]]),
        ([8, 4, 3], 100, [[0, 1, 2]]),
        ([500, 244, 3], 10_000, [[0], [1, 2]]),
        ([300, 44, 300], 10_000, [[0, 2, 1]]),
        ([300, 43, 300], 10_000, [[0, 2], [1]]),
        ([300, 2, 300, 2], 600, [[0, 2], [1, 3]]),
        ([0, 0, 0], 10, [[0, 1, 2]]),
        ([1] * 25, 10, [list(range(10)), list(range(10, 20)), list(range(20, 25))]),
    ],
)
def test_texts_of_like_length_go_together(lengths: list[int], most: int, expected: list[list[int]]):
    assert list(slices(lengths, most)) == expected
