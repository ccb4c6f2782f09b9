// The trace: drawn from a stretch three times as long as what is seen, so that panning never waits.

import { COLORS, SHAPES, WORDS, axes, context, fixed, mark } from "./plot.js";
import { getJson, getTrace } from "./server.js";
import { changed, chosenRow, firstAfter, store } from "./store.js";

const canvas = document.getElementById("trace"), hover = document.getElementById("hover");
const BOX = { left: 58, top: 18, right: 0, bottom: 0 };
const NEAR = 7;
let have = null, asking = null, wanted = "", scale = null, drag = null, act = () => {};
export const fit = { id: null, x: 0, step: 0, values: [] };

// Says what a pointer does: act({do, ...}) decides, act({choose, ...}) chooses.
export function setAct(does) { act = does; }

export function setView(from, to) {
  const least = 20 / store.rate_hz, span = Math.min(Math.max(to - from, least), store.duration_s);
  const begin = Math.min(Math.max((from + to) / 2 - span / 2, 0), store.duration_s - span);
  store.view = [begin, begin + span];
  changed();
}

export function zoom(factor, at) {
  const [from, to] = store.view, center = at === undefined ? (from + to) / 2 : at;
  setView(center - (center - from) * factor, center + (to - center) * factor);
}

export function pan(share) {
  const [from, to] = store.view, by = share * (to - from);
  setView(from + by, to + by);
}

// Shows a row in the middle unless it is well in sight.
export function bringInSight(row) {
  const [from, to] = store.view, span = to - from;
  if (row.x_peak < from + 0.1 * span || row.x_peak > to - 0.1 * span || span > 40) {
    const wide = Math.min(span, 4);
    setView(row.x_peak - wide / 2, row.x_peak + wide / 2);
  }
}

export function forget() { have = null; wanted = ""; asking = null; changed(); }

function ask() {
  const [from, to] = store.view, span = to - from;
  const usable = have && have.from <= from && have.to >= to && have.span < 2.5 * span && have.hum === store.hum;
  const middling = have && have.from <= Math.max(from - 0.4 * span, 0)
    && have.to >= Math.min(to + 0.4 * span, store.duration_s);
  if (usable && have.span > span / 2.5 && middling && have.whole) return;
  const stretch = { from: Math.max(from - span, 0), to: Math.min(to + span, store.duration_s) };
  const key = `${store.number} ${stretch.from} ${stretch.to} ${store.hum} ${store.envelope >= 1}`;
  if (key === wanted || asking) return;
  wanted = key;
  const columns = (canvas.clientWidth * (stretch.to - stretch.from)) / span, hum = store.hum;
  asking = getTrace(stretch.from, stretch.to, columns, hum).then((parts) => {
    asking = null;
    if (parts) have = { ...stretch, parts, span, hum, whole: true };
    changed();
  }, () => { asking = null; });
}

