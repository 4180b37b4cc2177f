// The dashboard: reads what the page holds, paints what is chosen, and answers clicks. No request leaves the page,
// unless it came from a server: then the same server tells of new data (live.js).

import { drawBars, drawSparkline, drawTime, element, hideTip } from "./charts.js";
import { Contents } from "./content.js";
import { Cube } from "./cube.js";
import { csv, png, save, svg, xlsx } from "./exports.js";
import { ago, day, moment, useStyle, write } from "./format.js";
import { Line } from "./live.js";
import { asDays, readAddress, writeAddress } from "./state.js";
import { drawTable, shownRows, viewOf } from "./tables.js";

const read = (id) => JSON.parse(document.getElementById(id).textContent);
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const isServed = location.protocol.startsWith("http");

const definitions = read("board-definitions");
let cube = null;
let defaults = null;
let state = null;
let contents = null;
const asTables = new Set(); // charts that are shown as their twins
const hidden = new Map(); // names of series that the legend has switched off, by chart

// ------------------------------------------------------------------------------------------------------ state

function change(changes) {
  state = { ...state, ...changes };
  const address = writeAddress(state, defaults);
  if (address !== (location.hash || "#")) history.pushState(null, "", address);
  paint();
}

function toggle(dimension, name) {
  const names = state.filters[dimension];
  const filters = {
    ...state.filters,
    [dimension]: names.includes(name) ? names.filter((other) => other !== name) : [...names, name],
  };
  if (dimension === "category") filters.product = [];
  change({ filters });
}

// A click on a bar chooses it alone; a second click frees it.
function pick(dimension, name) {
  const names = state.filters[dimension];
  const filters = { ...state.filters, [dimension]: names.length === 1 && names[0] === name ? [] : [name] };
  if (dimension === "category") filters.product = [];
  change({ filters });
}

const free = (dimension) =>
  change({ filters: { ...state.filters, [dimension]: [], ...(dimension === "category" ? { product: [] } : {}) } });
const zoom = (from, to, grain) => change({ days: null, ...asDays(cube, { from, to }), grain });

// ---------------------------------------------------------------------------------------------------- painting

// Calls `act`, which draws things anew, and gives the focus back to the thing that stands for the one that had it.
function keepingFocus(act) {
  const had = document.activeElement,
    place = had?.closest?.("[data-chart], [data-table], #board-toolbar");
  const key = had?.dataset?.key || had?.dataset?.name,
    isTime = had?.matches?.("svg.time");
  act();
  if (!place || (!key && !isTime) || had.isConnected) return;
  const again = isTime
    ? $("svg.time", place)
    : $$("[data-key], [data-name]", place).find((one) => (one.dataset.key || one.dataset.name) === key);
  again?.focus({ preventScroll: true });
}

const paint = () => keepingFocus(paintAll);

function paintAll() {
  hideTip();
  cube.filter(state.filters);
  contents = new Contents(definitions, cube, state);
  // What is in sight, and how wide, is read before anything is written: each reading after a writing lays out the page.
  const shown = $$("[data-tile], [data-chart], [data-table]").filter((place) => place.offsetParent !== null);
  const widths = new Map(shown.filter((place) => "chart" in place.dataset).map((place) => [place, plotWidth(place)]));
  paintToolbar();
  for (const place of shown) if ("tile" in place.dataset) paintTile(place);
  performance.mark("board-tiles");
  for (const place of $$("[data-fact]")) paintFact(place);
  for (const [place, width] of widths) paintChart(place, width);
  for (const place of shown) if ("table" in place.dataset) paintTable(place);
}

const plotWidth = (place) => $(".plot", place).clientWidth;

