// How values are written: numbers and dates by the page's locale, as the reports write them.

const MINUS = "\u2212";
export const MISSING = "–";
let style = { currency: "", locale: "en-GB", is_before: true };
const writers = new Map();

export function useStyle(given) {
  style = given;
  writers.clear();
}

function decimals(value, digits, options = {}) {
  const key = digits + JSON.stringify(options);
  if (!writers.has(key)) {
    const bounds = { minimumFractionDigits: digits, maximumFractionDigits: digits };
    writers.set(key, new Intl.NumberFormat(style.locale, { ...bounds, ...options }));
  }
  return writers.get(key).format(Math.abs(value));
}

const signed = (value, text) => (value < 0 && /[1-9]/.test(text) ? MINUS + text : text);
const priced = (text) => (style.is_before ? style.currency + text : `${text}\u00a0${style.currency}`);

const KINDS = {
  money: (value) => signed(value, priced(decimals(value, 2))),
  count: (value) => signed(value, decimals(value, 0)),
  number: (value) => signed(value, decimals(value, 2)),
  share: (value) => signed(value, decimals(value, 1, { style: "percent" })),
  change: (value) =>
    Math.abs(value) < 0.0005
      ? `±${decimals(0, 1, { style: "percent" })}`
      : (value < 0 ? MINUS : "+") + decimals(value, 1, { style: "percent" }),
  duration: (value) => `${Math.floor(Math.round(value) / 60)}:${String(Math.round(value) % 60).padStart(2, "0")}`,
  day: (value) => weekday(Date.parse(value)),
  moment: (value) => moment(value),
  text: (value) => String(value),
};

// A value as people read it; `kind` is one of KINDS.
export function write(value, kind) {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  return (KINDS[kind] || KINDS.text)(value);
}

// A value in few signs, for axes and bars: £12.3K.
export function short(value, kind) {
  if (value === null || value === undefined || Number.isNaN(value)) return MISSING;
  if (kind === "share" || kind === "duration" || Math.abs(value) < 10000) {
    const small = kind === "money" && Math.abs(value) >= 100 ? priced(decimals(value, 0)) : null;
    if (small) return signed(value, small);
    return kind === "count" && !Number.isInteger(value) ? signed(value, decimals(value, 1)) : write(value, kind);
  }
  const number = decimals(value, 1, { notation: "compact" });
  return signed(value, kind === "money" ? priced(number) : number);
}

// A value on an axis, where round numbers stand.
export function tick(value, kind) {
  if (kind === "share") return signed(value, decimals(value, 0, { style: "percent" }));
  if (kind === "duration") return write(value, kind);
  const text = decimals(value, 1, { notation: "compact", minimumFractionDigits: 0 });
  return signed(value, kind === "money" ? priced(text) : text);
}

export const DAY = 86400000;

function dates(time, options) {
  const key = `date${JSON.stringify(options)}`;
  if (!writers.has(key)) {
    writers.set(key, new Intl.DateTimeFormat(style.locale, { timeZone: "UTC", ...options }));
  }
  return writers.get(key).format(time);
}

export const day = (time) => dates(time, { day: "numeric", month: "short", year: "numeric" });
export const dayMonth = (time) => dates(time, { day: "numeric", month: "short" });
export const weekday = (time) => dates(time, { weekday: "short", day: "numeric", month: "short", year: "numeric" });
export const monthYear = (time) => dates(time, { month: "short", year: "numeric" });
export const weekdayName = (place) => dates(Date.UTC(2024, 0, 1 + place), { weekday: "long" });
export const isoDay = (time) => new Date(time).toISOString().slice(0, 10);
export const days = (first, last) => (first === last ? weekday(first) : `${day(first)} – ${day(last)}`);

export function moment(value) {
  const time = typeof value === "number" ? value : Date.parse(/Z$/.test(value) ? value : `${value}Z`);
  return `${day(time)}, ${dates(time, { hour: "2-digit", minute: "2-digit", hour12: false })}`;
}

// How long ago: 3 s, 5 min, 2 h, 4 days.
export function ago(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 100) return `${seconds} s`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min`;
  return seconds < 172800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86400)} days`;
}
