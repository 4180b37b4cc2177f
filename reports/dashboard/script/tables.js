// Tables that sort, search and page. A table shows the content that it is given; clicks go to who gave it.

import { element } from "./charts.js";
import { write } from "./format.js";

const PAGE = 12;
const LEFT = ["text", "day", "moment"];

// What a reader has done to a table: kept by its name, so that new data change no order.
const views = new Map();
export function viewOf(name, first = {}) {
  if (!views.has(name)) views.set(name, { sort: null, down: true, text: "", page: 0, ...first });
  return views.get(name);
}

// The rows as they are shown, all pages of them.
export function shownRows(content, view) {
  const words = view.text.toLowerCase().split(/\s+/).filter(Boolean);
  let rows = content.rows;
  if (words.length) {
    rows = rows.filter((row) => {
      const text = row
        .map((value, i) => write(value, content.columns[i].kind))
        .join(" ")
        .toLowerCase();
      return words.every((word) => text.includes(word));
    });
  }
  if (view.sort === null || view.sort >= content.columns.length) return rows;
  const missing = (value) => value === null || value === undefined || Number.isNaN(value);
  return [...rows].sort((a, b) => {
    const [left, right] = [a[view.sort], b[view.sort]];
    if (missing(left) || missing(right)) return Number(missing(left)) - Number(missing(right));
    const order = typeof left === "number" ? left - right : String(left).localeCompare(String(right));
    return view.down ? -order : order;
  });
}

// content: {title, columns: [{title, kind, bar}], rows: [[…]], shown: [text, …] for rows, total: [[…]]}
// on: {pick(row), chosen(row)}; both may be missing.
export function drawTable(place, name, content, on = {}) {
  const view = viewOf(name);
  const rows = shownRows(content, view);
  const pages = Math.max(1, Math.ceil(rows.length / PAGE));
  view.page = Math.min(view.page, pages - 1);
  const again = (change) => {
    const { dataset, selectionStart } = document.activeElement;
    Object.assign(view, change);
    drawTable(place, name, content, on);
    if (!dataset.key) return;
    const focus = place.querySelector(`[data-key="${dataset.key}"]`);
    focus?.focus();
    if (focus?.type === "search") focus.setSelectionRange(selectionStart, selectionStart);
  };
  const heads = content.columns.map((column, i) => {
    const state = view.sort === i ? (view.down ? "descending" : "ascending") : "none";
    const button = element(
      "button",
      { type: "button", "data-key": `sort-${i}` },
      column.title,
      element("span", { class: "order", "aria-hidden": "true" }, state === "none" ? "" : view.down ? "↓" : "↑"),
    );
    button.addEventListener("click", () =>
      again({ sort: i, down: view.sort === i ? !view.down : !LEFT.includes(column.kind || "text"), page: 0 }),
    );
    return element("th", { scope: "col", "aria-sort": state, class: side(column) }, button);
  });
  const greatest = content.columns.map((column, i) =>
    column.bar ? Math.max(...content.rows.map((row) => Math.abs(row[i]) || 0), 0) : 0,
  );
  const lines = rows
    .slice(view.page * PAGE, (view.page + 1) * PAGE)
    .map((row) => lineOf(row, { content, greatest, on }));
  const total = content.total
    ? [
        element(
          "tfoot",
          {},
          element(
            "tr",
            {},
            ...content.total.map((value, i) =>
              element(
                "td",
                { class: side(content.columns[i]) },
                value === null ? "" : write(value, content.columns[i].kind),
              ),
            ),
          ),
        ),
      ]
    : [];
  const table = element(
    "table",
    { class: "data" },
    element("caption", { class: "unseen" }, content.title),
    element("thead", {}, element("tr", {}, ...heads)),
    element("tbody", {}, ...lines),
    ...total,
  );
  const frame = element("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": content.title }, table);
  const empty = rows.length
    ? null
    : element(
        "p",
        { class: "empty" },
        content.rows.length ? "No row has these words." : content.empty || "There is nothing to show.",
      );
  place.replaceChildren(
    ...[searchOf(view, content, again), frame, empty, pagerOf(view, pages, rows.length, again)].filter(Boolean),
  );
}

const side = (column) => (LEFT.includes(column.kind || "text") ? null : "number");

function lineOf(row, { content, greatest, on }) {
  const cells = row.map((value, i) => {
    const column = content.columns[i];
    const text = write(value, column.kind);
    const looks = [
      side(column),
      column.kind === "change" && value ? (value > 0 === (column.better !== "less") ? "good" : "bad") : "",
    ];
    const cell = element(i ? "td" : "th", { class: looks.filter(Boolean).join(" ") || null, scope: i ? null : "row" });
    if (i === 0 && on.pick) {
      const button = element(
        "button",
        { type: "button", class: "pick", "data-key": `pick-${text}`, "aria-pressed": String(on.chosen(row)) },
        text,
      );
      button.addEventListener("click", () => on.pick(row));
      cell.append(button);
    } else cell.append(text);
    if (greatest[i] && value > 0) {
      cell.classList.add("barred");
      cell.style.setProperty("--part", `${(100 * Math.abs(value)) / greatest[i]}%`);
    }
    if (column.states?.[value]) cell.append(element("i", { class: `dot ${column.states[value]}` }));
    return cell;
  });
  return element("tr", { class: on.chosen?.(row) ? "chosen" : null }, ...cells);
}

function searchOf(view, content, again) {
  if (content.rows.length <= PAGE && !view.text) return null;
  const input = element("input", {
    type: "search",
    placeholder: "Search",
    "aria-label": `Search in ${content.title}`,
    "data-key": "search",
    value: view.text,
  });
  input.value = view.text;
  input.addEventListener("input", () => again({ text: input.value, page: 0 }));
  return element("div", { class: "search" }, input);
}

function pagerOf(view, pages, count, again) {
  if (pages === 1) return null;
  const button = (title, key, page, sign) => {
    const node = element(
      "button",
      { type: "button", "aria-label": title, "data-key": key, disabled: page < 0 || page >= pages },
      sign,
    );
    node.addEventListener("click", () => again({ page }));
    return node;
  };
  const first = view.page * PAGE + 1;
  return element(
    "div",
    { class: "pager" },
    element("span", { "aria-live": "polite" }, `${first}–${Math.min(first + PAGE - 1, count)} of ${count}`),
    button("Page before", "before", view.page - 1, "‹"),
    button("Next page", "next", view.page + 1, "›"),
  );
}