function paintTile(place) {
  const box = place.closest(".board-card, .bslib-value-box");
  const name = place.dataset.tile,
    measure = definitions.measures[name];
  const { value, change: ratio, line, note } = contents.tile(name);
  place.textContent = write(value, measure.kind);
  const remark = $(`[data-change="${name}"]`, box);
  const good =
    ratio === null || !measure.better || Math.abs(ratio) < 0.0005
      ? ""
      : ratio > 0 === (measure.better === "more")
        ? "good"
        : "bad";
  const beside =
    state.compare === "year"
      ? "on 52 weeks before"
      : state.days
        ? `on ${periodTitle(state.days)} before`
        : "on the period before";
  remark.replaceChildren(
    ratio === null ? "no comparison" : element("span", { class: `delta ${good}` }, write(ratio, "change")),
    ...(ratio === null ? [] : [` ${beside}`]),
    ...(note ? [` · ${note}`] : []),
  );
  let spark = $(".spark", box);
  if (!spark) {
    spark = element("div", { class: "spark" });
    box.append(spark);
    box.classList.add("tile");
    box.prepend(badgeOf(measure));
    const button = element("button", {
      type: "button",
      class: "cover",
      "aria-label": `Show ${measure.label} in the charts`,
    });
    button.addEventListener("click", () => change({ measure: name }));
    box.append(button);
  }
  drawSparkline(spark, line);
  $(".cover", box).setAttribute("aria-pressed", String(state.measure === name));
  box.classList.toggle("chosen", state.measure === name);
  $(".badge", box)?.replaceWith(badgeOf(measure));
}

// Whether the tests behind a measure pass, and how far its data reach.
function badgeOf(measure) {
  const counts = measure.models.map((model) => cube.data.tests[model]).filter(Boolean);
  const passed = counts.reduce((sum, one) => sum + one.passed, 0),
    failed = counts.reduce((sum, one) => sum + one.failed, 0);
  const look = failed ? "bad" : passed ? "good" : "muted";
  const words = failed
    ? `${failed} of ${passed + failed} tests fail`
    : passed
      ? `${passed} tests pass`
      : "not tested yet";
  const fresh = `data to ${day(Date.parse(cube.data.last))}`;
  return element(
    "span",
    {
      class: `badge ${look}`,
      role: "img",
      "aria-label": `${words}, ${fresh}`,
      title: `${words} (${measure.models.join(", ")}); ${fresh}`,
    },
    failed ? "!" : passed ? "✓" : "?",
  );
}

// The state of the data: each a value and a remark.
const FACTS = {
  tests: (data) => {
    const counts = Object.values(data.tests);
    const failed = counts.reduce((sum, one) => sum + one.failed, 0),
      all = failed + counts.reduce((sum, one) => sum + one.passed, 0);
    return [
      all ? `${all - failed} of ${all}` : "–",
      failed ? `${failed} do not pass` : all ? "all pass" : "no test has run",
    ];
  },
  rejections: (data) => {
    const open = (data.quality.rejections || []).reduce((sum, row) => sum + row.rows, 0);
    return [write(open, "count"), open ? "wait in ops.rejected_rows" : "none waits"];
  },
  reconciliation: (data) => {
    const rows = data.quality.reconciliation || [];
    const off = rows.filter((row) => row.difference_rows || row.difference_amount).length;
    return [rows.length ? (off ? `${off} differ` : "All agree") : "–", "from landing to facts and metrics"];
  },
  newest: (data) => [data.newest_load ? moment(data.newest_load) : "–", "UTC, when data last arrived"],
};

function paintFact(place) {
  const [value, remark] = FACTS[place.dataset.fact](cube.data);
  place.textContent = value;
  $(`[data-change="${place.dataset.fact}"]`).textContent = remark;
}

function paintChart(place, width = plotWidth(place)) {
  if (!width) return;
  const name = place.dataset.chart,
    definition = definitions.charts[name];
  const content = contents.chart(definition);
  place.content = content;
  headOf(place, name, contents.title(definition), content);
  const plot = $(".plot", place),
    legend = $(".legend", place);
  legend.replaceChildren(...legendOf(place, name, definition, content));
  if (asTables.has(name)) {
    drawTable(plot, `chart-${name}`, contents.asTable(definition, content));
  } else if (content.empty) {
    plot.replaceChildren(element("p", { class: "empty" }, content.empty));
  } else if (content.steps) {
    const off = hidden.get(name) || new Set();
    const series = content.series.filter((one) => !off.has(one.name));
    const finer = { month: "week", week: "day" }[contents.grain];
    drawTime(
      plot,
      { ...content, series, width },
      {
        pick: finer ? (i) => zoom(content.steps[i].from, content.steps[i].to, finer) : null,
        zoom: (i, j) => zoom(content.steps[i].from, content.steps[j].to, "auto"),
      },
    );
  } else drawBars(plot, { ...content, width }, { pick: (value) => pick(content.by, value) });
}

