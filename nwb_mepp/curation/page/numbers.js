// The numbers as they stand: rate, means, histograms; and limits on what nobody decided on yet.

import { axes, context, fixed } from "./plot.js";
import { changed, countedSeconds, isDecided, isMepp, store } from "./store.js";

const statistics = document.getElementById("statistics"), canvas = document.querySelector("#histograms canvas");
const limits = document.getElementById("limits"), preview = document.getElementById("preview");
const sliders = Object.fromEntries(["threshold", "rate", "size"].map((name) => [name, document.getElementById(name)]));

function meanOf(values) {
  const n = values.length;
  if (!n) return { n, mean: NaN, sd: NaN };
  const mean = values.reduce((sum, one) => sum + one, 0) / n;
  const sd = Math.sqrt(values.reduce((sum, one) => sum + (one - mean) ** 2, 0) / (n - 1));
  return { n, mean, sd };
}

let drawn = "";

export function drawNumbers() {
  drawLimits();
  const asked = `${store.version} ${canvas.clientWidth} ${canvas.clientHeight} ${window.devicePixelRatio}`;
  if (asked === drawn) return;
  drawn = asked;
  const mepps = store.sorted.filter(isMepp), seconds = countedSeconds(), factor = store.factor;
  const amplitudes = [[], []], decays = [[], []], intervals = [[], []];
  mepps.forEach((row, number) => {
    const which = isDecided(row) ? 0 : 1, last = mepps[number - 1];
    amplitudes[which].push(row.amplitude * factor);
    if (row.decay_tau_s !== null) decays[which].push(1e3 * row.decay_tau_s);
    if (last) intervals[isDecided(last) ? which : 1].push(row.x_peak - last.x_peak);
  });
  const amplitude = meanOf(amplitudes[0]), decay = meanOf(decays[0]), n = amplitudes[0].length;
  const lines = n ? [
    `${n} MEPPs in ${fixed(seconds, seconds < 100 ? 1 : 0)} s reviewed: ${fixed(n / seconds, 3)} per s`,
    `${fixed(amplitude.mean, 3)} ± ${fixed(amplitude.sd, 3)} ${store.unit}, decay ${fixed(decay.mean, 2)} ± ${fixed(decay.sd, 2)} ms`,
  ] : ["No MEPP is accepted yet.", amplitudes[1].length ? "Gray below: what is to do." : ""];
  statistics.replaceChildren(...lines.map((line) => Object.assign(document.createElement("div"), { textContent: line })));
  const { draw, width, height } = context(canvas), third = width / 3;
  [[amplitudes, `amplitude ${store.unit}`], [decays, "decay ms"], [intervals, "interval s"]].forEach(([values, words], number) => {
    histogram(draw, ...values, words, number * third, (number + 1) * third - 6, height);
  });
}

// What counts is blue, what is to do gray, on top of it.
function histogram(draw, counted, todo, words, left, right, height) {
  const values = [...counted, ...todo];
  draw.fillStyle = "#333";
  draw.textAlign = "left";
  draw.textBaseline = "top";
  draw.fillText(words, left + 4, 0);
  if (values.length < 2) return;
  const sorted = Float64Array.from(values).sort(), spread = sorted[Math.floor(0.98 * (sorted.length - 1))];
  const low = Math.min(0, sorted[Math.floor(0.02 * (sorted.length - 1))]) * 1.05, high = Math.max(spread, 0) * 1.1 || 1e-9;
  const n = Math.min(24, Math.max(8, Math.round(Math.sqrt(values.length) * 2))), bins = new Array(n).fill(0), waiting = new Array(n).fill(0);
  values.forEach((value, number) => {
    const bin = Math.min(Math.max(Math.floor(((value - low) / (high - low)) * n), 0), n - 1);
    bins[bin] += 1;
    if (number >= counted.length) waiting[bin] += 1;
  });
  const box = { left: left + 27, right, top: 16, bottom: height - 17 };
  const { toX, toY } = axes(draw, box, [low, high], [0, Math.max(...bins) * 1.05], { xTicks: 2, yTicks: 2 });
  bins.forEach((count, bin) => {
    const from = toX(low + (bin / n) * (high - low)), to = toX(low + ((bin + 1) / n) * (high - low));
    const fill = (color, below, above) => {
      draw.fillStyle = color;
      draw.fillRect(from, toY(above), Math.max(to - from - 1, 1), toY(below) - toY(above));
    };
    fill("#3d9bd6", 0, count - waiting[bin]);
    fill("#d2d2d2", count - waiting[bin], count);
  });
}

// Sets the sliders to what lets all pass, when a recording is opened.
export function resetLimits() {
  const sizes = store.sorted.map((row) => Math.abs(row.amplitude) * store.factor);
  const most = sizes.length ? sizes.sort((a, b) => a - b)[Math.floor(0.8 * (sizes.length - 1))] : 1;
  sliders.size.max = most;
  sliders.size.step = most / 200;
  sliders.size.value = 0;
  sliders.threshold.value = store.threshold === null ? 0 : store.threshold;
  sliders.rate.value = sliders.rate.max;
  const any = store.sorted.some((row) => row.probability !== null);
  sliders.threshold.disabled = sliders.rate.disabled = !any;
  document.getElementById("doubted").disabled = !any;
  store.preview = null;
}

// Returns the least probability at which the expected share of false ones is within the rate.
function thresholdFor(rate) {
  const all = [...store.sorted.filter((row) => row.status === "unreviewed").map((row) => row.probability),
    ...store.doubted.map((one) => one[1])].filter((one) => one !== null).sort((a, b) => b - a);
  let doubt = 0, least = 1;
  for (let number = 0; number < all.length; number += 1) {
    doubt += 1 - all[number];
    if (doubt / (number + 1) > rate) break;
    least = all[number];
  }
  return least;
}

// Returns what the limits would do: what is not decided and falls below, and what was doubted and passes.
export function judge() {
  const threshold = Number(sliders.threshold.value), size = Number(sliders.size.value) / store.factor;
  const passes = (probability, amplitude) => !(probability !== null && probability < threshold) && Math.abs(amplitude) >= size;
  const gone = store.sorted.filter((row) => row.status === "unreviewed" && !passes(row.probability, row.amplitude));
  const come = store.doubted.filter((one) => passes(one[1], one[2])).map((one) => one[0]);
  return { threshold, size, gone: new Set(gone.map((row) => row.id)), come };
}

function drawLimits() {
  const words = [Number(sliders.threshold.value).toFixed(2), Number(sliders.rate.value).toFixed(3),
    `${Number(sliders.size.value).toFixed(2)} ${store.unit}`];
  limits.querySelectorAll("output").forEach((output, number) => { output.textContent = words[number]; });
  const found = store.preview;
  document.getElementById("apply").disabled = !found || !(found.gone.size + found.come.length);
  preview.textContent = found
    ? `rejects ${found.gone.size}, adds ${found.come.length} doubted`
    : store.doubted.length ? `${store.doubted.length} doubted candidates` : "";
}

for (const [name, slider] of Object.entries(sliders)) {
  slider.addEventListener("input", () => {
    if (name === "rate") sliders.threshold.value = thresholdFor(Number(slider.value));
    store.preview = judge();
    changed();
  });
}
