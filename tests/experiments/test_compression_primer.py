"""The primer's table recounted: all rows, and the readings of DistilBERT's."""

from experiments import compression_primer as primer


def test_sixteen_rows_and_only_distilberts_size_differs_from_the_count():
    rows = list(primer.table_rows())
    assert len(rows) == 16
    assert [row["method"] for row in rows if row["agrees"] is False] == ["DistilBERT"]
    assert sum(row["agrees"] is not None for row in rows) == 9


def test_the_same_shape_has_another_figure_in_the_same_table():
    rows = [*primer.table_rows(), *primer.reading_rows()]
    found = primer.conclusion(rows)
    assert found["same_shape_elsewhere"] == 1.6
    assert found["compression_readings"] == ["40% left"]
    assert len(found["performance_readings"]) == 1


def test_the_layers_alone_are_half_for_half_the_layers():
    assert primer.counts("BERT6-PKD")["layers_alone"] == 2.0
    assert primer.counts("BERT-48") is None