function limits(from, to) {
  let low = Infinity, high = -Infinity;
  for (const part of have.parts) {
    const per = part.pairs ? 2 : 1;
    const first = Math.max(Math.floor((from - part.x) / part.step), 0) * per;
    const last = Math.min(Math.ceil((to - part.x) / part.step) + 1, part.n) * per;
    for (let number = first; number < last; number += 1) {
      const value = part.values[number];
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (!(high > low)) { low -= 1e-6; high = low + 2e-6; }
  const margin = 0.08 * (high - low);
  if (store.fixedSpan === null) return [low - margin, high + 2 * margin];
  const middle = (low + high) / 2;
  return [middle - store.fixedSpan / 2, middle + store.fixedSpan / 2];
}

export function span() { return scale ? scale.high - scale.low : null; }

export function drawTrace() {
  ask();
  const { draw, width, height } = context(canvas), [from, to] = store.view;
  BOX.right = width - 8;
  BOX.bottom = height - 20;
  if (!have) { draw.fillText("reading …", 70, 30); return; }
  const [low, high] = limits(from, to), factor = store.factor;
  const placed = axes(draw, BOX, [from, to], [low * factor, high * factor], {
    xLabel: "s", yLabel: store.unit, xTicks: width / 110, yTicks: height / 50,
  });
  const x = placed.toX, y = (value) => placed.toY(value * factor);
  scale = { x, y, low, high };
  draw.save();
  draw.beginPath();
  draw.rect(BOX.left, BOX.top, BOX.right - BOX.left, BOX.bottom - BOX.top);
  draw.clip();
  drawStretches(draw, x);
  drawIntervals(draw, x, y);
  drawLine(draw, x, y, from, to);
  drawChosen(draw, x, y);
  drawMarks(draw, x, y, from, to);
  drawCursor(draw, x);
  draw.restore();
}

function drawStretches(draw, x) {
  const [from, to] = store.view;
  const all = [...store.stated.map((one) => [one, "left out"]), ...store.left_out.map((one) => [one, one[2]]),
    ...store.excluded.map((one) => [one, "left out by you"])];
  for (const [[start, stop], words] of all) {
    if (stop < from || start > to) continue;
    draw.fillStyle = "#dcdcdc";
    draw.fillRect(x(start), BOX.top, x(stop) - x(start), BOX.bottom - BOX.top);
    draw.fillStyle = "#555";
    draw.textAlign = "left";
    draw.fillText(words, Math.max(x(start), BOX.left) + 4, BOX.bottom - 14);
  }
  for (const [border] of store.borders.slice(1)) {
    if (border < from || border > to) continue;
    draw.strokeStyle = "#999";
    draw.setLineDash([4, 4]);
    draw.beginPath(); draw.moveTo(x(border), BOX.top); draw.lineTo(x(border), BOX.bottom); draw.stroke();
    draw.setLineDash([]);
  }
}

function visible() {
  const [from, to] = store.view, found = [];
  for (let number = Math.max(firstAfter(from) - 1, 0); number < store.sorted.length; number += 1) {
    const row = store.sorted[number];
    if (row.x_start > to) break;
    if (row.x_stop >= from) found.push(row);
  }
  return found;
}

function drawIntervals(draw, x) {
  if (store.view[1] - store.view[0] > 60) return;
  for (const row of visible()) {
    draw.fillStyle = `${COLORS[row.status]}${row.id === store.chosen ? "38" : "1c"}`;
    draw.fillRect(x(row.x_start), BOX.top, Math.max(x(row.x_stop) - x(row.x_start), 1), BOX.bottom - BOX.top);
  }
}

function drawLine(draw, x, y, from, to) {
  draw.strokeStyle = "#222";
  draw.lineJoin = "round";
  for (const part of have.parts) {
    const first = Math.max(Math.floor((from - part.x) / part.step) - 1, 0);
    const last = Math.min(Math.ceil((to - part.x) / part.step) + 2, part.n);
    draw.beginPath();
    for (let number = first; number < last; number += 1) {
      const at = x(part.x + number * part.step);
      if (part.pairs) {
        draw.moveTo(at, y(part.values[2 * number]) + 0.4);
        draw.lineTo(at, y(part.values[2 * number + 1]) - 0.4);
        if (number + 1 < last) draw.lineTo(x(part.x + (number + 1) * part.step), y(part.values[2 * number + 2]));
      } else if (number === first) draw.moveTo(at, y(part.values[number])); else draw.lineTo(at, y(part.values[number]));
    }
    draw.stroke();
  }
}

function drawChosen(draw, x, y) {
  const row = chosenRow();
  if (!row) return;
  if (row.baseline !== null) {
    draw.strokeStyle = "#000";
    draw.setLineDash([5, 3]);
    draw.beginPath(); draw.moveTo(x(row.x_start) - 12, y(row.baseline)); draw.lineTo(x(row.x_stop) + 12, y(row.baseline));
    draw.stroke();
    draw.setLineDash([]);
  }
  if (fit.id === row.id) {
    draw.strokeStyle = "#e69f00";
    draw.lineWidth = 2;
    draw.beginPath();
    fit.values.forEach((value, number) => draw.lineTo(x(fit.x + number * fit.step), y(value)));
    draw.stroke();
    draw.lineWidth = 1;
  }
  draw.strokeStyle = COLORS[row.status];
  for (const at of [row.x_start, row.x_stop]) {
    draw.beginPath(); draw.moveTo(x(at), BOX.top); draw.lineTo(x(at), BOX.bottom); draw.stroke();
  }
}

// Where marks would hide the trace and each other, a line above says the same.
function drawTicks(draw, x, rows) {
  for (const [status, color] of Object.entries(COLORS)) {
    draw.strokeStyle = color;
    draw.beginPath();
    for (const row of rows) {
      if (row.status !== status) continue;
      draw.moveTo(x(row.x_peak), BOX.top + 1);
      draw.lineTo(x(row.x_peak), BOX.top + 7);
    }
    draw.stroke();
  }
}

function drawMarks(draw, x, y, from, to) {
  const rows = visible(), small = rows.length > 150;
  if (rows.length > 400) drawTicks(draw, x, rows);
  for (const row of rows.length > 400 ? rows.filter((one) => one.id === store.chosen) : rows) {
    const top = row.baseline === null ? BOX.top + 8 : y(row.baseline + row.amplitude);
    const at = Math.min(Math.max(top - 9 * store.sign, BOX.top + 8), BOX.bottom - 6);
    mark(draw, row.status, x(row.x_peak), at, small ? 2.5 : 4, row.id === store.chosen);
    if (row.id === store.chosen || store.selected.has(row.id)) {
      draw.strokeStyle = "#000";
      draw.beginPath(); draw.arc(x(row.x_peak), at, 8, 0, 2 * Math.PI); draw.stroke();
    }
    if (store.preview && store.preview.gone.has(row.id)) mark(draw, "rejected", x(row.x_peak), at, 7, false);
  }
  if (!store.preview) return;
  draw.fillStyle = draw.strokeStyle = COLORS.added;
  for (const at of store.preview.come) {
    if (at < from || at > to) continue;
    draw.beginPath(); draw.moveTo(x(at), BOX.top + 3); draw.lineTo(x(at) - 4, BOX.top + 11);
    draw.lineTo(x(at) + 4, BOX.top + 11); draw.closePath(); draw.stroke();
  }
}

function drawCursor(draw, x) {
  if (store.cursor === null) return;
  draw.strokeStyle = "#0009";
  draw.setLineDash([2, 3]);
  draw.beginPath(); draw.moveTo(x(store.cursor), BOX.top); draw.lineTo(x(store.cursor), BOX.bottom); draw.stroke();
  draw.setLineDash([]);
  if (store.mark_x !== null && store.mark_x !== undefined) {
    draw.fillStyle = "#0002";
    draw.fillRect(x(store.mark_x), BOX.top, x(store.cursor) - x(store.mark_x), BOX.bottom - BOX.top);
  }
}

let fitTimer = null;
// Asks for the fitted shape of the chosen event once the keys rest.
export function askFit() {
  const row = chosenRow();
  clearTimeout(fitTimer);
  if (!row || fit.id === row.id) return;
  fitTimer = setTimeout(async () => {
    try {
      const found = await getJson("fit", { id: row.id });
      if (store.chosen === row.id) { Object.assign(fit, found, { id: row.id }); changed(); }
    } catch { /* It is gone, or has no fit. */ }
  }, 180);
}

function seconds(event) {
  const [from, to] = store.view;
  return from + ((event.offsetX - BOX.left) / (BOX.right - BOX.left)) * (to - from);
}

function rowAt(at, pixels) {
  const [from, to] = store.view, near = (pixels / (BOX.right - BOX.left)) * (to - from);
  let best = null;
  for (const row of visible()) {
    const inside = row.x_start <= at && at < row.x_stop, far = Math.abs(row.x_peak - at);
    if ((inside || far < near) && (!best || far < Math.abs(best.x_peak - at))) best = row;
  }
  return best;
}

function edgeAt(event) {
  const row = chosenRow();
  if (!row || !scale) return null;
  if (Math.abs(scale.x(row.x_start) - event.offsetX) < NEAR) return "onset";
  if (Math.abs(scale.x(row.x_stop) - event.offsetX) < NEAR) return "end";
  return null;
}

canvas.addEventListener("pointerdown", (event) => {
  canvas.setPointerCapture(event.pointerId);
  drag = { edge: event.shiftKey ? null : edgeAt(event), at: event.offsetX, view: store.view, moved: false,
    from: seconds(event), leaveOut: event.altKey };
});
canvas.addEventListener("pointermove", (event) => {
  store.cursor = seconds(event);
  canvas.style.cursor = edgeAt(event) ? "ew-resize" : "crosshair";
  if (drag && Math.abs(event.offsetX - drag.at) > 3) drag.moved = true;
  if (drag && drag.moved && !drag.edge && !drag.leaveOut) {
    const by = ((drag.at - event.offsetX) / (BOX.right - BOX.left)) * (drag.view[1] - drag.view[0]);
    setView(drag.view[0] + by, drag.view[1] + by);
  }
  if (drag && drag.leaveOut) store.mark_x = drag.from;
  tell(event);
  changed();
});
canvas.addEventListener("pointerup", (event) => {
  const done = drag;
  drag = null;
  if (!done) return;
  if (done.leaveOut) { store.mark_x = null; if (done.moved) act({ do: "exclude", from: done.from, to: seconds(event) }); return; }
  if (done.edge && done.moved) { act({ do: "move", id: store.chosen, [done.edge]: seconds(event) }); return; }
  if (done.moved) return;
  const row = rowAt(seconds(event), 10);
  if (row) act({ choose: row.id, add: event.ctrlKey || event.metaKey || event.shiftKey });
});
canvas.addEventListener("dblclick", (event) => { if (!rowAt(seconds(event), 4)) act({ do: "add", x: seconds(event) }); });
canvas.addEventListener("pointerleave", () => { hover.style.display = "none"; });
canvas.addEventListener("wheel", (event) => {
  event.preventDefault();
  if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) pan(0.001 * (event.deltaX || event.deltaY));
  else zoom(Math.exp(0.0015 * event.deltaY), seconds(event));
}, { passive: false });

function tell(event) {
  const row = drag ? null : rowAt(seconds(event), 8);
  hover.style.display = row ? "block" : "none";
  if (!row) return;
  const lines = [`${SHAPES[row.status]} ${WORDS[row.status]}   ${fixed(row.time, 4)} s`,
    `${fixed(row.amplitude * store.factor, 3)} ${store.unit}   ${row.kind}   ${row.quality}`];
  if (row.probability !== null) lines.push(`probability ${fixed(row.probability, 2)}`);
  if (row.note) lines.push(row.note);
  hover.textContent = lines.join("\n");
  hover.style.left = `${Math.min(event.offsetX + 14, canvas.clientWidth - 230)}px`;
  hover.style.top = `${Math.max(event.offsetY - 60, 4)}px`;
}
new ResizeObserver(() => { forget(); }).observe(canvas);
