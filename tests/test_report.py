"""Several write into one page, and none of them touches what is another's."""

import pytest

from tests.report import NoSuchPart, write

PAGE = """\
# A page
<!-- written by one -->
<!-- end -->
By hand.
<!-- written by two -->
old
<!-- end -->
The end.
"""


@pytest.fixture
def page(tmp_path):
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    return page


def test_a_writer_replaces_its_own_part_and_nothing_else(page):
    write("two", "new\nlines\n", page)
    write("two", "newer\n", page)
    assert page.read_text() == PAGE.replace("old", "newer")
    write("one", "first\n", page)
    assert page.read_text() == PAGE.replace("old", "newer").replace("one -->\n", "one -->\nfirst\n")


def test_whoever_has_no_part_is_told_so_and_nothing_is_lost(page):
    with pytest.raises(NoSuchPart, match="written by three"):
        write("three", "x", page)
    page.write_text("<!-- written by one -->\nno end\n")
    with pytest.raises(NoSuchPart):
        write("one", "x", page)
    assert page.read_text() == "<!-- written by one -->\nno end\n"
