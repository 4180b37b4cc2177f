// What is shown as files: tables as CSV and workbooks, charts as SVG and PNG. All is made in the page.

const FORMULA_SIGNS = /^[=+\-@\t\r]/;
const encoder = new TextEncoder();

export function save(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

// A table is {columns: [{title, kind}], rows: [[value, …]]} with plain values; null where one is missing.

// As spreadsheets read it: with a byte order mark, and an apostrophe before text that they would run.
export function csv({ columns, rows }) {
  const cell = (value) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "";
    if (typeof value === "number") return String(value);
    const text = FORMULA_SIGNS.test(value) ? `'${value}` : String(value);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  const lines = [columns.map((column) => cell(column.title)), ...rows.map((row) => row.map(cell))];
  return `\ufeff${lines.map((line) => line.join(",")).join("\r\n")}\r\n`;
}

// ---------------------------------------------------------------------------------------------------- workbooks

const escaped = (text) =>
  String(text)
    .replace(/[&<>"]/g, (sign) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[sign])
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "");

const HEAD = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n';
const MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
const PACKAGE = "http://schemas.openxmlformats.org/package/2006";
const OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";

// Number formats of the kinds of columns, as ids of the style sheet below: the place in STYLES.
const STYLES = ["General", "#,##0", "#,##0.00", "0.0%", "yyyy-mm-dd", "[h]:mm:ss"];
const STYLE_OF = { count: 1, money: 2, number: 2, share: 3, change: 3, day: 4, duration: 5 };
const EPOCH = Date.UTC(1899, 11, 30);

function columnName(place) {
  let name = "";
  for (let n = place + 1; n > 0; n = Math.floor((n - 1) / 26)) name = String.fromCharCode(65 + ((n - 1) % 26)) + name;
  return name;
}

// A workbook with one sheet, as bytes: typed cells, a bold frozen head, a filter.
export function xlsx(title, { columns, rows }) {
  const text = (place, value, style) =>
    `<c r="${place}" s="${style}" t="inlineStr"><is><t xml:space="preserve">${escaped(value)}</t></is></c>`;
  const cell = (value, column, place) => {
    if (value === null || value === undefined || Number.isNaN(value)) return "";
    const style = STYLE_OF[column.kind] || 0;
    if (column.kind === "day")
      return `<c r="${place}" s="${style}"><v>${(Date.parse(value) - EPOCH) / 86400000}</v></c>`;
    if (column.kind === "duration") return `<c r="${place}" s="${style}"><v>${value / 86400}</v></c>`;
    return typeof value === "number" ? `<c r="${place}" s="${style}"><v>${value}</v></c>` : text(place, value, 0);
  };
  const head = columns.map((column, i) => text(`${columnName(i)}1`, column.title, STYLES.length)).join("");
  const lines = rows.map(
    (row, r) =>
      `<row r="${r + 2}">${row.map((value, i) => cell(value, columns[i], `${columnName(i)}${r + 2}`)).join("")}</row>`,
  );
  const widths = columns.map((column, i) => {
    const longest = Math.max(
      column.title.length,
      ...rows.map((row) => (typeof row[i] === "string" ? row[i].length : 10)),
    );
    return `<col min="${i + 1}" max="${i + 1}" width="${Math.min(longest + 2, 60)}" customWidth="1"/>`;
  });
  const all = `A1:${columnName(columns.length - 1)}${rows.length + 1}`;
  const sheet =
    `${HEAD}<worksheet xmlns="${MAIN}"><sheetViews><sheetView workbookViewId="0"><pane ySplit="1" topLeftCell="A2" ` +
    `activePane="bottomLeft" state="frozen"/></sheetView></sheetViews><cols>${widths.join("")}</cols>` +
    `<sheetData><row r="1">${head}</row>${lines.join("")}</sheetData><autoFilter ref="${all}"/></worksheet>`;
  const formats = STYLES.map((code, i) => `<numFmt numFmtId="${164 + i}" formatCode="${escaped(code)}"/>`).join("");
  const looks = STYLES.map(
    (_, i) => `<xf numFmtId="${164 + i}" fontId="0" fillId="0" borderId="0" applyNumberFormat="1"/>`,
  ).join("");
  const styles =
    `${HEAD}<styleSheet xmlns="${MAIN}"><numFmts count="${STYLES.length}">${formats}</numFmts>` +
    '<fonts count="2"><font><sz val="11"/><name val="Calibri"/></font><font><b/><sz val="11"/><name val="Calibri"/></font></fonts>' +
    '<fills count="2"><fill><patternFill patternType="none"/></fill><fill><patternFill patternType="gray125"/></fill></fills>' +
    '<borders count="1"><border/></borders><cellStyleXfs count="1"><xf/></cellStyleXfs>' +
    `<cellXfs count="${STYLES.length + 1}">${looks}<xf numFmtId="0" fontId="1" fillId="0" borderId="0" applyFont="1"/></cellXfs>` +
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>';
  const name =
    title
      .replace(/[[\]:*?/\\']/g, " ")
      .slice(0, 31)
      .trim() || "Table";
  const type = (part, kind) =>
    `<Override PartName="${part}" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.${kind}+xml"/>`;
  const link = (id, kind, target) => `<Relationship Id="${id}" Type="${OFFICE}/${kind}" Target="${target}"/>`;
  return zip({
    "[Content_Types].xml":
      `${HEAD}<Types xmlns="${PACKAGE}/content-types"><Default Extension="rels" ` +
      `ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>` +
      `${type("/xl/workbook.xml", "sheet.main")}${type("/xl/worksheets/sheet1.xml", "worksheet")}${type("/xl/styles.xml", "styles")}</Types>`,
    "_rels/.rels": `${HEAD}<Relationships xmlns="${PACKAGE}/relationships">${link("r1", "officeDocument", "xl/workbook.xml")}</Relationships>`,
    "xl/workbook.xml":
      `${HEAD}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><sheets><sheet name="${escaped(name)}" sheetId="1" r:id="r1"/>` +
      `</sheets><definedNames><definedName name="_xlnm._FilterDatabase" localSheetId="0" hidden="1">'${escaped(name)}'!` +
      `${all.replace(/([A-Z]+)(\d+)/g, "$$$1$$$2")}</definedName></definedNames></workbook>`,
    "xl/_rels/workbook.xml.rels":
      `${HEAD}<Relationships xmlns="${PACKAGE}/relationships">` +
      `${link("r1", "worksheet", "worksheets/sheet1.xml")}${link("r2", "styles", "styles.xml")}</Relationships>`,
    "xl/worksheets/sheet1.xml": sheet,
    "xl/styles.xml": styles,
  });
}

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let k = 0; k < 8; k++) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value >>> 0;
});

function crc32(bytes) {
  let value = 0xffffffff;
  for (const byte of bytes) value = CRC[(value ^ byte) & 0xff] ^ (value >>> 8);
  return (value ^ 0xffffffff) >>> 0;
}

// A zip file of texts by name, stored as they are.
export function zip(files) {
  const numbers = (...pairs) => {
    const bytes = new Uint8Array(pairs.reduce((sum, [size]) => sum + size, 0));
    const view = new DataView(bytes.buffer);
    let at = 0;
    for (const [size, value] of pairs) {
      if (size === 2) view.setUint16(at, value, true);
      else view.setUint32(at, value, true);
      at += size;
    }
    return bytes;
  };
  const parts = [],
    directory = [];
  let offset = 0;
  for (const [file, content] of Object.entries(files)) {
    const name = encoder.encode(file),
      bytes = encoder.encode(content);
    // Version 2.0, names in UTF-8, stored; 1 January 1980.
    const facts = [
      [2, 20],
      [2, 0x0800],
      [2, 0],
      [2, 0],
      [2, 0x21],
      [4, crc32(bytes)],
      [4, bytes.length],
      [4, bytes.length],
      [2, name.length],
      [2, 0],
    ];
    const head = numbers([4, 0x04034b50], ...facts);
    parts.push(head, name, bytes);
    directory.push(numbers([4, 0x02014b50], [2, 20], ...facts, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), name);
    offset += head.length + name.length + bytes.length;
  }
  const size = directory.reduce((sum, part) => sum + part.length, 0);
  const count = Object.keys(files).length;
  const end = numbers([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, size], [4, offset], [2, 0]);
  return new Blob([...parts, ...directory, end]);
}

// ------------------------------------------------------------------------------------------------------- charts

const LOOKS = [
  "fill",
  "fill-opacity",
  "stroke",
  "stroke-width",
  "stroke-dasharray",
  "stroke-linejoin",
  "opacity",
  "font-family",
  "font-size",
  "font-weight",
];

// A chart as a picture of its own, with the colours that it has on the page, under its title.
export function svg(picture, title) {
  const copy = picture.cloneNode(true);
  const shown = [picture, ...picture.querySelectorAll("*")],
    copies = [copy, ...copy.querySelectorAll("*")];
  shown.forEach((node, i) => {
    const look = getComputedStyle(node);
    for (const name of LOOKS) copies[i].style.setProperty(name, look.getPropertyValue(name));
    for (const name of [
      "tabindex",
      "role",
      "aria-pressed",
      "aria-valuenow",
      "aria-valuemin",
      "aria-valuemax",
      "aria-valuetext",
      "class",
    ]) {
      copies[i].removeAttribute(name);
    }
  });
  const { width, height } = picture.viewBox.baseVal;
  const page = getComputedStyle(document.body);
  const make = (name, attributes, text = "") => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.textContent = text;
    return node;
  };
  copy.setAttribute("viewBox", `0 -34 ${width} ${height + 40}`);
  copy.setAttribute("height", height + 40);
  copy.prepend(
    make("title", {}, title),
    make("rect", {
      x: 0,
      y: -34,
      width,
      height: height + 40,
      fill: getComputedStyle(picture.closest(".board-card")).backgroundColor,
    }),
    make(
      "text",
      { x: 8, y: -12, fill: page.color, "font-family": page.fontFamily, "font-size": 15, "font-weight": 600 },
      title,
    ),
  );
  return new XMLSerializer().serializeToString(copy);
}

// The picture twice as large, as PNG.
export async function png(picture, title) {
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg(picture, title))}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  canvas.width = image.width * 2;
  canvas.height = image.height * 2;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}
