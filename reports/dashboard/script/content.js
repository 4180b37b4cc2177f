// What charts, tiles and tables show: from a definition of board.yml and what is chosen to titles, rows and values.
// Draws nothing.

import { DAY, day, dayMonth, days, isoDay, monthYear, weekday, weekdayName } from "./format.js";
import { before, grainOf, period } from "./state.js";

const MOST_BARS = 10;
const MOST_LAYERS = 6;
const MEAN_DAYS = 7;
const REST = "Others";
const NOTHING = "There is nothing to show.";

export class Contents {
  constructor(definitions, cube, state) {
    this.definitions = definitions;
    this.cube = cube;
    this.state = state;
    this.period = period(state, cube);
    this.before = before(this.period, state.compare);
    this.hasBefore = this.before.from >= 0;
    this.grain = grainOf(state, this.period);
    this.beforeTitle = state.compare === "year" ? "52 weeks before" : "Period before";
  }

  measureOf(definition) {
    return definition.measure === "chosen" ? this.state.measure : definition.measure;
  }

  measure(name) {
    return this.definitions.measures[name];
  }

  dimension(name) {
    return (
      this.definitions.dimensions[name]?.label ||
      { weekday: "Weekday", purchases: "Purchases", source: "Source" }[name] ||
      name
    );
  }

  title(definition) {
    const name = this.measure(this.measureOf(definition)).label;
    const title = definition.title.replace("{measure}", name);
    return definition.by ? title.replace("{by}", this.dimension(this.by(definition)).toLowerCase()) : title;
  }

  // The dimension of a chart: the one it has, the chosen one of several, or the next one when it is drilled into.
  by(definition) {
    if (Array.isArray(definition.by)) return definition.by.includes(this.state.by) ? this.state.by : definition.by[0];
    return this.drilled(definition) ? definition.drill : definition.by;
  }

  // The value into which a chart is drilled: the only chosen one of its dimension.
  drilled(definition) {
    const chosen = definition.drill ? this.state.filters[definition.by] : [];
    return chosen.length === 1 ? chosen[0] : null;
  }

  // What a chart or table leaves out of the filters, in words; empty where it follows them all.
  note(measures) {
    const ignored = new Set(measures.flatMap((name) => this.cube.ignored(name)));
    const names = [...ignored].map((name) => this.dimension(name).toLowerCase());
    return names.length ? `of every ${names.join(" and ")}` : "";
  }

  values(name, more = {}) {
    return this.cube.values(name, { ...this.period, ...more });
  }

  isSum(name) {
    return Boolean(this.measure(name).sum);
  }

  // ------------------------------------------------------------------------------------------------ tiles

  tile(name) {
    const { from, to } = this.period;
    const value = this.cube.total(name, from, to);
    const earlier = this.hasBefore ? this.cube.total(name, this.before.from, this.before.to) : null;
    const buckets = this.cube.buckets(from, to, to - from > 120 ? "week" : "day");
    return {
      value,
      earlier,
      change: value === null || !earlier ? null : (value - earlier) / Math.abs(earlier),
      line: this.values(name, { buckets }),
      note: this.note([name]),
    };
  }

  // ------------------------------------------------------------------------------------------------ charts

  chart(definition) {
    const content = this.#chart(definition);
    const values = content.rows
      ? content.rows.map((row) => row.value || row.before)
      : content.series?.flatMap((one) => [...one.values]);
    return values && !values.some(Boolean)
      ? { ...content, rows: undefined, steps: undefined, series: undefined, empty: NOTHING }
      : content;
  }

