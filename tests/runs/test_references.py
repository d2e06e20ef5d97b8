"""A feed whose checks look into another feed's table, from before that is there to a mended row."""

from __future__ import annotations

from tests.support import Project

FEEDS = {
    "countries": """\
feed: countries
source: {path: "${landing}/countries/", format: csv}
schema: {code: string}
target: {table: ref.countries, keys: [code]}
""",
    "orders": """\
feed: orders
source: {path: "${landing}/orders/", format: csv}
schema:
  id: bigint
  country: {type: string, exists_in: {table: ref.countries, column: code}}
target: {table: shop.orders, keys: [id]}
""",
}


def test_a_table_that_comes_later(project: Project) -> None:
    for name, text in FEEDS.items():
        project.feed(name, text)
    project.land("orders", "1.csv", "id,country\n1,IT\n2,FR\n3,\n")
    report = project.cli("run", "orders").feed
    assert report["error"]["code"] == "reference"
    assert "the check exists_in_country needs the table ref.countries, which is not there" in report["error"]["message"]
    assert project.files("landing/orders") == ["1.csv"]
    assert not [path for path in project.files("tables") if "/shop/" in f"/{path}"]

    project.land("countries", "1.csv", "code\nIT\n")
    assert project.cli("run", "countries").code == 0
    assert project.cli("plan", "orders", "--sql").code == 0
    assert project.cli("run", "orders").feed["rows"]["quarantined"] == 1
    assert [row[0] for row in project.rows("shop.orders", "id")] == ["1", "3"]

    project.land("countries", "2.csv", "code\nFR\n")
    assert project.cli("run", "countries").code == 0
    assert project.cli("replay", "orders", "--quarantined", "--force").code == 0
    assert project.rows("shop.orders", "id, country") == [("1", "IT"), ("2", "FR"), ("3", None)]