function paintTable(place) {
  const name = place.dataset.table,
    definition = definitions.tables[name];
  const content = contents.table(definition);
  place.content = content;
  headOf(place, name, content.title, content);
  const on =
    content.by in state.filters
      ? { pick: (row) => pick(content.by, row[0]), chosen: (row) => state.filters[content.by].includes(row[0]) }
      : content.steps && contents.grain !== "day"
        ? {
            pick: (row) =>
              zoom(
                content.steps.get(row[0]).from,
                content.steps.get(row[0]).to,
                contents.grain === "month" ? "week" : "day",
              ),
            chosen: () => false,
          }
        : {};
  drawTable($(".plot", place), name, content, on);
}

// -------------------------------------------------------------------------------------- heads, menus, legends

function headOf(place, name, title, content) {
  $("h2", place).textContent = title;
  $(".note", place).textContent = content.note || "";
  place.setAttribute("aria-label", title);
  const menu = $(".menu", place);
  if (!menu.childElementCount) {
    const isChart = "chart" in place.dataset;
    const item = (text, act) => {
      const button = element("button", { type: "button" }, text);
      button.addEventListener("click", () => {
        menu.open = false;
        act(button);
      });
      return button;
    };
    menu.append(
      element("summary", {}, element("span", { "aria-hidden": "true" }, "⋯")),
      element(
        "div",
        {},
        ...(isChart
          ? [
              item("Show as table", (button) => {
                if (!asTables.delete(name)) asTables.add(name);
                button.textContent = asTables.has(name) ? "Show as chart" : "Show as table";
                paintChart(place);
              }),
            ]
          : []),
        item("Save as CSV", () => save(`${fileName(place)}.csv`, csv(tableOf(place)), "text/csv")),
        item("Save as XLSX", () =>
          save(`${fileName(place)}.xlsx`, xlsx($("h2", place).textContent, tableOf(place)), XLSX),
        ),
        ...(isChart
          ? [
              item("Save as SVG", () =>
                withPicture(place, (picture) =>
                  save(`${fileName(place)}.svg`, svg(picture, $("h2", place).textContent), "image/svg+xml"),
                ),
              ),
              item("Save as PNG", () =>
                withPicture(place, async (picture) =>
                  save(`${fileName(place)}.png`, await png(picture, $("h2", place).textContent), "image/png"),
                ),
              ),
            ]
          : []),
      ),
    );
  }
  $("summary", menu).setAttribute("aria-label", `Options of ${title}`);
}

const XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";

// What a card shows, as a table in the order in which it is shown.
function tableOf(place) {
  if ("table" in place.dataset)
    return { ...place.content, rows: shownRows(place.content, viewOf(place.dataset.table)) };
  const table = contents.asTable(definitions.charts[place.dataset.chart], place.content);
  return asTables.has(place.dataset.chart)
    ? { ...table, rows: shownRows(table, viewOf(`chart-${place.dataset.chart}`)) }
    : table;
}

// Calls with the chart's picture, which is drawn for the moment where its twin is shown.
function withPicture(place, take) {
  const name = place.dataset.chart,
    wasTable = asTables.delete(name);
  if (wasTable) paintChart(place);
  const picture = $(".plot svg", place);
  if (picture) take(picture);
  if (wasTable) {
    asTables.add(name);
    paintChart(place);
  }
}

function fileName(place) {
  const { from, to } = asDays(cube, contents.period);
  return `${place.dataset.chart || place.dataset.table}-${from}-${to}`;
}

function legendOf(place, name, definition, content) {
  const parts = [];
  if (Array.isArray(definition.by)) {
    parts.push(
      selectOf(
        "By",
        definition.by.map((by) => [by, contents.dimension(by)]),
        contents.by(definition),
        (by) => change({ by }),
      ),
    );
  }
  if (content.inside !== undefined && content.inside !== null) {
    const back = element(
      "button",
      { type: "button", class: "crumb", "data-key": "crumb" },
      `All ${definitions.dimensions[definition.by].plural.toLowerCase()}`,
    );
    back.addEventListener("click", () => free(definition.by));
    parts.push(element("nav", { "aria-label": "Drilled into" }, back, " › ", element("strong", {}, content.inside)));
  }
  if (!content.series || content.series.length < 2) return parts;
  const off = hidden.get(name) || new Set();
  for (const one of content.series) {
    const button = element(
      "button",
      { type: "button", class: "toggle", "aria-pressed": String(!off.has(one.name)) },
      element("i", { class: `key ${one.look} ${one.mark}` }),
      one.name,
    );
    button.addEventListener("click", () => {
      if (!off.delete(one.name)) off.add(one.name);
      hidden.set(name, off);
      paintChart(place);
      $$(".toggle", place)
        .find((other) => other.textContent === one.name)
        ?.focus();
    });
    parts.push(button);
  }
  return parts;
}

