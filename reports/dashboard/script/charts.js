// Charts as SVG: D3 gives scales, ticks and shapes, the style sheet colours. A chart draws the content that it is
// given and says what was picked; what there is to show and what a pick means belongs to board.js.
/* global d3 */

import { short, tick, write } from "./format.js";

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 264;
const ROW = 26;
const FONT = 12.5;

export function element(name, attributes = {}, ...children) {
  return fill(document.createElement(name), attributes, children);
}

function shape(name, attributes = {}, ...children) {
  return fill(document.createElementNS(SVG, name), attributes, children);
}

function fill(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

let pen = null;
function widthOf(text) {
  if (!pen) {
    pen = document.createElement("canvas").getContext("2d");
    pen.font = `${FONT}px ${getComputedStyle(document.body).fontFamily}`;
  }
  return pen.measureText(text).width;
}

function shortened(text, width) {
  if (widthOf(text) <= width) return text;
  let low = 0,
    high = text.length;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (widthOf(`${text.slice(0, middle)}…`) <= width) low = middle;
    else high = middle - 1;
  }
  return `${text.slice(0, low).trimEnd()}…`;
}

// Titles that fit a width. Where several begin with the same words these go first: the rest tells them apart.
function fitting(titles, width) {
  if (titles.every((title) => widthOf(title) <= width)) return titles;
  const words = titles.map((title) => title.split(" "));
  let common = 0;
  while (titles.length > 1 && words.every((one) => one.length > common + 1 && one[common] === words[0][common]))
    common++;
  return titles.map((title, i) => shortened(common ? `… ${words[i].slice(common).join(" ")}` : title, width));
}

// ------------------------------------------------------------------------------------------------ the tooltip

let tip = null;

// Shows lines [[name, value, colour class], …] under a title, near a place of the window.
function showTip(title, lines, left, top) {
  tip ??= document.body.appendChild(element("div", { id: "board-tip", "aria-hidden": "true" }));
  const rows = lines.map(([name, value, mark]) =>
    element(
      "tr",
      {},
      element("th", {}, mark ? element("i", { class: `key ${mark}` }) : "", name),
      element("td", {}, value),
    ),
  );
  tip.replaceChildren(element("strong", {}, title), element("table", {}, ...rows));
  tip.style.display = "block";
  const box = tip.getBoundingClientRect();
  const room = document.documentElement.clientWidth;
  tip.style.left = `${Math.max(4, left + 14 + box.width > room ? left - 14 - box.width : left + 14)}px`;
  tip.style.top = `${Math.max(4, top - box.height - 10)}px`;
}

export function hideTip() {
  if (tip) tip.style.display = "none";
}

// ------------------------------------------------------------------------------------------- charts over time

