// The contact sheet: every event as a small trace, aligned at its onset; only what is in sight is drawn.

import { COLORS, context, fixed, label, mark } from "./plot.js";
import { getSnippets } from "./server.js";
import { changed, store } from "./store.js";

const box = document.getElementById("sheet"), inner = box.firstElementChild, canvas = inner.firstElementChild;
const WIDTHS = [168, 144, 120, 104, 94, 84], CELL = { width: 84, height: 59 }, POINTS = 120, AT_ONCE = 120;
const known = new Map();
let asking = false, rows = [], columns = 1, choose = () => {}, range = [1, 1], scaled = {};

export function setChoose(does) { choose = does; }
export function forgetSnippets(ids) { if (ids) ids.forEach((id) => known.delete(id)); else known.clear(); }

function key(row) { return `${row.x_start} ${row.baseline}`; }

async function ask(wanted) {
  if (asking || !wanted.length) return;
  asking = true;
  const some = wanted.slice(0, AT_ONCE), number = store.number;
  try {
    const found = await getSnippets(some.map((row) => row.id), POINTS);
    if (number === store.number) for (const row of some) known.set(row.id, { key: key(row), values: found.get(row.id) });
  } finally { asking = false; }
  changed();
}

export function drawSheet(shown) {
  rows = shown;
  place();
  inner.style.height = `${Math.max(Math.ceil(rows.length / columns) * CELL.height, box.clientHeight)}px`;
  canvas.style.width = `${box.clientWidth}px`;
  canvas.style.height = `${box.clientHeight}px`;
  const { draw, height } = context(canvas);
  const top = Math.floor(box.scrollTop / CELL.height), bottom = Math.ceil((box.scrollTop + height) / CELL.height);
  const first = top * columns, last = Math.min(bottom * columns, rows.length), missing = [];
  const scale = commonScale();
  for (let number = first; number < last; number += 1) {
    const x = (number % columns) * CELL.width, y = Math.floor(number / columns) * CELL.height - box.scrollTop;
    const row = rows[number], have = known.get(row.id);
    if (!have || have.key !== key(row)) missing.push(row);
    drawCell(draw, row, have ? have.values : null, x, y, scale);
  }
  if (!rows.length) draw.fillText("nothing to show: choose another filter", 12, 24);
  ask(missing);
}

// Chooses the largest cells with which all events are in sight, else the smallest ones.
function place() {
  for (const least of WIDTHS) {
    columns = Math.max(Math.floor(box.clientWidth / least), 1);
    CELL.width = box.clientWidth / columns;
    CELL.height = Math.round(0.7 * CELL.width);
    if (Math.ceil(rows.length / columns) * CELL.height <= box.clientHeight) return;
  }
}

// One scale for all, so that sizes can be compared: room for all but the largest few.
function commonScale() {
  if (scaled.version === store.version) return scaled.scale;
  const sizes = store.sorted.filter((row) => row.status !== "rejected").map((row) => Math.abs(row.amplitude)).sort((a, b) => a - b);
  scaled = { version: store.version, scale: sizes.length ? 1.25 * sizes[Math.floor(0.95 * (sizes.length - 1))] : 1 };
  return scaled.scale;
}

function drawCell(draw, row, values, x, y, scale) {
  const inside = { x: x + 2, y: y + 2, width: CELL.width - 4, height: CELL.height - 4 };
  draw.fillStyle = row.id === store.chosen ? "#fff1c9" : store.selected.has(row.id) ? "#dceaf5" : "#fff";
  draw.fillRect(inside.x, inside.y, inside.width, inside.height);
  draw.strokeStyle = row.id === store.chosen ? "#000" : store.selected.has(row.id) ? COLORS.accepted : "#ddd";
  draw.strokeRect(inside.x + 0.5, inside.y + 0.5, inside.width - 1, inside.height - 1);
  const middle = inside.y + inside.height * (store.sign > 0 ? 0.78 : 0.3);
  const tall = inside.height * 0.62;
  if (values) {
    draw.save();
    draw.beginPath(); draw.rect(inside.x, inside.y, inside.width, inside.height); draw.clip();
    draw.strokeStyle = COLORS[row.status];
    draw.globalAlpha = row.status === "rejected" ? 0.6 : 1;
    draw.beginPath();
    for (let point = 0; point < values.length; point += 1) {
      if (Number.isNaN(values[point])) continue;
      draw.lineTo(inside.x + (point / (values.length - 1)) * inside.width, middle - (values[point] / scale) * tall);
    }
    draw.stroke();
    draw.restore();
  }
  mark(draw, row.status, inside.x + 8, inside.y + 8, 3, false);
  if (store.preview && store.preview.gone.has(row.id)) {
    draw.strokeStyle = COLORS.rejected;
    draw.setLineDash([4, 3]);
    draw.strokeRect(inside.x + 1.5, inside.y + 1.5, inside.width - 3, inside.height - 3);
    draw.setLineDash([]);
    mark(draw, "rejected", inside.x + 20, inside.y + 8, 3, false);
  }
  const probability = row.probability === null ? "" : fixed(row.probability, 2);
  label(draw, row.kind === "mepp" || row.kind === "" ? probability : row.kind, inside.x + inside.width - 3, inside.y + 3, "#555");
}

function rowAt(event) {
  const column = Math.floor(event.offsetX / CELL.width);
  const line = Math.floor((event.offsetY + box.scrollTop) / CELL.height);
  return column < columns ? rows[line * columns + column] : undefined;
}

// Scrolls as little as brings the chosen event in sight.
export function scrollSheet() {
  const number = rows.findIndex((row) => row.id === store.chosen);
  if (number < 0) return;
  const top = Math.floor(number / columns) * CELL.height;
  if (top < box.scrollTop) box.scrollTop = top;
  if (top + CELL.height > box.scrollTop + box.clientHeight) box.scrollTop = top + CELL.height - box.clientHeight;
}

export function sheetColumns() { return columns; }

let from = null;
canvas.addEventListener("pointerdown", (event) => { from = rowAt(event); canvas.setPointerCapture(event.pointerId); });
canvas.addEventListener("pointermove", (event) => {
  const to = rowAt(event);
  if (!from || !to || to === from || !event.buttons) return;
  range = [rows.indexOf(from), rows.indexOf(to)].sort((a, b) => a - b);
  store.selected = new Set(rows.slice(range[0], range[1] + 1).map((row) => row.id));
  changed();
});
canvas.addEventListener("pointerup", (event) => {
  const row = rowAt(event);
  if (row && row === from) choose(row.id, event);
  from = null;
});
box.addEventListener("scroll", changed);
new ResizeObserver(changed).observe(box);