// The page's own measures, and the metrics that the semantic layer has.
function measurePicker() {
  const label = selectOf(
    "Measure",
    measures().map(([name, one]) => [name, one.label]),
    state.measure,
    (measure) => change({ measure }),
  );
  const metrics = Object.entries(definitions.measures)
    .filter(([, one]) => one.semantic)
    .sort((a, b) => a[1].label.localeCompare(b[1].label));
  if (metrics.length) {
    $("select", label).append(
      element(
        "optgroup",
        { label: "Metrics of the semantic layer" },
        ...metrics.map(([name, one]) =>
          element("option", { value: name, selected: name === state.measure, title: one.description }, one.label),
        ),
      ),
    );
  }
  return label;
}

function selectOf(label, options, value, act) {
  const select = element(
    "select",
    { "data-key": label },
    ...options.map(([key, text]) => element("option", { value: key, selected: key === value }, text)),
  );
  select.addEventListener("change", () => act(select.value));
  return element("label", { class: "select" }, element("span", {}, label), select);
}

// ----------------------------------------------------------------------------------------------------- toolbar

const periodTitle = (length) => definitions.periods[length] || `${length} days`;
const measures = () => Object.entries(definitions.measures).filter(([, measure]) => !measure.hidden);

function buildToolbar() {
  const bar = $("#board-toolbar");
  const presets = Object.keys(definitions.periods)
    .map(Number)
    .sort((a, b) => (a || Infinity) - (b || Infinity))
    .map((length) => {
      const button = element("button", { type: "button", "data-days": length }, periodTitle(length));
      button.addEventListener("click", () => change({ days: length, from: null, to: null, grain: "auto" }));
      return button;
    });
  const dayInput = (key, label) => {
    const input = element("input", { type: "date", "aria-label": label, id: `board-${key}` });
    input.addEventListener("change", () => {
      if (!input.value) return;
      const now = { ...asDays(cube, contents.period), [key]: input.value };
      if (now.from > now.to) now[key === "from" ? "to" : "from"] = input.value;
      change({ days: null, ...now, grain: "auto" });
    });
    return input;
  };
  const menus = Object.entries(definitions.dimensions)
    .filter(([, one]) => one.menu)
    .map(([name]) =>
      element(
        "details",
        { class: "filter", "data-filter": name },
        element("summary"),
        element("div", { class: "choices" }),
      ),
    );
  const reset = element("button", { type: "button", id: "board-reset" }, "Reset");
  reset.addEventListener("click", () => change({ ...structuredClone(defaults), page: state.page }));
  const more = element("button", { type: "button", id: "board-more", "aria-expanded": "false" }, "Filters");
  more.addEventListener("click", () => more.setAttribute("aria-expanded", String(bar.classList.toggle("open"))));
  bar.replaceChildren(
    element("div", { class: "group presets", role: "group", "aria-label": "Period" }, ...presets),
    more,
    element(
      "div",
      { class: "group dates more" },
      dayInput("from", "From"),
      element("span", { "aria-hidden": "true" }, "–"),
      dayInput("to", "To"),
    ),
    element("div", { class: "group more" }, ...menus),
    element("div", { class: "group selects more" }),
    reset,
    element(
      "div",
      { class: "group end" },
      element("output", { id: "board-status", role: "status" }),
      reportLink(),
      themeButton(),
    ),
    element("div", { id: "board-chips" }),
  );
  document.addEventListener("click", (event) => {
    for (const open of $$("details.filter[open], details.menu[open]"))
      if (!open.contains(event.target)) open.open = false;
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    for (const open of $$("details.filter[open], details.menu[open]")) {
      open.open = false;
      $("summary", open).focus();
    }
  });
}