// content: {width, label, kind, steps: [{title, tick}], series: [{name, values, look, mark}], stacked}
//   look is columns, line, dashed or layer; mark the class of its colour.
// on: {pick(step), zoom(first, last)}; both may be missing.
export function drawTime(place, content, on = {}) {
  const height = HEIGHT;
  const { steps, series, kind, width } = content;
  const layers = series.filter((one) => one.look === "layer");
  const heaps = layers.length ? stacked(layers, steps.length) : [];
  const values = [...series.filter((one) => one.look !== "layer").flatMap((one) => [...one.values]), ...heaps.flat(2)];
  const known = values.filter((value) => value !== null && !Number.isNaN(value));
  const y = d3
    .scaleLinear()
    .domain([Math.min(0, d3.min(known) || 0), Math.max(0, d3.max(known) || 0) || 1])
    .nice(4);
  const ticks = y.ticks(4).filter((value) => kind !== "count" || Number.isInteger(value));
  const left = Math.ceil(Math.max(...ticks.map((value) => widthOf(tick(value, kind))))) + 10;
  const area = { left, right: width - 6, top: 8, bottom: height - 22 };
  y.range([area.bottom, area.top]);
  const step = (area.right - area.left) / Math.max(1, steps.length);
  const x = (i) => area.left + (i + 0.5) * step;
  const picture = shape("svg", { width, height, viewBox: `0 0 ${width} ${height}`, class: "time" });

  for (const value of ticks) {
    const at = Math.round(y(value)) + 0.5;
    picture.append(
      shape("line", { class: value === 0 ? "zero" : "grid", x1: area.left, x2: area.right, y1: at, y2: at }),
    );
    picture.append(
      shape("text", { class: "axis", x: area.left - 8, y: at + 4, "text-anchor": "end" }, tick(value, kind)),
    );
  }
  const every = Math.max(1, Math.ceil((d3.max(steps, (one) => widthOf(one.tick)) + 22) / step));
  for (let i = Math.floor(((steps.length - 1) % every) / 2); i < steps.length; i += every) {
    const half = widthOf(steps[i].tick) / 2;
    const at = Math.min(Math.max(x(i), area.left + half - 6), width - half - 1);
    picture.append(shape("text", { class: "axis", x: at, y: height - 5, "text-anchor": "middle" }, steps[i].tick));
  }
  const body = shape("g", { class: "marks" });
  picture.append(body);
  layers.forEach((one, n) => body.append(layerOf(one, heaps[n], { x, y, step, count: steps.length })));
  for (const one of series) {
    if (one.look !== "layer") body.append(...marksOf(one, { x, y, step, count: steps.length, zero: y(0) }));
  }
  const cursor = shape("line", { class: "cursor", y1: area.top, y2: area.bottom, visibility: "hidden" });
  const band = shape("rect", { class: "band", y: area.top, height: area.bottom - area.top, width: 0 });
  picture.append(band, cursor);
  place.replaceChildren(picture);
  answer(picture, { content, area, step, x, cursor, band, on });
}

function stacked(layers, count) {
  const up = new Float64Array(count),
    down = new Float64Array(count);
  return layers.map((one) =>
    Array.from({ length: count }, (_, i) => {
      const value = one.values[i] || 0;
      const heap = value < 0 ? down : up;
      heap[i] += value;
      return [heap[i] - value, heap[i]];
    }),
  );
}

const round = (value) => value.toFixed(1);

function layerOf(one, heap, { x, y, step, count }) {
  const wide = count > 120 ? step : Math.min(step * 0.72, 44);
  const path = heap
    .map(([from, to], i) =>
      from === to
        ? ""
        : `M${round(x(i) - wide / 2)},${round(y(from))}V${round(y(to))}h${round(wide)}V${round(y(from))}Z`,
    )
    .join("");
  return shape("path", { class: `fill ${one.mark}`, d: path });
}

function marksOf(one, { x, y, step, count, zero }) {
  const has = (value) => value !== null && !Number.isNaN(value);
  if (one.look === "columns" && count <= 62) {
    const wide = Math.min(step * 0.72, 44);
    const path = Array.from(one.values, (value, i) =>
      has(value) ? `M${round(x(i) - wide / 2)},${round(zero)}V${round(y(value))}h${round(wide)}V${round(zero)}Z` : "",
    ).join("");
    return [shape("path", { class: `fill ${one.mark}`, d: path })];
  }
  const line =
    d3
      .line()
      .defined(has)
      .x((_, i) => x(i))
      .y(y)([...one.values]) || "";
  const marks = [shape("path", { class: `line ${one.look} ${one.mark}`, d: line })];
  if (one.look === "columns") {
    const area =
      d3
        .area()
        .defined(has)
        .x((_, i) => x(i))
        .y0(zero)
        .y1(y)([...one.values]) || "";
    marks.unshift(shape("path", { class: `area ${one.mark}`, d: area }));
  }
  return marks;
}

