// The table: sortable, filtered, and as long as there are events; only the lines in sight are made.

import { SHAPES, WORDS, fixed } from "./plot.js";
import { order } from "./order.js";
import { changed, store } from "./store.js";

const box = document.getElementById("table"), head = box.querySelector(".head"), body = box.querySelector(".body");
const inner = body.firstElementChild, LINE = 22;
const ms = (value) => (value === null ? "–" : fixed(1e3 * value, 2));
const COLUMNS = [
  ["decision", "status", (row) => `${SHAPES[row.status]} ${WORDS[row.status]}`],
  ["time s", "x_peak", (row) => fixed(row.time, 3)],
  [() => `ampl. ${store.unit}`, "amplitude", (row) => fixed(row.amplitude * store.factor, 3)],
  ["rise ms", "rise_10_90_s", (row) => ms(row.rise_10_90_s)],
  ["half ms", "half_width_s", (row) => ms(row.half_width_s)],
  ["decay ms", "decay_tau_s", (row) => ms(row.decay_tau_s)],
  ["prob.", "probability", (row) => fixed(row.probability, 2)],
  ["anom.", "anomaly", (row) => fixed(row.anomaly, 1)],
  ["kind", "kind", (row) => row.kind || "mepp"],
  ["quality, note", "note", (row) => [row.quality === "ok" ? "" : row.quality, row.note].filter(Boolean).join(" · ")],
];
let rows = [], choose = () => {};
const lines = [];

export function setChooseLine(does) { choose = does; }

function drawHead() {
  head.replaceChildren(...COLUMNS.map(([name, by]) => {
    const cell = document.createElement("span");
    const arrow = order.by === by ? (order.down ? " ▾" : " ▴") : "";
    cell.textContent = (typeof name === "string" ? name : name()) + arrow;
    cell.title = "sort by this";
    cell.onclick = () => {
      if (order.by === by) order.down = !order.down; else { order.by = by; order.down = false; }
      changed();
    };
    return cell;
  }));
}

export function drawTable(shown) {
  rows = shown;
  drawHead();
  inner.style.height = `${rows.length * LINE}px`;
  const first = Math.floor(body.scrollTop / LINE), count = Math.ceil(body.clientHeight / LINE) + 1;
  while (lines.length < count) {
    const line = document.createElement("div");
    line.className = "row";
    line.append(...COLUMNS.map(() => document.createElement("span")));
    line.onclick = (event) => choose(line.dataset.id, event);
    lines.push(line);
    inner.append(line);
  }
  lines.forEach((line, number) => {
    const row = number < count ? rows[first + number] : undefined;
    line.hidden = !row;
    if (!row) return;
    line.dataset.id = row.id;
    line.style.transform = `translateY(${(first + number) * LINE}px)`;
    line.classList.toggle("chosen", row.id === store.chosen);
    line.classList.toggle("selected", store.selected.has(row.id));
    COLUMNS.forEach(([, , words], column) => { line.children[column].textContent = words(row); });
    line.children[0].className = row.status === "unreviewed" ? "todo" : row.status;
  });
}

export function scrollTable() {
  const number = rows.findIndex((row) => row.id === store.chosen);
  if (number < 0) return;
  if (number * LINE < body.scrollTop) body.scrollTop = number * LINE;
  if ((number + 1) * LINE > body.scrollTop + body.clientHeight) body.scrollTop = (number + 1) * LINE - body.clientHeight;
}
body.addEventListener("scroll", changed);
new ResizeObserver(changed).observe(body);
