// What is chosen on the page, and the address that says it: a mailed link shows the same.

import { DAY, isoDay } from "./format.js";

export const GRAINS = ["day", "week", "month"];

// {days} for the last days (0: all), or {from, to} as 2025-06-30; `filters` is {dimension: [names]}.
export function readAddress(hash, defaults) {
  const found = new URLSearchParams(hash.replace(/^#/, ""));
  const state = structuredClone(defaults);
  const isDay = (text) => /^\d{4}-\d{2}-\d{2}$/.test(text || "") && !Number.isNaN(Date.parse(text));
  if (isDay(found.get("from")) && isDay(found.get("to"))) {
    state.days = null;
    state.from = found.get("from");
    state.to = found.get("to");
    if (state.from > state.to) [state.from, state.to] = [state.to, state.from];
  } else if (/^\d{1,5}$/.test(found.get("days") || "")) state.days = Number(found.get("days"));
  for (const dimension of Object.keys(state.filters)) state.filters[dimension] = found.getAll(dimension);
  for (const key of ["measure", "grain", "compare", "by", "page"]) if (found.has(key)) state[key] = found.get(key);
  return state;
}

export function writeAddress(state, defaults) {
  const out = new URLSearchParams();
  if (state.page !== defaults.page) out.set("page", state.page);
  if (state.days === null) {
    out.set("from", state.from);
    out.set("to", state.to);
  } else if (state.days !== defaults.days) out.set("days", state.days);
  for (const [dimension, names] of Object.entries(state.filters)) for (const name of names) out.append(dimension, name);
  for (const key of ["measure", "grain", "compare", "by"]) if (state[key] !== defaults[key]) out.set(key, state[key]);
  const text = out.toString();
  return text ? `#${text}` : "#";
}

// The chosen days as places [from, to) of the cube, kept within its days.
export function period(state, cube) {
  if (state.days !== null) {
    const length = state.days > 0 && state.days < cube.days ? state.days : cube.days;
    return { from: cube.days - length, to: cube.days };
  }
  const place = (text) => Math.round((Date.parse(text) - cube.start) / DAY);
  const from = Math.min(Math.max(place(state.from), 0), cube.days - 1);
  return { from, to: Math.max(Math.min(place(state.to) + 1, cube.days), from + 1) };
}

// The days that a period is compared with: just before it, or 52 weeks earlier. `from` is negative where the data do
// not reach back so far.
export function before({ from, to }, compare) {
  const shift = compare === "year" ? 364 : to - from;
  return { from: from - shift, to: to - shift };
}

export function grainOf(state, { from, to }) {
  if (GRAINS.includes(state.grain)) return state.grain;
  return to - from <= 92 ? "day" : to - from <= 500 ? "week" : "month";
}

export const asDays = (cube, { from, to }) => ({
  from: isoDay(cube.start + from * DAY),
  to: isoDay(cube.start + (to - 1) * DAY),
});
