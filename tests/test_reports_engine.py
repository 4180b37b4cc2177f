"""The bundled engine on small documents of its own: no warehouse, no report of the project."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from html import unescape
from pathlib import Path

import pypandoc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from reports import markdown
from reports.errors import CellError, DocumentError, ReportError, ReportUsageError
from reports.registry import find, registered_reports
from reports.render import bundled, document, kernel, pandoc, quarto

pytestmark = pytest.mark.unit


def write(folder: Path, body: str, head: str = "title: Trial\nlang: en\nexecute: {echo: false}") -> Path:
    path = folder / "trial.qmd"
    path.write_text(f"---\n{head}\n---\n\n{body}\n", encoding="utf-8")
    return path


def render(
    folder: Path, body: str, formats: tuple[str, ...] = ("html",), *, head: str | None = None, **values: str
) -> dict[str, Path]:
    path = write(folder, body) if head is None else write(folder, body, head)
    target = folder / "out"
    target.mkdir()
    source = document.read(path).with_parameters(dict(values))
    meta = {"subtitle": "30 Jun 2025", "report-id": "trial-1", "papersize": "a4"}
    return bundled.lay_out(source, kernel.run(source, env={}), formats, target, meta)


def html(folder: Path, body: str, **values: str) -> str:
    return render(folder, body, **values)["html"].read_text(encoding="utf-8")


def text(page: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", page[page.index("<main") :])))


# ------------------------------------------------------------------------------------------ what it supports


def test_cells_run_once_for_all_formats(tmp_path: Path) -> None:
    counter = tmp_path / "runs"
    cell = f"```{{python}}\nopen({str(counter)!r}, 'a').write('x')\nprint('ran')\n```"
    files = render(tmp_path, cell, ("pdf", "html"))
    assert counter.read_text() == "x"
    assert files["pdf"].read_bytes().startswith(b"%PDF")
    assert "ran" in files["html"].read_text()


def test_parameters_replace_the_defaults_of_the_tagged_cell(tmp_path: Path) -> None:
    body = "```{python}\n#| tags: [parameters]\nname = 'none'\nother = 'kept'\n```\n\n`{python} name` `{python} other`"
    assert "it's 1/2 \\ kept" in text(html(tmp_path, body, name="it's 1/2 \\"))


def test_an_unknown_parameter_is_refused_with_those_there_are(tmp_path: Path) -> None:
    body = "```{python}\n#| tags: [parameters]\nname = 'none'\n```"
    with pytest.raises(DocumentError, match=r"no parameter nmae; known: name"):
        html(tmp_path, body, nmae="x")


def test_options_decide_what_of_a_cell_is_shown(tmp_path: Path) -> None:
    body = """
```{python}
print("1 plain")
```

```{python}
#| output: asis
print("2 *emphasis*")
```

```{python}
#| include: false
print("3 hidden")
```

```{python}
#| output: false
print("4 hidden")
```

```{python}
#| eval: false
print("5 not run")
```

```{python}
#| echo: true
six = "6 shown"
```

```{python}
import sys
print("7 warning", file=sys.stderr)
```

```{python}
#| warning: false
print("8 hidden", file=sys.stderr)
```
"""
    page = html(tmp_path, body)
    assert "<code>1 plain</code>" in page
    assert "2 <em>emphasis</em>" in page
    assert "6 shown" in text(page)
    assert "7 warning" in page
    assert not re.search(r"3 hidden|4 hidden|5 not run|8 hidden", page)


def test_inline_values_are_text_unless_they_are_markdown(tmp_path: Path) -> None:
    body = """
```{python}
from IPython.display import Markdown
ugly = "*not bold* <b>x</b> 1 < 2"
```

Here `{python} ugly` and `{python} Markdown('**bold**')` and `{python} 6 * 7`, but ``{python} 1/0`` is quoted.
"""
    page = html(tmp_path, body)
    assert "Here *not bold* &lt;b&gt;x&lt;/b&gt; 1 &lt; 2 and <strong>bold</strong> and 42" in page
    assert "{python} 1/0" in page


def test_long_prints_come_in_one_piece(tmp_path: Path) -> None:
    body = "```{python}\n#| output: asis\nfor i in range(5000):\n    print(f'- item {i}', flush=i % 100 == 0)\n```"
    page = html(tmp_path, body)
    assert page.count("<ul>") == 1
    assert page.count("<li>") == 5000


FIGURE = """
See @fig-line and @tbl-two.

