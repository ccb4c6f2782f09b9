// The whole recording at once: its envelope, a tick for each event, what is left out, and where the view is.

import { COLORS, context, label } from "./plot.js";
import { getTrace } from "./server.js";
import { changed, chosenRow, store } from "./store.js";
import { setView } from "./trace.js";

const canvas = document.getElementById("overview");
const TICKS = 14;
let parts = null, asked = "";

// Asks for the envelope if the recording, the size or the hum has changed.
function ask() {
  const wanted = `${store.number} ${canvas.clientWidth} ${store.envelope >= 1} ${store.duration_s}`;
  if (wanted === asked) return;
  asked = wanted;
  getTrace(0, store.duration_s, canvas.clientWidth, true).then((found) => { parts = found; changed(); });
}

export function drawOverview() {
  ask();
  const { draw, width, height } = context(canvas);
  const x = (seconds) => (seconds / store.duration_s) * width;
  shade(draw, x, height);
  if (parts) drawEnvelope(draw, x, height); else {
    draw.fillStyle = "#555";
    draw.fillText(`preparing the overview: ${Math.round(100 * (store.envelope || 0))} %`, 8, 24);
  }
  drawTicks(draw, x, height);
  const [from, to] = store.view;
  draw.strokeStyle = "#000";
  draw.lineWidth = 1.5;
  draw.fillStyle = "#ffd54a44";
  const left = x(from), span = Math.max(x(to) - left, 3);
  draw.fillRect(left, 1, span, height - TICKS - 2);
  draw.strokeRect(left, 1, span, height - TICKS - 2);
  label(draw, lasting(store.duration_s), width - 6, 4, "#333");
}

function lasting(seconds) {
  if (seconds < 120) return `${Number(seconds.toPrecision(3))} s`;
  return seconds < 7200 ? `${Number((seconds / 60).toPrecision(3))} min` : `${Number((seconds / 3600).toPrecision(3))} h`;
}

function shade(draw, x, height) {
  const kinds = [[store.excluded, "#c9c9c9"], [store.stated, "#dedede"], [store.left_out, "#dedede"]];
  for (const [stretches, color] of kinds) {
    draw.fillStyle = color;
    for (const [from, to] of stretches) draw.fillRect(x(from), 0, Math.max(x(to) - x(from), 1), height);
  }
}

function drawEnvelope(draw, x, height) {
  let low = Infinity, high = -Infinity;
  for (const part of parts) for (const value of part.values) {
    if (value < low) low = value;
    if (value > high) high = value;
  }
  const y = (value) => 3 + (1 - (value - low) / (high - low || 1)) * (height - TICKS - 8);
  draw.strokeStyle = "#3c3c3c";
  draw.beginPath();
  for (const part of parts) {
    for (let number = 0; number < part.n; number += 1) {
      const at = x(part.x + part.step * number);
      if (part.pairs) {
        draw.moveTo(at, y(part.values[2 * number]) + 0.5);
        draw.lineTo(at, y(part.values[2 * number + 1]) - 0.5);
      } else if (number) draw.lineTo(at, y(part.values[number])); else draw.moveTo(at, y(part.values[number]));
    }
  }
  draw.stroke();
}

function drawTicks(draw, x, height) {
  for (const status of ["unreviewed", "accepted", "moved", "added", "rejected"]) {
    draw.strokeStyle = COLORS[status];
    draw.beginPath();
    for (const row of store.sorted) {
      if (row.status !== status) continue;
      const at = Math.round(x(row.x_peak)) + 0.5, short = status === "rejected" ? 5 : 0;
      draw.moveTo(at, height - TICKS + 2 + short);
      draw.lineTo(at, height - 2);
    }
    draw.stroke();
  }
  if (store.preview) drawPreview(draw, x, height);
  const row = chosenRow();
  if (!row) return;
  const at = x(row.x_peak);
  draw.fillStyle = "#000";
  draw.beginPath();
  draw.moveTo(at, height - TICKS + 2); draw.lineTo(at - 5, height - TICKS - 5);
  draw.lineTo(at + 5, height - TICKS - 5); draw.fill();
}

// What the sliders would reject and add.
function drawPreview(draw, x, height) {
  draw.lineWidth = 2;
  const gone = store.sorted.filter((row) => store.preview.gone.has(row.id)).map((row) => row.x_peak);
  for (const [places, color] of [[gone, COLORS.rejected], [store.preview.come, COLORS.added]]) {
    draw.strokeStyle = color;
    draw.beginPath();
    for (const at of places) { draw.moveTo(x(at), height - TICKS - 4); draw.lineTo(x(at), height - 2); }
    draw.stroke();
  }
  draw.lineWidth = 1;
}

let dragging = false;
function go(event) {
  const at = (event.offsetX / canvas.clientWidth) * store.duration_s, half = (store.view[1] - store.view[0]) / 2;
  setView(at - half, at + half);
}
canvas.addEventListener("pointerdown", (event) => { dragging = true; canvas.setPointerCapture(event.pointerId); go(event); });
canvas.addEventListener("pointermove", (event) => { if (dragging) go(event); });
canvas.addEventListener("pointerup", () => { dragging = false; });
new ResizeObserver(changed).observe(canvas);