function paintToolbar() {
  const bar = $("#board-toolbar");
  for (const button of $$("[data-days]", bar))
    button.setAttribute("aria-pressed", String(Number(button.dataset.days) === state.days));
  const { from, to } = asDays(cube, contents.period);
  for (const [key, value] of [
    ["from", from],
    ["to", to],
  ]) {
    const input = $(`#board-${key}`);
    Object.assign(input, { min: cube.data.first, max: cube.data.last });
    if (document.activeElement !== input) input.value = value;
  }
  for (const menu of $$("[data-filter]", bar)) paintFilter(menu);
  $(".selects", bar).replaceChildren(
    measurePicker(),
    selectOf(
      "Compared with",
      [
        ["previous", "vs period before"],
        ["year", "vs 52 weeks before"],
      ],
      state.compare,
      (compare) => change({ compare }),
    ),
    selectOf(
      "Steps",
      [
        ["auto", "Steps: auto"],
        ["day", "Steps: days"],
        ["week", "Steps: weeks"],
        ["month", "Steps: months"],
      ],
      state.grain,
      (grain) => change({ grain }),
    ),
  );
  const chips = Object.entries(state.filters).flatMap(([dimension, names]) =>
    names.map((name) => {
      const chip = element(
        "button",
        { type: "button", class: "chip", "aria-label": `Free ${contents.dimension(dimension)} ${name}` },
        element("span", { class: "dim" }, contents.dimension(dimension)),
        name,
        element("span", { "aria-hidden": "true" }, "×"),
      );
      chip.addEventListener("click", () => toggle(dimension, name));
      return chip;
    }),
  );
  const told = [];
  if (cube.data.first > cube.data.covered_since) told.push(`This page holds the days since ${day(cube.start)}.`);
  $("#board-chips").replaceChildren(...chips, ...told);
  $("#board-reset").disabled = writeAddress({ ...state, page: defaults.page }, defaults) === "#";
  const link = $("#board-report");
  if (isServed) link.href = reportAddress({ from, to });
  link.title = isServed
    ? "The report of this period as PDF"
    : `The server makes it; here: analytics report --type ${definitions.report} --period ${from}..${to}`;
}

function paintFilter(menu) {
  const dimension = menu.dataset.filter,
    chosen = state.filters[dimension];
  const label = definitions.dimensions[dimension].label;
  const said = chosen.length === 0 ? "all" : chosen.length === 1 ? chosen[0] : `${chosen.length} chosen`;
  $("summary", menu).replaceChildren(element("span", {}, label), element("b", {}, said));
  menu.classList.toggle("active", chosen.length > 0);
  const names = [...(cube.names[dimension] || [])].sort((a, b) => a.localeCompare(b));
  const choices = $(".choices", menu);
  if (
    $$("[data-value]", choices)
      .map((input) => input.dataset.value)
      .join("\n") !== names.join("\n")
  ) {
    choices.replaceChildren(
      ...(names.length > MANY_CHOICES ? [choiceSearch(choices, label)] : []),
      ...names.map((name) => {
        const input = element("input", { type: "checkbox", "data-value": name });
        input.addEventListener("change", () => toggle(dimension, name));
        return element("label", {}, input, name);
      }),
    );
  }
  for (const input of $$("[data-value]", choices)) input.checked = chosen.includes(input.dataset.value);
}

const MANY_CHOICES = 12;

// Leaves of many choices those with a text in them.
function choiceSearch(choices, label) {
  const input = element("input", { type: "search", placeholder: "Search", "aria-label": `Search in ${label}` });
  input.addEventListener("input", () => {
    for (const one of $$("label", choices))
      one.hidden = !one.textContent.toLowerCase().includes(input.value.toLowerCase());
  });
  return input;
}

// The PDF of the same period and, as far as a report knows one, of the same filter.
function reportAddress(days_) {
  const address = new URLSearchParams({ ...days_, format: "pdf" });
  for (const name of ["store", "category", "channel", "segment"]) {
    for (const value of state.filters[name]) address.append(name, value);
  }
  return `/api/v1/reports/${definitions.report}?${address}`;
}

function reportLink() {
  const link = element(
    "a",
    {
      id: "board-report",
      class: "button",
      role: "button",
      ...(isServed ? {} : { "aria-disabled": "true", tabindex: "0" }),
    },
    "PDF",
  );
  if (!isServed) link.addEventListener("click", () => say(link.title));
  return link;
}

let toldUntil = 0;
function say(text) {
  toldUntil = Date.now() + 8000;
  $("#board-status").textContent = text;
}

