"""The report of the benchmarks holds every answer, in the column of its setup."""

from bench.tables import Figure, table


def test_each_setup_has_a_column_and_what_one_cannot_answer_is_a_dash():
    rate = Figure("rate", "9/s", "10/s", met=True)
    takeover = Figure("takeover", "", "30 s")
    slow = Figure("rate", "9/s", "8/s", met=False)
    lines = list(table("Callbacks", {"One": [rate], "Two": [slow, takeover], "Three": []}))
    assert lines == [
        "### Callbacks",
        "",
        "| | wanted | One | Two | Three |",
        "|---|---|---|---|---|",
        "| rate | 9/s | 10/s, met | 8/s, **short** | – |",
        "| takeover |  | – | 30 s | – |",
        "",
    ]
