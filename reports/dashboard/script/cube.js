// The page's data: columns of numbers, which rows the filters leave, and sums, counts and quotients over them.
// Knows no page. What a measure is stands in board.yml.

import { DAY } from "./format.js";

const FILTERS = ["store", "category", "product", "channel", "segment", "type", "status"];
const MOST_MARKS = 4_000_000; // bytes; beyond them a set is cheaper to clear
const bit = (dimension) => 1 << FILTERS.indexOf(dimension);

export class Cube {
  constructor(data, measures) {
    this.data = data;
    this.measures = measures;
    this.names = data.names;
    this.start = Date.parse(data.first);
    this.days = Math.round((Date.parse(data.last) - this.start) / DAY) + 1;
    this.productCategory = Int32Array.from(data.product_category);
    this.tables = {};
    for (const [name, columns] of Object.entries(data.rows)) this.tables[name] = this.#table(name, columns);
    this.filter({});
  }

  #table(name, columns) {
    const table = { name, length: columns.day.length, columns: {}, failed: new Int32Array(columns.day.length) };
    for (const [key, values] of Object.entries(columns)) {
      table.columns[key] =
        key === "profit"
          ? Float64Array.from(values, (v) => (v === null ? NaN : v / 100))
          : key === "amount"
            ? Float64Array.from(values, (v) => v / 100)
            : Int32Array.from(values);
    }
    const own = table.columns;
    if (own.profit) own.costed = own.amount.map((amount, i) => (Number.isNaN(own.profit[i]) ? 0 : amount));
    if (own.product) own.category = own.product.map((product) => this.productCategory[product]);
    if (own.starts) {
      let transaction = -1;
      own.transaction = own.starts.map((starts) => (transaction += starts));
    }
    if (own.length) {
      table.first = new Int32Array(table.length + 1);
      for (let i = 0; i < table.length; i++) table.first[i + 1] = table.first[i] + own.length[i];
    }
    return table;
  }

  // Choose rows: `chosen` is {dimension: [names]}. A row keeps a bit for each dimension in which it is not chosen, so
  // that a chart can leave out the filter on its own dimension.
  filter(chosen) {
    this.allowed = {};
    for (const [dimension, names] of Object.entries(chosen)) {
      if (!names.length || !this.names[dimension]) continue;
      const allowed = new Uint8Array(this.names[dimension].length);
      for (const name of names) {
        const place = this.names[dimension].indexOf(name);
        if (place >= 0) allowed[place] = 1;
      }
      this.allowed[dimension] = allowed;
    }
    for (const table of Object.values(this.tables)) this.#mark(table);
  }

  #mark(table) {
    table.failed.fill(0);
    for (const [dimension, allowed] of Object.entries(this.allowed)) {
      const column = table.columns[dimension];
      if (!column) continue;
      const mark = bit(dimension);
      for (let i = 0; i < table.length; i++) if (!allowed[column[i]]) table.failed[i] |= mark;
    }
  }

  // The rows of some days [from, to).
  #range(table, from, to) {
    const days = table.columns.day;
    if (table.name === "loads") return [0, table.length];
    const place = (day) => {
      let low = 0,
        high = table.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (days[middle] < day) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    return [place(from), place(to)];
  }

  // The measure in its parts: [[sum or count, …], how they make the value].
  #parts(name) {
    const measure = this.measures[name];
    return measure.above ? [...this.#parts(measure.above), ...this.#parts(measure.below)] : [name];
  }

  rowsOf(name) {
    return this.#parts(name).map((part) => this.measures[part].rows);
  }

  // Whether the measure can be told by a dimension, of these data.
  knows(name, dimension) {
    return this.#parts(name).every((part) => {
      const measure = this.measures[part];
      const table = this.tables[measure.rows];
      if (measure.distinct && this.data.folded && !measure.folded) return false;
      if (!dimension || dimension === "weekday") return true;
      if (dimension === "purchases") return measure.distinct === "customer" && !this.data.folded;
      return dimension in table.columns || (table.first && ["product", "category"].includes(dimension));
    });
  }

  // The dimensions chosen in the filters that say nothing about a measure.
  ignored(name) {
    return Object.keys(this.allowed).filter((dimension) => !this.knows(name, dimension));
  }

  // The values of a measure, one for each key: `key` gives a row's key (or -1) by its day and its place.
  //   from, to   days, the last one not in it
  //   by         a dimension; its own filter is left out unless `own`
  //   buckets    {of: Int32Array by day, count}: the key is bucket × names + name
  values(name, { from, to, by = null, buckets = null, own = false }) {
    const measure = this.measures[name];
    if (measure.above) {
      const above = this.values(measure.above, { from, to, by, buckets, own });
      const below = this.values(measure.below, { from, to, by, buckets, own });
      return above.map((value, i) => (below[i] ? value / below[i] : NaN));
    }
    const groups = by ? this.groups(by).length : 1;
    const out = new Float64Array(groups * (buckets ? buckets.count : 1));
    if (!this.knows(name, by)) return out.fill(NaN);
    const table = this.tables[measure.rows];
    const where = { from, to, by, own };
    const sum = measure.sum || (this.data.folded && measure.folded);
    if (!sum) this.#count(table, measure, { ...where, buckets, groups }, out);
    else if (this.#isPlain(table, by)) this.#sum(table, sum, { ...where, buckets, groups }, out);
    else {
      const values = table.columns[sum],
        day = table.columns.day;
      this.#each(table, where, (row, group) => {
        out[(buckets ? buckets.of[day[row]] * groups : 0) + group] += values[row];
      });
    }
    return out;
  }

  // Adds up in one tight loop, as most of what a page shows is made of it.
  #sum(table, name, { from, to, by, own, buckets, groups }, out) {
    const [start, end] = this.#range(table, from, to);
    const values = table.columns[name],
      day = table.columns.day;
    const { failed } = table,
      free = this.#free(by, own),
      column = this.#column(table, by);
    const unknown = new Uint8Array(out.length),
      known = new Uint8Array(out.length);
    for (let row = start; row < end; row++) {
      if ((failed[row] & free) !== 0) continue;
      const key = (buckets ? buckets.of[day[row]] * groups : 0) + (column ? column[row] : 0);
      const value = values[row];
      if (value === value) {
        out[key] += value;
        known[key] = 1;
      } else unknown[key] = 1; // what is missing is NaN
    }
    // Where there are rows and nothing is known of any, there is no sum.
    for (let key = 0; key < out.length; key++) if (unknown[key] && !known[key]) out[key] = NaN;
  }

  // Counts each distinct value once a key; -1 is no value.
  #count(table, measure, { buckets, groups, ...where }, out) {
    const values = table.columns[measure.distinct],
      day = table.columns.day;
    const only = measure.where ? table.columns[measure.where] : null;
    const isNews = this.#marker(measure.distinct, out.length);
    this.#each(table, where, (row, group) => {
      if (values[row] < 0 || (only && !only[row])) return;
      const key = (buckets ? buckets.of[day[row]] * groups : 0) + group;
      if (isNews(key, values[row])) out[key] += 1;
    });
  }

  // Tells whether a value comes for the first time under a key.
  #marker(column, keys) {
    if (column === "transaction") {
      // Its rows stand together, so that only the last one of each key need be known.
      const last = new Int32Array(keys).fill(-1);
      return (key, value) => last[key] !== value && ((last[key] = value), true);
    }
    const size = this.data.customers;
    if (keys * size <= MOST_MARKS) {
      const seen = new Uint8Array(keys * size);
      return (key, value) => !seen[key * size + value] && ((seen[key * size + value] = 1), true);
    }
    const seen = new Set();
    return (key, value) => {
      const before = seen.size;
      return seen.add(key * size + value).size > before;
    };
  }

  // The bits of the filters that are to be kept.
  #free(by, own) {
    return by && !own && FILTERS.includes(by) ? ~bit(by) : ~0;
  }

  // Whether each row belongs to one group only.
  #isPlain(table, by) {
    return !table.first || !(by === "product" || by === "category" || this.allowed.product || this.allowed.category);
  }

  // Calls `take(row, group)` for each row that the filters leave, once for each group that it belongs to.
  #each(table, { from, to, by, own }, take) {
    const [start, end] = this.#range(table, from, to);
    const free = this.#free(by, own);
    const failed = table.failed;
    if (!this.#isPlain(table, by)) {
      this.#eachItem(table, start, end, { by, free }, take);
      return;
    }
    const column = this.#column(table, by);
    for (let row = start; row < end; row++) {
      if ((failed[row] & free) === 0) take(row, column ? column[row] : 0);
    }
  }

  // As #each, where a row stands for several products: it counts for a category in which one of them is chosen.
  #eachItem(table, start, end, { by, free }, take) {
    const items = table.columns.items;
    const okProduct = free & bit("product") ? this.allowed.product : null;
    const okCategory = free & bit("category") ? this.allowed.category : null;
    const column = by === "product" || by === "category" ? null : this.#column(table, by);
    for (let row = start; row < end; row++) {
      if (table.failed[row] & free) continue;
      let last = -1;
      const groups = [];
      for (let i = table.first[row]; i < table.first[row + 1]; i++) {
        const product = items[i],
          category = this.productCategory[product];
        if ((okProduct && !okProduct[product]) || (okCategory && !okCategory[category])) continue;
        last = by === "product" ? product : by === "category" ? category : column ? column[row] : 0;
        if (!groups.includes(last)) groups.push(last);
      }
      for (const group of groups) take(row, group);
    }
  }

  #column(table, by) {
    if (!by) return null;
    if (by === "weekday" && !table.columns.weekday) {
      // 1 January 1970 was a Thursday; weeks begin on Monday.
      const shift = (Math.floor(this.start / DAY) + 3) % 7;
      table.columns.weekday = table.columns.day.map((day) => (day + shift) % 7);
    }
    return table.columns[by];
  }

  groups(by) {
    return by === "weekday" ? [0, 1, 2, 3, 4, 5, 6] : this.names[by] || [];
  }

  // How many customers made one, two, … transactions: [[title, customers], …].
  purchases({ from, to }) {
    const table = this.tables.visits;
    const { customer, transaction } = table.columns;
    const counts = new Int32Array(this.data.customers || 0);
    const isNews = this.#marker("transaction", counts.length);
    if (!this.data.folded) {
      this.#each(table, { from, to, by: null }, (row) => {
        if (customer[row] >= 0 && isNews(customer[row], transaction[row])) counts[customer[row]] += 1;
      });
    }
    const classes = [
      ["1", 1, 1],
      ["2", 2, 2],
      ["3 to 5", 3, 5],
      ["6 to 10", 6, 10],
      ["more than 10", 11, Infinity],
    ];
    return classes.map(([title, least, most]) => [title, counts.filter((n) => n >= least && n <= most).length]);
  }

  // One value of a measure for some days; null where there is none.
  total(name, from, to) {
    if (from < 0 || to <= from) return null;
    const [value] = this.values(name, { from, to });
    return Number.isNaN(value) ? null : value;
  }

  // The steps of some days: days, weeks from Monday, or months, each {from, to, time}; and each day's step.
  buckets(from, to, grain) {
    const steps = [];
    const of = new Int32Array(this.days).fill(-1);
    for (let i = from; i < to;) {
      const time = this.start + i * DAY;
      const date = new Date(time);
      let next = i + 1;
      if (grain === "week") next = i + 7 - ((date.getUTCDay() + 6) % 7);
      if (grain === "month") {
        next = i + Math.round((Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) - time) / DAY);
      }
      next = Math.min(next, to);
      for (let d = i; d < next; d++) if (d >= 0 && d < this.days) of[d] = steps.length;
      steps.push({ from: i, to: next, time });
      i = next;
    }
    return { of, count: steps.length, steps };
  }
}
