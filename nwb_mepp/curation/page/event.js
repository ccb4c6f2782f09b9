// The chosen event, large, aligned over the mean of the accepted ones; beside it its measures.

import { COLORS, SHAPES, WORDS, axes, context, fixed, label } from "./plot.js";
import { getJson, getTrace } from "./server.js";
import { changed, chosenRow, store } from "./store.js";
import { fit } from "./trace.js";

const canvas = document.getElementById("event"), measures = document.getElementById("measures");
const BEFORE_S = 6e-3, AFTER_S = 24e-3;
let shown = { key: "", parts: null }, averageTimer = null, averageAsked = 0;

// Asks for the mean of the accepted, a little after the last decision.
export function askAverage() {
  clearTimeout(averageTimer);
  averageTimer = setTimeout(async () => {
    const number = (averageAsked += 1);
    try {
      const found = await getJson("average");
      if (number === averageAsked) { store.average = found; changed(); }
    } catch { /* The recording was closed meanwhile. */ }
  }, 250);
}

function ask(row) {
  const key = `${store.number} ${row.id} ${row.x_start} ${row.x_peak} ${store.hum}`;
  if (key === shown.key) return;
  shown = { key, parts: shown.parts, of: null };
  getTrace(row.x_start - BEFORE_S, row.x_peak + AFTER_S, 4000, store.hum).then((parts) => {
    if (shown.key === key) { shown.parts = parts; shown.of = row.id; changed(); }
  });
}

// Returns where a trace passes half of the amplitude on its way to the peak.
function crossing(row, part) {
  const half = row.baseline + row.amplitude / 2, sign = Math.sign(row.amplitude) || 1;
  let number = Math.round((row.x_peak - part.x) / part.step);
  const first = Math.max(Math.round((row.x_start - part.x) / part.step), 1);
  while (number > first && sign * (part.values[number] - half) > 0) number -= 1;
  const before = part.values[number], after = part.values[number + 1];
  const share = after === before ? 0 : (half - before) / (after - before);
  return part.x + (number + Math.min(Math.max(share, 0), 1)) * part.step;
}

export function drawEvent() {
  const row = chosenRow();
  const { draw, width, height } = context(canvas);
  tellMeasures(row);
  if (!row) { draw.fillText("no event is chosen", 20, 30); return; }
  ask(row);
  const part = shown.of === row.id && shown.parts ? shown.parts.find((one) => one.x <= row.x_peak
    && row.x_peak <= one.x + one.step * one.n) : null;
  const mean = store.average, factor = store.factor;
  let low = Math.min(0, row.amplitude), high = Math.max(0, row.amplitude);
  if (mean) for (const value of mean.values) { low = Math.min(low, value); high = Math.max(high, value); }
  // Neighbors may be larger: the scale is that of the event.
  if (part) part.values.forEach((value, number) => {
    if (part.x + number * part.step > row.x_stop) return;
    low = Math.min(low, value - row.baseline); high = Math.max(high, value - row.baseline);
  });
  const margin = 0.08 * (high - low), box = { left: 46, top: 18, right: width - 8, bottom: height - 18 };
  const { toX, toY } = axes(draw, box, [-1e3 * BEFORE_S, 1e3 * AFTER_S * 0.75],
    [(low - margin) * factor, (high + margin) * factor], { xLabel: "ms", yLabel: store.unit, xTicks: 5, yTicks: 4 });
  draw.save();
  draw.beginPath(); draw.rect(box.left, box.top, box.right - box.left, box.bottom - box.top); draw.clip();
  if (mean && mean.n) {
    line(draw, mean.time_s.map((time) => toX(1e3 * time)), mean.values.map((value) => toY(value * factor)), "#56b4e9", 4);
  }
  if (part) {
    const zero = crossing(row, part), xs = [], ys = [];
    part.values.forEach((value, number) => {
      xs.push(toX(1e3 * (part.x + number * part.step - zero)));
      ys.push(toY((value - row.baseline) * factor));
    });
    line(draw, xs, ys, "#222", 1.2);
    if (fit.id === row.id) {
      line(draw, fit.values.map((_, number) => toX(1e3 * (fit.x + number * fit.step - zero))),
        fit.values.map((value) => toY((value - row.baseline) * factor)), "#e69f00", 2);
    }
  }
  draw.restore();
  const n = mean ? mean.n : 0, averaged = n ? `mean of ${n} ${mean.accepted ? "accepted" : "not rejected"}` : "";
  [["this event", "#222"], [fit.id === row.id ? "fit" : "", "#b07800"], [averaged, "#1f7fb8"]].forEach(([words, color], number) => {
    label(draw, words, box.right - 4, box.top + 3 + 13 * number, color);
  });
}

function line(draw, xs, ys, color, width) {
  draw.strokeStyle = color;
  draw.lineWidth = width;
  draw.beginPath();
  xs.forEach((x, number) => draw.lineTo(x, ys[number]));
  draw.stroke();
  draw.lineWidth = 1;
}

let told = null;
function tellMeasures(row) {
  if (row === told) return;
  told = row;
  measures.replaceChildren();
  if (!row) return;
  const add = (name, value, wide, kind) => {
    const term = document.createElement("dt"), words = document.createElement("dd");
    term.textContent = name;
    words.textContent = words.title = value;
    if (wide) words.className = "wide";
    if (kind) words.classList.add(kind);
    measures.append(term, words);
  };
  const ms = (value) => (value === null ? "–" : `${fixed(1e3 * value, 2)} ms`), factor = store.factor;
  add("time", `${fixed(row.time, 4)} s`);
  add("decision", `${SHAPES[row.status]} ${WORDS[row.status]}`, false, row.status === "unreviewed" ? "todo" : row.status);
  add("amplitude", `${fixed(row.amplitude * factor, 3)} ${store.unit}`);
  add("baseline", `${fixed(row.baseline * factor, 2)} ${store.unit}`);
  add("rise 10–90", ms(row.rise_10_90_s));
  add("half-width", ms(row.half_width_s));
  add("decay", ms(row.decay_tau_s));
  add("area", `${fixed(row.area * factor * 1e3, 2)} ${store.unit} ms`);
  add("probability", fixed(row.probability, 2));
  add("anomaly", fixed(row.anomaly, 1));
  add("kind", row.kind || "mepp");
  add("quality", row.quality || "–");
  add("found by", row.source || "–");
  add("note", row.note || "–");
}
new ResizeObserver(changed).observe(canvas);