```{python}
#| label: fig-line
#| fig-cap: "A line & its *end*"
#| fig-alt: "A line that \\"rises\\""
import matplotlib.pyplot as plt
plt.figure(figsize=(3, 2))
plt.plot([1, 2], [3, 4])
plt.show()
```

| a | b |
|---|--:|
| x | 1 |

: First {#tbl-one}

| a | b |
|---|--:|
| x | 1 |

: Second {#tbl-two}

::: {.callout-warning title="Mind this"}
Body of the callout.
:::

:::: {.columns}
::: {.column width="30%"}
left
:::
::: {.column width="70%"}
right
:::
::::

{{< pagebreak >}}

Last page.
"""


def test_figures_tables_callouts_columns_and_breaks_in_html(tmp_path: Path) -> None:
    page = html(tmp_path, FIGURE)
    assert re.search(
        r'<figure id="fig-line">\s*<img [^>]*src="data:image/svg\+xml[^>]* alt="A line that &quot;r', page
    )
    assert "Figure\u00a01: A line &amp; its <em>end</em>" in page
    assert '<a href="#fig-line">Figure\u00a01</a> and <a href="#tbl-two">Table\u00a02</a>' in page
    assert "<caption>Table\u00a02: Second</caption>" in page
    assert 'class="callout callout-warning"' in page
    assert "Mind this" in page
    assert 'style="grid-template-columns: 30fr 70fr"' in page
    assert 'class="page-break"' in page


def test_figures_tables_callouts_columns_and_breaks_in_pdf(tmp_path: Path) -> None:
    file = render(tmp_path, FIGURE, ("pdf",))["pdf"]
    pages = pdf_text(file).split("\f")
    assert len(pages) == 3  # two, and nothing after the last form feed
    assert "See Figure 1 and Table 2." in pages[0].replace("\u00a0", " ")
    assert re.search(r"Table.1: First", pages[0])
    assert "Body of the callout." in pages[0]
    assert re.search(r"left +right", pages[0])
    assert "Last page." in pages[1]
    assert "Page 2 of 2" in pages[1]
    info = subprocess.run(["pdfinfo", file], capture_output=True, text=True, check=True).stdout
    assert re.search(r"Title: +Trial · 30 Jun 2025\n", info)
    assert re.search(r"Tagged: +yes", info)
    assert "A4" in info
    raw = file.read_bytes()
    assert b"/Lang(en)" in raw
    fonts = subprocess.run(
        ["pdffonts", file], capture_output=True, text=True, check=True
    ).stdout.splitlines()[2:]
    assert fonts
    assert all(re.search(r"SourceSansPro|DejaVu", line) for line in fonts), fonts


def test_long_tables_repeat_their_head_and_split_no_row(tmp_path: Path) -> None:
    rows = "\n".join(f"| Row {i} | {'word ' * 150}| {i} |" for i in range(30))
    body = f"| Name | Text | Number |\n|:------|:{'-' * 60}|---:|\n{rows}\n\n: Long {{#tbl-long}}"
    pages = pdf_text(render(tmp_path, body, ("pdf",))["pdf"]).split("\f")[:-1]
    assert len(pages) > 3
    assert all("Name" in page for page in pages)
    for page in pages:  # a row that begins on a page ends there
        assert page.count("word") == 150 * len(re.findall(r"Row \d+", page))


def test_dashboards_have_rows_columns_cards_and_value_boxes(tmp_path: Path) -> None:
    body = """
Leading.

## Row

::: {.valuebox}
Articles

`{python} 45`

more than before
:::

```{python}
#| content: valuebox
#| title: Comments
dict(value=1 + 1)
```

## Row

### Column {width=70%}

::: {.card title="First <card>"}
Inside.
:::

### Column {width=30%}

```{python}
#| title: Second
print("printed")
```
"""
    page = render(tmp_path, body, head="title: Trial\nformat:\n  dashboard:\n    scrolling: true")[
        "html"
    ].read_text()
    assert page.count('class="board-row"') == 2
    assert re.findall(r'class="board-column" style="flex-grow: (\d+)"', page) == ["70", "30"]
    assert re.findall(r'<div class="board-value">\s*<p>(\d+)</p>', page) == ["45", "2"]
    assert 'class="board-remark"' in page
    assert re.search(r'<h2 class="board-title">First &lt;card&gt;</h2>\s*<p>Inside.</p>', page)
    assert re.search(r'<h2 class="board-title">Second</h2>\s*<pre><code>printed', page)


def test_dashboards_have_pages_tabs_and_a_sidebar(tmp_path: Path) -> None:
    body = """
# First page

## {.sidebar}

Beside.

## Row {.tabset}

::: {.card title="One & only"}
Inside one.
:::

::: {.card title="Two"}
Inside two.
:::

# Second page

## Row

### Column {.tabset}

::: {.card title="Three"}
Inside three.
:::
"""
    page = render(tmp_path, body, head="title: Trial\nformat:\n  dashboard:\n    scrolling: true")[
        "html"
    ].read_text()
    labels = re.findall(r'<label for="(tabs-\d+-\d+)">(.*?)</label>', page)
    assert [unescape(name) for _, name in labels] == [
        "First page",
        "One & only",
        "Two",
        "Second page",
        "Three",
    ]
    assert set(re.findall(r'id="(tabs-\d+-\d+)"', page)) == {label for label, _ in labels}
    assert page.count(" checked>") == 3  # of the pages, of the row, of the column
    assert re.search(r'board-sidebar">\s*<p>Beside.</p>', page)


def test_dashboards_have_a_toolbar_above_all_pages(tmp_path: Path) -> None:
    head = "title: Trial\nformat:\n  dashboard:\n    scrolling: true"
    body = "# {.toolbar}\n\nFilters.\n\n# First\n\n## Row\n\n::: {.card}\nInside.\n:::\n"
    page = render(tmp_path, body, head=head)["html"].read_text()
    assert re.search(r'board-toolbar">\s*<p>Filters.</p>\s*</div>\s*<div class="board-pages">', page)
    assert page.count("<label") == 1


def test_a_toolbar_on_one_page_is_refused(tmp_path: Path) -> None:
    head = "title: Trial\nformat:\n  dashboard:\n    scrolling: true"
    with pytest.raises(DocumentError, match=r"`\.toolbar` below level 1"):
        render(tmp_path, "# First\n\n## {.toolbar}\n\nFilters.\n", head=head)


def test_tabsets_are_tabs_in_html_and_headings_in_pdf(tmp_path: Path) -> None:
    body = "## Before\n\n::: {.panel-tabset}\n## Left\n\nIn the left.\n\n## Right\n\nIn the right.\n:::\n"
    files = render(tmp_path, body, ("pdf", "html"))
    page = files["html"].read_text()
    assert re.findall(r"<label for=\S+>(.*?)</label>", page) == ["Left", "Right"]
    assert re.search(r'<div class="tabs-panel">\s*<p>In the right.</p>', page)
    assert re.search(r"Left\s+In the left.\s+Right\s+In the right.", pdf_text(files["pdf"]))


def test_metadata_stands_where_its_shortcode_does_also_in_what_cells_print(tmp_path: Path) -> None:
    cell = "```{python}\n#| output: asis\nprint('Printed {{< meta report-id >}}.')\n```"
    page = html(tmp_path, f"In prose {{{{< meta report-id >}}}}.\n\n{cell}")
    assert "In prose trial-1." in page
    assert "Printed trial-1." in page


# ------------------------------------------------------------------------------------------- what it refuses


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "```{python}\n#| fig-widht: 3\n1\n```",
            "line 8: the cell option 'fig-widht' is not known here; known are: ",
        ),
        ("text\n\n{{< video x.mp4 >}}", "line 9: the shortcode 'video' is not known here"),
        ("```{python}\nfrom IPython.display import HTML\nHTML('<b>x</b>')\n```", "this cell shows HTML"),
        ("```{python}\nimport matplotlib.pyplot as plt\nplt.plot([1])\nplt.show()\n```", "needs `fig-alt`"),
        ("::: {.panel-input}\nx\n:::", "does not know the block class `.panel-input`"),
        ("::: {.panel-tabset}\nx\n:::", "anything before the first heading of a `.panel-tabset`"),
        ("{{< meta nothing >}}", "line 7: the document has no metadata 'nothing'"),
        ("See @fig-none.", "nothing in the document is labelled fig-none"),
        ("See @smith2020.", "does not know citations: @smith2020"),
        ("```{python}\n#| a: [\n1\n```", "the options of the cell at line 8 cannot be read"),
    ],
)
def test_what_it_does_not_know_it_refuses_by_name(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(DocumentError) as caught:
        html(tmp_path, body)
    assert message in str(caught.value)


def test_a_failing_cell_fails_the_report_and_shows_cell_and_error(tmp_path: Path) -> None:
    body = "Text.\n\n```{python}\nrows = []\nrows[3]  # the cause\n```\n\n```{python}\nprint('never')\n```"
    with pytest.raises(CellError) as caught:
        html(tmp_path, body)
    assert str(caught.value) == (
        "trial.qmd, line 10: IndexError: list index out of range\n    rows = []\n    rows[3]  # the cause"
    )
    assert not list((tmp_path / "out").glob("*.html"))


def test_a_failing_inline_expression_names_itself(tmp_path: Path) -> None:
    with pytest.raises(CellError, match=r"NameError: name 'nothing' is not defined\n    nothing"):
        html(tmp_path, "Here `{python} nothing`.")


def test_a_cell_that_ends_its_process_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CellError, match=r"its process ended"):
        html(tmp_path, "```{python}\nimport os\nos._exit(0)\n```")


class Stopped(BaseException):
    """What a signal's handler raises that is no KeyboardInterrupt, as Dagster's."""


@pytest.mark.parametrize("code", ["while True: print('.' * 1000, flush=True)", "import time; time.sleep(60)"])
def test_a_signal_ends_it_with_what_its_handler_raises(code: str, tmp_path: Path) -> None:
    written = write(tmp_path, f"```{{python}}\nopen('begun', 'w').close()\n{code}\n```\n")

    def stop(*_: object) -> None:
        raise Stopped

    def interrupt() -> None:
        while not (tmp_path / "begun").exists():
            time.sleep(0.02)
        time.sleep(0.3)
        os.kill(os.getpid(), signal.SIGINT)

    before = signal.signal(signal.SIGINT, stop)
    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(Stopped):
            kernel.run(document.read(written), env={}, time_limit=50)
        assert signal.getsignal(signal.SIGINT) is stop
    finally:
        signal.signal(signal.SIGINT, before)
        thread.join()


def test_the_time_limit_is_for_the_whole_document(tmp_path: Path) -> None:
    cells = "\n\n".join(f"```{{python}}\nimport time\ntime.sleep(0.5)  # {i}\n```" for i in range(10))
    started = time.monotonic()
    with pytest.raises(CellError, match=r"the document's time is up"):
        kernel.run(document.read(write(tmp_path, cells)), env={}, time_limit=2)
    assert time.monotonic() - started < 5


# --------------------------------------------------------------------------------------- text that stays text


def shown_text(source: str) -> str:
    """What a reader sees of Markdown, provided that it is nothing but words: else an error."""
    blocks = json.loads(pypandoc.convert_text(source, "json", format="markdown"))["blocks"]
    (paragraph,) = blocks
    assert paragraph["t"] == "Para"
    pieces = {"Str": lambda node: node["c"], "Space": lambda _: " ", "SoftBreak": lambda _: "\n"}
    return "".join(pieces[node["t"]](node) for node in paragraph["c"])


ODD = st.text(
    alphabet=st.sampled_from("ab1 \\`*_{}[]()<>#+-.!|~^$@&:;\"'%=/?,\n\t€é😀ע"), min_size=1, max_size=30
)


@settings(max_examples=40, deadline=None)
@given(st.lists(ODD, min_size=20, max_size=20))
def test_any_text_from_data_shows_as_itself(samples: list[str]) -> None:
    # a word on either side, as a cell of a table has its bars
    source = " ".join(f"x{markdown.text(sample)}x" for sample in samples)
    expected = " ".join(f"x{sample.strip()}x" for sample in samples)
    assert shown_text(source).split() == expected.split()


# ------------------------------------------------------------------------------------ registry, doors, borders


def test_the_registry_is_the_exposures(tmp_path: Path) -> None:
    reports = registered_reports()
    assert reports["daily"].formats == ("pdf", "html", "xlsx")
    assert reports["daily"].document == ROOT / "reports" / "daily.qmd"
    assert reports["dashboard"].formats == ("html",)
    with pytest.raises(ReportUsageError, match=r"no report 'dialy'; there are: daily, weekly, .*dashboard"):
        find("dialy")
    broken = tmp_path / "exposures.yml"
    broken.write_text(
        "exposures: [{name: lost, config: {meta: {document: reports/lost.qmd, formats: [pdf]}}}]"
    )
    with pytest.raises(ReportError, match=r"document of the exposure lost does not exist: reports/lost\.qmd"):
        registered_reports(broken)
    broken.write_text(
        "exposures: [{name: odd, config: {meta: {document: reports/daily.qmd, formats: [xlsx]}}}]"
    )
    with pytest.raises(ReportError, match=r"odd needs `workbook`"):
        registered_reports(broken)
    broken.write_text(
        "exposures: [{name: odd, config: {meta: {document: reports/daily.qmd, formats: [docx]}}}]"
    )
    with pytest.raises(ReportError, match=r"odd needs `formats`, one or more of pdf, html, xlsx"):
        registered_reports(broken)


def test_reports_know_neither_models_nor_schedules_nor_landing() -> None:
    modules = "reports.render.bundled, reports.workbook, reports.sections, reports.dashboard, reports.charts"
    code = f"import {modules}, sys; print(sorted({{'dagster', 'dbt', 'dlt', 'duckdb'}} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout == "[]\n"


def test_the_quarto_command_is_called_as_its_documentation_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stand-in for the command writes down how it was called and makes the file it was asked for."""
    program = tmp_path / "quarto"
    program.write_text(
        '#!/bin/sh\nprintf "%s|" "$@" >> "$CALLS"\necho >> "$CALLS"\n'
        "while [ $# -gt 0 ]; do case $1 in --output) name=$2;; --output-dir) dir=$2;; esac; shift; done\n"
        'grep -q "^title: Trial" trial.qmd && grep -q "^subtitle: \\"30 Jun 2025\\"$" trial.qmd && '
        'grep -qv "^report-id: draft" trial.qmd && test -f theme/theme.yml && echo made > "$dir/$name"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    monkeypatch.setenv("ANALYTICS_QUARTO", str(program))
    assert quarto.command() == str(program)
    sources = tmp_path / "sources"
    sources.mkdir()
    target = tmp_path / "out"
    target.mkdir()
    body = '```{python}\n#| tags: [parameters]\ndate = ""\n```'
    source = document.read(write(sources, body)).with_parameters({"date": "2025-06-30"})
    meta = {"subtitle": "30 Jun 2025", "report-id": "trial-1"}
    files = quarto.render(source, ["pdf", "html"], target, meta, {})
    assert {suffix: file.read_text() for suffix, file in files.items()} == {"pdf": "made\n", "html": "made\n"}
    expected = [
        ["render", "trial.qmd", "--to", to, "-P", "date:2025-06-30", "--output", f"trial.{suffix}",
         "--output-dir", str(target), ""]
        for to, suffix in (("typst", "pdf"), ("html", "html"))
    ]  # fmt: skip
    assert [line.split("|") for line in (tmp_path / "calls").read_text().splitlines()] == expected
    program.write_text("#!/bin/sh\necho 'cell 3 failed' >&2\nexit 1\n")
    with pytest.raises(ReportError, match=r"quarto could not render trial\.qmd: cell 3 failed"):
        quarto.render(source, ["pdf"], tmp_path / "other", meta, {})
    monkeypatch.setenv("ANALYTICS_QUARTO", str(tmp_path / "absent"))
    with pytest.raises(ReportUsageError, match=r"ANALYTICS_QUARTO names .*absent"):
        quarto.command()


def test_renders_at_the_same_time_do_not_disturb_each_other(tmp_path: Path) -> None:
    pages: dict[str, str] = {}

    def one(name: str) -> None:
        folder = tmp_path / name
        folder.mkdir()
        pages[name] = html(folder, FIGURE.replace("Last page.", f"Page of {name}."))

    threads = [threading.Thread(target=one, args=(name,)) for name in ("first", "second", "third")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(pages) == {"first", "second", "third"}
    assert all(f"Page of {name}." in page and "data:image/svg+xml" in page for name, page in pages.items())


def pdf_text(file: Path) -> str:
    assert os.path.getsize(file) > 1000
    return subprocess.run(
        ["pdftotext", "-layout", file, "-"], capture_output=True, text=True, check=True
    ).stdout


def test_text_that_begins_like_a_list_or_heading_stays_text(tmp_path: Path) -> None:
    rows = "\n".join(
        f"| {markdown.text(name)} | 1 |" for name in ("1. Wahl", "- dash", "+ plus", "= head", "/ term: x")
    )
    page = pandoc.to_typst(f"| a | b |\n|---|--:|\n{rows}\n", tmp_path, {"title": "x"})
    cells = re.findall(r"\[#\"(.*?)\"; ", page)
    assert cells == ["1.", "-", "+", "=", "/"]