  #chart(definition) {
    const name = this.measureOf(definition),
      by = definition.shape === "time" ? null : this.by(definition);
    const content = {
      kind: this.measure(name).kind,
      measure: this.measure(name).label,
      beforeTitle: this.beforeTitle,
      label: this.title(definition),
    };
    if (this.measure(name).semantic) return { ...content, ...this.#semantic(definition, this.measure(name), by) };
    if (!this.cube.knows(name, by === "purchases" ? null : by)) {
      const why =
        by && this.cube.knows(name, null)
          ? `is not told by ${this.dimension(by).toLowerCase()}`
          : "is not in this page: there are too many customers";
      return { ...content, empty: `${content.measure} ${why}.` };
    }
    if (definition.shape === "bars") return { ...content, ...this.#bars(definition, name, by) };
    const buckets = this.cube.buckets(this.period.from, this.period.to, this.grain);
    const steps = this.#steps(buckets);
    const series = definition.shape === "stack" ? this.#layers(name, by, buckets) : this.#lines(name, buckets);
    return { ...content, steps, series, note: this.note([name]) };
  }

  #steps(buckets) {
    const long = buckets.count > 53;
    return buckets.steps.map(({ from, to, time }) => {
      const last = this.cube.start + (to - 1) * DAY;
      const isMonth =
        this.grain === "month" && new Date(time).getUTCDate() === 1 && new Date(last + DAY).getUTCDate() === 1;
      const title = this.grain === "day" ? weekday(time) : isMonth ? monthYear(time) : days(time, last);
      return {
        from,
        to,
        title,
        iso: isoDay(time),
        tick: this.grain === "month" || (long && this.grain === "week") ? monthYear(time) : dayMonth(time),
      };
    });
  }

  #lines(name, buckets) {
    const series = [
      { name: this.measure(name).label, values: this.values(name, { buckets }), look: "columns", mark: "s0" },
    ];
    if (this.hasBefore) {
      const shift = this.period.from - this.before.from;
      const of = Int32Array.from({ length: this.cube.days }, (_, d) =>
        d + shift < this.cube.days ? buckets.of[d + shift] : -1,
      );
      const values = this.cube.values(name, { ...this.before, buckets: { of, count: buckets.count } });
      const titles = buckets.steps.map(({ time }) => day(time - shift * DAY));
      series.push({ name: this.beforeTitle, values, look: "dashed", mark: "muted", titles });
    }
    if (this.grain === "day" && this.isSum(name) && buckets.count > 2 * MEAN_DAYS) {
      series.push({ name: "Mean of seven days", values: this.#mean(name), look: "line", mark: "s1" });
    }
    return series;
  }

  // The mean of the seven days that end at each day; null where the data have fewer.
  #mean(name) {
    const { from, to } = this.period;
    const start = Math.max(0, from - MEAN_DAYS + 1);
    const daily = this.cube.values(name, { from: start, to, buckets: this.cube.buckets(start, to, "day") });
    return Array.from({ length: to - from }, (_, i) => {
      const end = from + i + 1 - start;
      if (end < MEAN_DAYS) return null;
      let sum = 0;
      for (let d = end - MEAN_DAYS; d < end; d++) sum += daily[d];
      return sum / MEAN_DAYS;
    });
  }