// Pointer and keys: a cursor tells each step's values; a click or Enter picks it, a drag zooms.
function answer(picture, { content, area, step, x, cursor, band, on }) {
  const { steps, series, kind } = content;
  if (!steps.length) return;
  const text = (i) =>
    series.map((one) => [
      one.titles ? `${one.name} (${one.titles[i] || ""})` : one.name,
      write(one.values[i], kind),
      one.mark,
    ]);
  let at = steps.length - 1,
    start = null;
  fill(
    picture,
    {
      role: "slider",
      tabindex: "0",
      "aria-label": content.label,
      "aria-valuemin": 0,
      "aria-valuemax": steps.length - 1,
    },
    [],
  );
  const say = () => {
    picture.setAttribute("aria-valuenow", at);
    picture.setAttribute(
      "aria-valuetext",
      `${steps[at].title}: ${text(at)
        .map(([name, value]) => `${name} ${value}`)
        .join(", ")}`,
    );
  };
  say();
  const point = (i) => {
    at = Math.min(Math.max(i, 0), steps.length - 1);
    fill(cursor, { x1: x(at), x2: x(at), visibility: "visible" }, []);
    const box = picture.getBoundingClientRect();
    showTip(steps[at].title, text(at), box.left + x(at), box.top + 40);
    say();
  };
  const away = () => {
    fill(cursor, { visibility: "hidden" }, []);
    hideTip();
  };
  const under = (event) => Math.floor((event.clientX - picture.getBoundingClientRect().left - area.left) / step);
  picture.addEventListener("pointermove", (event) => {
    point(under(event));
    if (start === null) return;
    const [first, last] = [Math.min(start, at), Math.max(start, at)];
    fill(band, { x: area.left + first * step, width: first === last ? 0 : (last - first + 1) * step }, []);
  });
  picture.addEventListener("pointerleave", () => start === null && away());
  picture.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    point(under(event));
    start = at;
    // A finger that moves scrolls the page.
    if (on.zoom && event.pointerType === "mouse") picture.setPointerCapture(event.pointerId);
  });
  picture.addEventListener("pointerup", () => {
    if (start === null) return;
    const [first, last] = [Math.min(start, at), Math.max(start, at)];
    start = null;
    fill(band, { width: 0 }, []);
    if (first !== last && on.zoom) on.zoom(first, last);
    else if (on.pick) on.pick(at);
  });
  picture.addEventListener("pointercancel", () => {
    start = null;
    away();
  });
  picture.addEventListener("focus", () => picture.matches(":focus-visible") && point(at));
  picture.addEventListener("blur", away);
  picture.addEventListener("keydown", (event) => {
    const moves = {
      ArrowLeft: at - 1,
      ArrowRight: at + 1,
      ArrowDown: at - 1,
      ArrowUp: at + 1,
      Home: 0,
      End: steps.length - 1,
    };
    if (event.key in moves) point(moves[event.key]);
    else if (event.key === "Enter" && on.pick) on.pick(at);
    else if (event.key === "Escape") away();
    else return;
    event.preventDefault();
  });
}

// ------------------------------------------------------------------------------------------------------- bars

