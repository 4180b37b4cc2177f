// The dashboard's own script: adds the page's data up for the chosen period and hands it to tiles and charts.
// What there is to show is defined in dashboard.py. No request leaves the page.
"use strict";
(() => {
  const DAY = 86400000;
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const page = { data: null, charts: {} };

  const sum = (values, start, end) => {
    let total = 0;
    for (let i = start; i < end; i++) total += values[i] || 0;
    return total;
  };

  // The figure of a tile between two days (end excluded), or null where the data does not reach back so far.
  const figure = (tile, start, end) => {
    if (start < 0 || end <= start) return null;
    const above = sum(page.data.series[tile.above], start, end);
    if (!tile.below) return above;
    const below = sum(page.data.series[tile.below], start, end);
    return below ? above / below : null;
  };

  const number = (value, digits) =>
    new Intl.NumberFormat("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits })
      .format(Math.abs(value));
  const write = (tile, value) => {
    if (value === null) return "–";
    return (value < 0 ? "−" : "") + (tile.is_money ? page.data.currency : "") + number(value, tile.is_money ? 2 : 0);
  };
  const remark = (now, before, title) => {
    if (now === null || !before) return "no comparison";
    const ratio = (now - before) / Math.abs(before);
    const sign = Math.abs(ratio) < 0.0005 ? "±" : ratio < 0 ? "−" : "+";
    return `${sign}${number(100 * Math.abs(ratio), 1)}% on the ${title} before`;
  };
  const shortDay = (time) =>
    new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(time);

  const paintTiles = (start, end, title) => {
    for (const [name, tile] of Object.entries(page.data.tiles)) {
      const now = figure(tile, start, end);
      const before = figure(tile, 2 * start - end, start);
      const value = document.getElementById(`tile-${name}`);
      const below = document.getElementById(`tile-${name}-change`);
      if (value) value.textContent = write(tile, now);
      if (below) below.textContent = remark(now, before, title);
    }
  };

  // Bars of a group, the greatest first; upwards on a vertical axis.
  const paintBars = (name, axis, upwards, start, end) => {
    const chart = page.charts[name];
    if (!chart) return;
    const { names, values } = page.data.groups[name];
    const bars = names.map((label, i) => [label, Math.round(100 * sum(values[i], start, end)) / 100]);
    bars.sort((a, b) => b[1] - a[1] || (a[0] < b[0] ? -1 : 1));
    const labels = bars.map((bar) => bar[0]);
    chart[axis].factors = upwards ? [...labels].reverse() : labels;
    chart.document.get_model_by_name(name).data = { name: labels, value: bars.map((bar) => bar[1]) };
  };

  const paint = (days) => {
    const length = page.data.series.sales.length;
    const period = days > 0 && days < length ? days : length;
    const start = length - period;
    const first = Date.parse(page.data.first);
    let title = "";
    for (const button of document.querySelectorAll(".periods button")) {
      const chosen = Number(button.dataset.days) === days;
      button.setAttribute("aria-pressed", String(chosen));
      if (chosen) title = button.textContent;
    }
    document.querySelector(".periods output").textContent =
      `${shortDay(first + start * DAY)} – ${shortDay(first + (length - 1) * DAY)}`;
    paintTiles(start, length, title);
    paintBars("categories", "y_range", true, start, length);
    paintBars("channels", "x_range", false, start, length);
    if (page.charts.sales) {
      const range = page.charts.sales.x_range;
      const bounds = { start: first + (start - 0.55) * DAY, end: first + (length - 0.45) * DAY };
      range.setv({ ...bounds, reset_start: bounds.start, reset_end: bounds.end });
    }
  };

  // Colours on a canvas do not follow CSS by themselves: models say in their tags which variable each one has.
  const colour = () => {
    const style = getComputedStyle(document.documentElement);
    for (const chart of Object.values(page.charts)) {
      for (const model of chart.references()) {
        for (const tag of model.tags || []) {
          const [property, variable] = String(tag).split(":");
          if (variable && model[property] !== null) model[property] = style.getPropertyValue(variable).trim();
        }
      }
    }
  };

  const fromAddress = () => {
    const asked = new URLSearchParams(location.hash.slice(1)).get("days");
    const known = [...document.querySelectorAll(".periods button")].map((button) => button.dataset.days);
    const pressed = document.querySelector('.periods button[aria-pressed="true"]');
    return Number(known.includes(asked) ? asked : pressed.dataset.days);
  };

  document.addEventListener("DOMContentLoaded", async () => {
    page.data = read("board-data");
    for (const [name, item] of Object.entries(read("board-charts"))) {
      const place = document.getElementById(`chart-${name}`);
      if (!place) continue;
      const views = await Bokeh.embed.embed_item(item, place);
      page.charts[name] = views.roots[0].model;
    }
    if (page.charts.sales) {
      const { sales, mean } = page.data.series;
      const first = Date.parse(page.data.first);
      page.charts.sales.document.get_model_by_name("sales").data = {
        day: sales.map((_, i) => first + i * DAY),
        sales,
        mean: mean.map((value) => (value === null ? NaN : value)),
      };
    }
    colour();
    paint(fromAddress());
    document.querySelector(".periods").addEventListener("click", (event) => {
      if (event.target.dataset.days) location.hash = `days=${event.target.dataset.days}`;
    });
    window.addEventListener("hashchange", () => paint(fromAddress()));
    window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", colour);
    document.documentElement.dataset.ready = "true";
  });
})();