  // The greatest groups as layers, the rest as one. What does not add up is shown as lines.
  #layers(name, by, buckets) {
    const groups = this.cube.groups(by);
    const totals = this.values(name, { by, own: true });
    const values = this.values(name, { by, own: true, buckets });
    const order = [...groups.keys()].filter((g) => totals[g]).sort((a, b) => totals[b] - totals[a]);
    const isSum = this.isSum(name);
    const shown = order.length > MOST_LAYERS ? order.slice(0, MOST_LAYERS - 1) : order;
    const look = isSum ? "layer" : "line";
    // Few groups keep their colours whatever is filtered.
    const place = (g, i) => (groups.length <= MOST_LAYERS ? g : i);
    const series = shown.map((g, i) => ({
      name: groups[g],
      look,
      mark: `s${place(g, i)}`,
      values: Float64Array.from({ length: buckets.count }, (_, b) => values[b * groups.length + g]),
    }));
    if (isSum && shown.length < order.length) {
      const rest = order.slice(shown.length);
      series.push({
        name: REST,
        look,
        mark: "rest",
        values: Float64Array.from({ length: buckets.count }, (_, b) =>
          rest.reduce((sum, g) => sum + values[b * groups.length + g], 0),
        ),
      });
    }
    return series;
  }

  // A metric of the semantic layer: its values as they were built, by whole days, weeks or months.
  #semantic(definition, metric, by) {
    const kept = this.cube.data.metrics[metric.semantic].values;
    const chosen = Object.entries(this.state.filters).filter(([, names]) => names.length);
    const [dimension, names] = by ? [by, null] : chosen[0] || ["total", ["total"]];
    const grain = kept[this.grain]?.[dimension] ? this.grain : "week";
    const groups = kept[grain]?.[dimension] || {};
    if (by && !kept[grain]?.[by])
      return { empty: `${metric.label} is not kept by ${this.dimension(by).toLowerCase()}.` };
    const isKept = by ? chosen.length === 0 : chosen.length < 2 && names.length === 1;
    const wanted = (by ? Object.keys(groups) : names).filter((name) => groups[name]).slice(0, MOST_LAYERS);
    if (!isKept || !wanted.length) {
      return {
        empty: `${metric.label} is not kept by this choice of filters: choose one value of one of them, or none.`,
      };
    }
    const places = this.#places(grain);
    if (definition.shape === "bars") return this.#newest(groups, by, grain, places);
    const found = wanted.map((name) => new Map(groups[name][0].map((place, i) => [place, groups[name][1][i]])));
    const read = (values, shift) => places.map(({ place }) => values.get(this.#earlier(place, grain, shift)) ?? null);
    const back = this.state.compare === "year" ? { day: 364, week: 52, month: 12 }[grain] : places.length;
    const series = wanted.map((name, i) => ({
      name: by ? name : metric.label,
      values: read(found[i], 0),
      look: by ? "line" : "columns",
      mark: `s${i}`,
    }));
    const earlier = by ? [] : read(found[0], back);
    if (earlier.some((value) => value !== null))
      series.push({ name: this.beforeTitle, values: earlier, look: "dashed", mark: "muted" });
    const note = grain === "day" ? metric.description : `${metric.description} By whole ${grain}s.`;
    return { steps: places, series, grain, note: note.trim() };
  }

  // The values of the newest week or month that the period touches, as bars: over several they do not add up.
  #newest(groups, by, grain, places) {
    const { place, title } = places.at(-1),
      earlier = this.#earlier(place, grain, this.state.compare === "year" ? { week: 52, month: 12 }[grain] : 1);
    const read = ([of, values], at) => values[of.indexOf(at)] ?? null;
    const rows = Object.entries(groups)
      .map(([name, kept]) => ({
        name,
        title: name,
        value: read(kept, place),
        before: read(kept, earlier),
        chosen: false,
      }))
      .filter((row) => row.value !== null)
      .sort((a, b) => b.value - a.value);
    return {
      rows: this.#greatest(rows, null),
      by,
      note: `of ${title}`,
      beforeTitle: this.state.compare === "year" ? this.beforeTitle : `The ${grain} before`,
    };
  }

  // The days, weeks or months that the period touches, by their first days.
  #places(grain) {
    const { from, to } = this.period,
      found = [];
    for (let place = this.#earlier(from, grain, 0); place < to; place = this.#earlier(place, grain, -1)) {
      const time = this.cube.start + place * DAY,
        next = this.#earlier(place, grain, -1);
      const title = grain === "day" ? weekday(time) : grain === "month" ? monthYear(time) : days(time, time + 6 * DAY);
      found.push({
        place,
        from: Math.max(place, from),
        to: Math.min(next, to),
        title,
        iso: isoDay(time),
        tick: grain === "month" ? monthYear(time) : dayMonth(time),
      });
    }
    return found;
  }

  // The first day of the step that holds a day, or of the one so many steps earlier; as places.
  #earlier(place, grain, steps) {
    if (grain === "day") return place - steps;
    const date = new Date(this.cube.start + place * DAY);
    if (grain === "week") return place - ((date.getUTCDay() + 6) % 7) - 7 * steps;
    return Math.round((Date.UTC(date.getUTCFullYear(), date.getUTCMonth() - steps, 1) - this.cube.start) / DAY);
  }

  #bars(definition, name, by) {
    if (by === "purchases") {
      const counts = this.cube.purchases(this.period);
      const all = counts.reduce((sum, [, count]) => sum + count, 0);
      const rows = counts.map(([title, value]) => ({
        name: title,
        title,
        value,
        share: all ? value / all : undefined,
        fixed: true,
      }));
      return { rows, by, note: this.note([name]) };
    }
    const inside = this.drilled(definition);
    const own = inside !== null && definition.drill === by && this.state.filters[by].length === 0;
    const groups = this.cube.groups(by);
    const values = this.values(name, { by, own });
    const earlier =
      this.hasBefore && this.measure(name).rows !== "loads"
        ? this.cube.values(name, { ...this.before, by, own })
        : null;
    const total = this.isSum(name) ? values.reduce((sum, value) => sum + value, 0) : null;
    const chosen = this.state.filters[by] || [];
    const isFixed = !(by in this.state.filters);
    let rows = [...groups].map((group, g) => ({
      name: String(group),
      title: by === "weekday" ? weekdayName(group) : String(group),
      value: values[g],
      before: earlier ? earlier[g] : null,
      share: total ? values[g] / total : undefined,
      chosen: chosen.includes(group),
      dimmed: chosen.length > 0 && !chosen.includes(group),
      fixed: isFixed,
    }));
    if (definition.change) return this.#changes(definition, rows, by);
    rows = rows.filter((row) => row.value || row.before || row.chosen);
    if (by !== "weekday") rows.sort((a, b) => (b.value || 0) - (a.value || 0));
    return {
      rows: this.#greatest(rows, total),
      by,
      inside,
      drill: inside === null && definition.drill,
      note: this.note([name]),
    };
  }

  // The first rows, and the rest as one where that adds up; chosen ones are never in it.
  #greatest(rows, total) {
    if (rows.length <= MOST_BARS) return rows;
    const shown = rows.filter((row, i) => i < MOST_BARS - 1 || row.chosen);
    if (total === null) return shown;
    const rest = rows.filter((row) => !shown.includes(row));
    const sum = (key) => rest.reduce((all, row) => all + (row[key] || 0), 0);
    const has = rest.some((row) => row.before !== null);
    return [
      ...shown,
      {
        name: REST,
        title: `${rest.length} others`,
        value: sum("value"),
        before: has ? sum("before") : null,
        share: total ? sum("value") / total : undefined,
        fixed: true,
        isRest: true,
      },
    ];
  }

  #changes(definition, rows, by) {
    if (!this.hasBefore) return { empty: "The data do not reach back to the period before." };
    const gains = definition.change === "gains";
    const changed = rows
      .map((row) => ({
        ...row,
        value: row.value - row.before,
        before: null,
        share: undefined,
        mark: gains ? "good" : "bad",
      }))
      .filter((row) => (gains ? row.value > 0.004 : row.value < -0.004))
      .sort((a, b) => (gains ? b.value - a.value : a.value - b.value))
      .slice(0, MOST_BARS);
    return changed.length ? { rows: changed, by, isChange: true, note: "" } : { empty: "No product did." };
  }

  // A chart's content as a table: its twin, and what is exported.
  asTable(definition, content) {
    const title = content.label;
    if (content.empty) return { title, columns: [{ title: "", kind: "text" }], rows: [], empty: content.empty };
    if (content.steps) {
      const first = { day: "Day", week: "Week from", month: "Month from" }[content.grain || this.grain];
      const columns = [
        { title: first, kind: "day" },
        ...content.series.map((one) => ({ title: one.name, kind: content.kind })),
      ];
      const rows = content.steps.map((step, i) => [step.iso, ...content.series.map((one) => plain(one.values[i]))]);
      return { title, columns, rows };
    }
    const columns = [
      { title: this.dimension(content.by), kind: "text" },
      { title: content.isChange ? "Change" : content.measure, kind: content.kind },
    ];
    const has = {
      share: content.rows.some((row) => row.share !== undefined),
      before: content.rows.some((row) => row.before !== null && row.before !== undefined),
    };
    if (has.share) columns.push({ title: "Share", kind: "share" });
    if (has.before) columns.push({ title: content.beforeTitle, kind: content.kind });
    const rows = content.rows.map((row) => [
      row.title,
      plain(row.value),
      ...(has.share ? [plain(row.share)] : []),
      ...(has.before ? [plain(row.before)] : []),
    ]);
    return { title, columns, rows };
  }

  // ------------------------------------------------------------------------------------------------ tables

  table(definition) {
    if (definition.from) return this.#recorded(definition);
    return definition.by === "time" ? this.#periods(definition) : this.#members(definition);
  }

  #columns(definition) {
    return definition.measures.map((name, i) => ({
      title: this.measure(name).label,
      kind: this.measure(name).kind,
      better: this.measure(name).better,
      bar: i === 0,
    }));
  }

  #periods(definition) {
    const buckets = this.cube.buckets(this.period.from, this.period.to, this.grain);
    const steps = this.#steps(buckets);
    const values = definition.measures.map((name) => this.values(name, { buckets }));
    const first = { day: "Day", week: "Week from", month: "Month from" }[this.grain];
    const rows = steps.map((step, i) => [step.iso, ...values.map((column) => plain(column[i]))]).reverse();
    const total = [null, ...definition.measures.map((name) => plain(this.values(name)[0]))];
    return {
      title: definition.title,
      columns: [{ title: first, kind: "day" }, ...this.#columns(definition)],
      rows,
      total,
      note: this.note(definition.measures),
      steps: new Map(steps.map((step) => [step.iso, step])),
    };
  }

  #members(definition) {
    const by = definition.by,
      groups = this.cube.groups(by);
    const values = definition.measures.map((name) =>
      this.cube.knows(name, by) ? this.values(name, { by }) : new Float64Array(groups.length).fill(NaN),
    );
    const earlier =
      definition.change && this.hasBefore ? this.cube.values(definition.measures[0], { ...this.before, by }) : null;
    const total = values[0].reduce((sum, value) => sum + (value || 0), 0);
    const columns = [{ title: this.dimension(by), kind: "text" }, ...this.#columns(definition)];
    if (by === "product") columns.splice(1, 0, { title: "Category", kind: "text" });
    if (definition.share) columns.push({ title: "Share", kind: "share" });
    if (definition.change)
      columns.push({ title: "Change", kind: "change", better: this.measure(definition.measures[0]).better });
    const rows = [];
    for (const g of [...groups.keys()].sort((a, b) => (values[0][b] || 0) - (values[0][a] || 0))) {
      const group = groups[g];
      if (values.every((column) => !column[g]) && !(earlier && earlier[g])) continue;
      const row = [group, ...values.map((column) => plain(column[g]))];
      if (by === "product") row.splice(1, 0, this.cube.names.category[this.cube.productCategory[g]]);
      if (definition.share) row.push(total ? values[0][g] / total : null);
      if (definition.change)
        row.push(earlier && earlier[g] ? (values[0][g] - earlier[g]) / Math.abs(earlier[g]) : null);
      rows.push(row);
    }
    const all = definition.measures.map((name) => plain(this.values(name, { by: null })[0]));
    const line = [
      null,
      ...(by === "product" ? [null] : []),
      ...all,
      ...(definition.share ? [null] : []),
      ...(definition.change ? [null] : []),
    ];
    return { title: definition.title, columns, rows, total: line, by, note: this.note(definition.measures) };
  }

  #recorded(definition) {
    const recorded = this.cube.data.quality[definition.from] || [];
    const names = Object.keys(definition.columns);
    const kinds = names.map((name) =>
      /_at$/.test(name)
        ? "moment"
        : /amount/.test(name)
          ? "money"
          : recorded.some((row) => typeof row[name] === "number")
            ? "count"
            : "text",
    );
    const columns = names.map((name, i) => ({ title: definition.columns[name], kind: kinds[i], states: STATES }));
    return { title: definition.title, columns, rows: recorded.map((row) => names.map((name) => row[name])) };
  }
}

const STATES = { pass: "good", loaded: "good", fail: "bad", error: "bad", failed: "bad", warn: "warn" };
const plain = (value) => (value === undefined || Number.isNaN(value) ? null : value);