// content: {width, label, kind, rows: [{name, value, before, share, chosen, dimmed, fixed}], beforeTitle}
//   a row that is `fixed` answers no click.
// on: {pick(name)}
export function drawBars(place, content, on = {}) {
  const { rows, kind, width } = content;
  const height = rows.length * ROW + 6;
  const texts = rows.map((row) => short(row.value, kind));
  const right = Math.max(...texts.map(widthOf), 30) + 10;
  const left = Math.min(Math.max(...rows.map((row) => widthOf(row.title)), 40) + 12, width * 0.42);
  // What stands for many others would make them all small: it has its value and no bar.
  const known = rows
    .filter((row) => !row.isRest)
    .flatMap((row) => [row.value, row.before ?? 0])
    .filter((value) => !Number.isNaN(value));
  const x = d3
    .scaleLinear()
    .domain([Math.min(0, d3.min(known) || 0), Math.max(0, d3.max(known) || 0) || 1])
    .range([left, width - right]);
  const titles = fitting(
    rows.map((row) => row.title),
    left - 12,
  );
  const picture = shape("svg", {
    width,
    height,
    viewBox: `0 0 ${width} ${height}`,
    class: "bars",
    role: "group",
    "aria-label": content.label,
  });
  rows.forEach((row, i) => {
    const top = i * ROW + 3,
      middle = top + ROW / 2;
    const value = Number.isNaN(row.value) ? 0 : row.value;
    const [from, to] = value < 0 ? [x(value), x(0)] : [x(0), x(value)];
    const has = row.before !== null && row.before !== undefined && !Number.isNaN(row.before);
    const says = [
      write(row.value, kind),
      row.share !== undefined ? write(row.share, "share") : "",
      has ? `${content.beforeTitle} ${write(row.before, kind)}` : "",
    ].filter(Boolean);
    const bar = shape(
      "g",
      {
        class: `bar${row.isRest ? " others" : ""}${row.chosen ? " chosen" : ""}${row.dimmed ? " dimmed" : ""}${row.fixed ? " fixed" : ""}`,
        "data-name": row.name,
        ...(row.fixed
          ? { role: "img" }
          : { role: "button", tabindex: "0", "aria-pressed": String(Boolean(row.chosen)) }),
        "aria-label": `${row.title}: ${says.join(", ")}`,
      },
      shape("rect", { class: "row", x: 0, y: top, width, height: ROW, rx: 4 }),
      shape("text", { class: "name", x: left - 8, y: middle + 4, "text-anchor": "end" }, titles[i]),
      row.isRest
        ? null
        : shape("rect", {
            class: `fill ${row.mark || "s0"}`,
            x: from,
            y: top + 5,
            width: Math.max(to - from, value ? 1 : 0),
            height: ROW - 10,
            rx: 2,
          }),
      has && !row.isRest
        ? shape("line", { class: "before", x1: x(row.before), x2: x(row.before), y1: top + 3, y2: top + ROW - 3 })
        : null,
      shape("text", { class: "value", x: width - 4, y: middle + 4, "text-anchor": "end" }, texts[i]),
    );
    const lines = [[content.measure, write(row.value, kind), row.mark || "s0"]];
    if (row.share !== undefined) lines.push(["Share", write(row.share, "share")]);
    if (has) {
      lines.push([content.beforeTitle, write(row.before, kind)]);
      if (row.before) lines.push(["Change", write((row.value - row.before) / Math.abs(row.before), "change")]);
    }
    bar.addEventListener("pointermove", (event) => showTip(row.title, lines, event.clientX, event.clientY));
    bar.addEventListener("pointerleave", hideTip);
    if (!row.fixed && on.pick) {
      bar.addEventListener("click", () => on.pick(row.name));
      bar.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        on.pick(row.name);
      });
    }
    picture.append(bar);
  });
  place.replaceChildren(picture);
}

// -------------------------------------------------------------------------------------------------- sparklines

export function drawSparkline(place, values) {
  const width = 120,
    height = 30;
  const known = [...values].filter((value) => value !== null && !Number.isNaN(value));
  const x = d3
    .scaleLinear()
    .domain([0, Math.max(1, values.length - 1)])
    .range([1, width - 1]);
  const y = d3
    .scaleLinear()
    .domain([Math.min(0, d3.min(known) || 0), Math.max(0, d3.max(known) || 0) || 1])
    .range([height - 2, 2]);
  const has = (value) => value !== null && !Number.isNaN(value);
  const picture = shape(
    "svg",
    { viewBox: `0 0 ${width} ${height}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    shape("path", {
      class: "area s0",
      d:
        d3
          .area()
          .defined(has)
          .x((_, i) => x(i))
          .y0(height)
          .y1(y)([...values]) || "",
    }),
    shape("path", {
      class: "line s0",
      d:
        d3
          .line()
          .defined(has)
          .x((_, i) => x(i))
          .y(y)([...values]) || "",
    }),
  );
  place.replaceChildren(picture);
}