// Light, dark, or as the system has it; remembered where the page may remember.
function themeButton() {
  const names = { "": "by system", light: "light", dark: "dark" };
  const button = element("button", { type: "button", id: "board-theme" }, "◐");
  const use = (choice) => {
    document.documentElement.style.colorScheme = choice || "";
    document.documentElement.dataset.look = choice;
    button.setAttribute("aria-label", `Colours: ${names[choice]}`);
    button.title = `Colours: ${names[choice]}`;
  };
  let choice = "";
  try {
    choice = localStorage.getItem("board-look") || "";
  } catch {
    /* a file may be without a store */
  }
  use(choice in names ? choice : "");
  button.addEventListener("click", () => {
    const next = { "": "light", light: "dark", dark: "" }[document.documentElement.dataset.look];
    use(next);
    try {
      localStorage.setItem("board-look", next);
    } catch {
      /* as above */
    }
  });
  return button;
}

// ------------------------------------------------------------------------------------------------------- pages

// Both engines make pages of level-1 headings: one as radio buttons, the other as Bootstrap's tabs.
function pages() {
  const radios = $$(".board-pages > .tabs > input").map((input) => ({
    title: $(`label[for="${input.id}"]`).textContent,
    isOpen: () => input.checked,
    open: () => {
      input.checked = true;
    },
    on: (act) => input.addEventListener("change", act),
  }));
  const tabs = $$('.navbar [data-bs-toggle="tab"]').map((tab) => ({
    title: tab.textContent.trim(),
    isOpen: () => tab.classList.contains("active"),
    open: () => tab.click(),
    on: (act) => tab.addEventListener("shown.bs.tab", act),
  }));
  return radios.length ? radios : tabs;
}

const slug = (title) => title.toLowerCase().replace(/[^a-z0-9]+/g, "-");

function openPage() {
  const page = pages().find((one) => slug(one.title) === state.page);
  if (page && !page.isOpen()) page.open();
}

// -------------------------------------------------------------------------------------------------------- data

function useData(data) {
  useStyle(data.style);
  cube = new Cube(data, definitions.measures);
  for (const [name, metric] of Object.entries(data.metrics)) {
    definitions.measures[`metric:${name}`] = {
      label: metric.label,
      kind: metric.kind,
      description: metric.description,
      semantic: name,
      hidden: true,
    };
  }
}

function startLive() {
  let staleSince = Date.now();
  const line = new Line({
    data: (data) => {
      useData(data);
      paint();
      document.documentElement.dataset.load = data.load_id;
    },
    state: () => status(),
  });
  const status = () => {
    const output = $("#board-status");
    output.dataset.state = line.isOpen ? "live" : "stale";
    if (Date.now() < toldUntil) return;
    if (!line.isOpen && line.heard > staleSince) staleSince = line.heard;
    const built = cube.data.built_at ? ` · built ${moment(cube.data.built_at)}` : "";
    output.textContent = line.isOpen
      ? `live · ${ago(Date.now() - line.heard)} ago`
      : `stale since ${moment(isoTime(staleSince))} UTC`;
    output.title = `data to ${day(Date.parse(cube.data.last))}${built} UTC`;
  };
  setInterval(status, 1000);
  line.start();
}

const isoTime = (time) => new Date(time).toISOString();

function start() {
  useData(read("board-data"));
  defaults = {
    page: slug(pages()[0]?.title || ""),
    days: definitions.first_period,
    from: null,
    to: null,
    measure: "sales",
    grain: "auto",
    compare: "previous",
    by: "store",
    filters: Object.fromEntries(Object.keys(definitions.dimensions).map((name) => [name, []])),
  };
  const fromAddress = () => {
    state = readAddress(location.hash, defaults);
    const measure = definitions.measures[state.measure];
    if (!measure || (measure.hidden && !measure.semantic)) state.measure = defaults.measure;
    openPage();
  };
  buildToolbar();
  fromAddress();
  paint();
  $(".board-pages > .tabs")?.setAttribute("role", "group");
  $(".board-pages > .tabs")?.setAttribute("aria-label", "Pages");
  for (const page of pages()) page.on(() => change({ page: slug(page.title) }));
  window.addEventListener("popstate", () => {
    fromAddress();
    paint();
  });
  const widths = new Map();
  const watch = new ResizeObserver((entries) => {
    for (const { target, contentRect } of entries) {
      if (widths.get(target) === contentRect.width) continue;
      const first = !widths.has(target);
      widths.set(target, contentRect.width);
      if (!first && contentRect.width) paintChart(target.closest("[data-chart]"));
    }
  });
  for (const plot of $$("[data-chart] .plot")) watch.observe(plot);
  if (isServed) startLive();
  else $("#board-status").textContent = `data to ${day(Date.parse(cube.data.last))}`;
  document.documentElement.dataset.ready = "true";
}

start();
