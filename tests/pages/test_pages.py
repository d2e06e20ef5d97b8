"""`landfeed docs`: pages that show what the tables hold, and nothing of the data."""

from __future__ import annotations

import os
import re
import subprocess
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser

import pytest

from framework.pages import Site, write_site
from framework.pages.charts import Bar, bars
from framework.pages.facts import FeedFacts, Load
from framework.pages.feed_page import feed_page
from framework.pages.html import page as page_of
from framework.pages.overview import overview
from tests.cli import command, text
from tests.feeds import made_feed
from tests.pages.shop import shop
from tests.support import REPOSITORY, Project

VOID = {"meta", "link", "input", "rect", "line", "br", "wbr"}
STYLE = os.path.join(REPOSITORY, "framework", "pages", "assets", "style.css")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = shop(os.fspath(tmp_path_factory.mktemp("shop")))
    said = text(project, "docs")
    assert said.exit_code == 0
    assert said.stdout == f"5 pages: {project.path('site', 'index.html')}\n"
    return project


class Page(HTMLParser):
    """What a page has: all its elements are closed, in order."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.links: list[str] = []
        self.ids: list[str] = []
        self.titles: list[str] = []
        self.words: list[str] = []
        self.feed(content)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [found[name] or "" for name in ("href", "src") if name in found]
        self.ids += [found["id"] or ""] if "id" in found else []
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        if "g" in self.open and self.open[-1] == "title":
            self.titles.append(data)


def page(project: Project, name: str) -> Page:
    with open(project.path("site", name), encoding="utf-8") as stream:
        return Page(stream.read())


def test_pages_are_whole_and_their_links_lead_somewhere(built: Project) -> None:
    names = [name for name in built.files("site") if name.endswith(".html")]
    assert sorted(names) == [*(f"feeds/{feed}.html" for feed in ("fresh", "late", "orders", "refused")), "index.html"]
    for name in names:
        found = page(built, name)
        assert len(found.ids) == len(set(found.ids))
        for link in found.links:
            if not link.startswith(("#", "data:")):
                assert ":" not in link  # nothing comes from elsewhere
                assert os.path.isfile(os.path.join(built.path("site"), os.path.dirname(name), link)), link


def test_the_first_page_answers_what_operators_ask(built: Project) -> None:
    words = " ".join(page(built, "index.html").words)
    late, refused, today, bad, changed = (
        words.index(text_)
        for text_ in (
            "nothing was ever loaded; 1 file(s) wait",
            "<i>x.csv was rejected: there is",
            "Came in today",
            "the check known is not true (6); event_time: not a timestamp (3)",
            "column channel is not in the schema: ignored",
        )
    )
    assert late < today
    assert refused < today < bad < changed
    counted = re.findall(r"(\d+) +(failed|rejected|late|unusual|good|new)\b", words)
    found = {state: number for number, state in counted[:4]}
    assert found == {"rejected": "1", "late": "1", "good": "1", "new": "1"}


def test_charts_show_the_figures_of_the_control_tables(built: Project) -> None:
    columns = "rows_read - rows_quarantined, rows_quarantined, inserted, updated, deleted, files"
    batches = built.rows("_landfeed.batches", f"recorded_at, feed, state, {columns}", "recorded_at")
    done = [row[3:] for row in batches if row[1:3] == ("orders", "archived")]
    assert len(done) == 3
    titles = [title.split(": ", 1)[1] for title in page(built, "feeds/orders.html").titles]
    assert titles[:3] == [f"good rows {good}, bad rows {bad}" for good, bad, *_ in done]
    assert titles[3:6] == [f"inserted {i}, updated {u}, deleted {d}" for _, _, i, u, d, _ in done]
    assert [title.split(" ")[0] for title in titles[6:9]] == ["stage"] * 3
    assert titles[9:12] == [f"files {row[5]}" for row in done]
    assert titles[12:15] == [f"bad_value 1, check_failed {bad}" for bad in (2, 1, 3)]
    (today,) = [title for title in page(built, "index.html").titles if "good rows 0, bad rows 0" not in title]
    assert today.endswith(f"good rows {sum(int(row[0]) for row in done)}, bad rows {sum(int(row[1]) for row in done)}")


def test_what_changed_is_what_the_control_table_has(built: Project) -> None:
    query = "feed, kind, \"column\", coalesce(parse_filename(file), '')"
    changes = built.rows("_landfeed.schema_changes", query)
    assert ("orders", "new_column", "channel", "3.csv") in changes
    assert {kind for feed, kind, *_ in changes if feed == "refused"} == {"missing_column"}
    for feed in ("orders", "refused"):
        words = page(built, f"feeds/{feed}.html").words
        told = [word for word in words if (word.startswith("column ") and "schema" in word) or "is missing" in word]
        assert len(told) == len([change for change in changes if change[0] == feed])
        for _, _, column, file in (change for change in changes if change[0] == feed):
            assert any(f"column {column} " in sentence for sentence in told)
            assert file in words


def test_values_of_the_data_are_shown_only_where_asked_for(built: Project) -> None:
    def everything(folder: str) -> str:
        found = ""
        for name in built.files(folder):
            with open(built.path(folder, name), encoding="utf-8") as stream:
                found += stream.read()
        return found

    assert "never" not in everything("site").replace("nothing was ever", "")
    assert text(built, "docs", "--samples", "--out", built.path("samples")).exit_code == 0
    assert "<td>never</td>" in everything("samples")
    assert "private-value" not in everything("samples")
    assert "<b>shop</b>" not in everything("site")


def test_a_folder_with_other_things_is_left_alone(built: Project) -> None:
    built.write("other/index.html", "mine")
    said = text(built, "docs", "--out", built.path("other"))
    assert said.exit_code == 1
    assert "has other files in it" in said.stderr
    assert built.files("other") == ["index.html"]


def test_pages_of_feeds_that_are_gone_go(tmp_path: os.PathLike[str]) -> None:
    facts = [FeedFacts(made_feed(name=name), "new", None, None, 0, None, ()) for name in ("a", "b")]
    now = datetime.now(UTC)
    assert write_site(Site("local", now, facts), os.fspath(tmp_path)) == 3
    assert write_site(Site("local", now, facts[1:]), os.fspath(tmp_path)) == 2
    assert os.listdir(tmp_path / "feeds") == ["b.html"]  # type: ignore[operator]


def test_the_first_page_of_a_thousand_feeds_with_a_year_of_history_is_small() -> None:
    now = datetime.now(UTC)
    loads = [
        Load(now - timedelta(days=n), f"b{n}", "f", "archived", 1, 1000, 7, 400, 200, 0, 393, 1.0, 0.5, 0.1, n, None)
        for n in range(365)
    ]
    facts = [
        FeedFacts(made_feed(name=f"feed_{n:04}", owner="team@example.com"), "good", None, None, 0, None, loads)
        for n in range(1000)
    ]
    first = page_of("Feeds", overview(Site("local", now, facts)), "", "")
    assert 300_000 < len(first.encode()) < 1_000_000
    assert len(feed_page(facts[0], Site("local", now, facts[:1])).encode()) < 100_000


def test_served_on_this_machine_it_is_built_anew(built: Project) -> None:
    out = built.path("served")
    process = subprocess.Popen(
        command(built, "docs", "--serve", "--port", "0", "--refresh", "1", "--out", out),
        env={**os.environ, "PYTHONPATH": REPOSITORY, "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()
        url = process.stdout.readline().strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", url)

        def get(path: str, host: str | None = None) -> str:
            request = urllib.request.Request(url + path, headers={"Host": host} if host else {})  # noqa: S310
            with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
                return str(answer.read().decode())

        assert 'http-equiv="refresh" content="1"' in get("index.html")
        built.feed("newcomer", built_feed("newcomer"))
        time.sleep(1)
        assert "newcomer" in get("index.html")
        for path, host, code in (("index.html", "evil.example", 403), ("feeds/", None, 404), ("../tables", None, 404)):
            with pytest.raises(urllib.error.HTTPError) as refused:
                get(path, host)
            assert refused.value.code == code
            refused.value.close()
    finally:
        process.terminate()
        process.communicate(timeout=60)
        os.remove(built.path("pipelines_config", "feeds", "newcomer.yml"))


def built_feed(name: str) -> str:
    source = f"source: {{path: '${{landing}}/{name}/', format: csv}}\n"
    return f"feed: {name}\n{source}schema: {{id: bigint}}\ntarget: {{table: a.{name}, keys: [id]}}\n"


def luminance(colour: str) -> float:
    parts = [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(weight * c for weight, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_contrasts_are_those_of_wcag_aa() -> None:
    with open(STYLE, encoding="utf-8") as stream:
        style = stream.read()
    blocks = re.findall(r"\{[^{}]*--back: #[^{}]*\}", style)
    themes = [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block)) for block in blocks]
    assert len(themes) == 3
    assert themes[1] == themes[2]
    for theme in themes:
        for front in ("text", "muted", "link"):
            for back in ("back", "raised"):
                assert contrast(theme[front], theme[back]) >= 4.5, (front, back)
        for name in ("bad", "warn", "good", "new"):
            assert contrast(theme[name], theme[f"{name}-back"]) >= 4.5, name
        for bar in ("s0", "s1", "s2", "s3", "s4", "muted"):
            assert contrast(theme[bar], theme["raised"]) >= 3, bar


def test_a_chart_is_as_high_as_its_highest_bar() -> None:
    chart = bars("Rows", ("a", "b"), [Bar("x", (1, 2)), Bar("<y>", (3.0, 0.25))], " s")
    assert "x: a 1 s, b 2 s" in chart
    assert "&lt;y&gt;: a 3 s, b 0.25 s" in chart
    tall = [float(found) for found in re.findall(r'height="([\d.]+)"/>', chart)]
    assert [round(each / tall[0], 1) for each in tall] == [1, 2, 3, 0.3]
    assert bars("Rows", ("a",), []) == ""
    assert "<rect" not in bars("Rows", ("a",), [Bar("x", (0,))])
