"""Headers of Prophesee's files: the quick way through plain ones equals going line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from eventbench.sources._percent_header import _line_by_line, percent_header

LINES = st.sampled_from(
    [
        *(
            b"% evt 3.0\n",
            b"% format EVT3;height=720;width=1280\n",
            b"% Width 304\r\n",
            b"%\n",
            b"% \n",
            b"% end\n",
        ),
        *(
            b"% end \r\n",
            b"% caf\xc3\xa9\n",
            b"% a\0% b\0% end\n",
            b"% \x01\n",
            b"%x\n",
            b"%",
            b"% no end of line",
        ),
        b"%  % twice %  \n",
    ]
)


@given(st.lists(LINES, max_size=8), st.binary(max_size=12))
def test_a_header_is_the_same_whether_it_is_taken_at_once_or_line_by_line(
    lines: list[bytes], rest: bytes
) -> None:
    data = b"".join(lines) + rest
    assert percent_header(data) == _line_by_line(data)


def test_the_header_of_another_file_is_not_taken_for_that_of_the_last() -> None:
    one, other = b"% evt 2.0\n\x01", b"% evt 3.0\n\x01"
    assert [percent_header(data).lines for data in (one, other, one)] == [
        ["evt 2.0"],
        ["evt 3.0"],
        ["evt 2.0"],
    ]
