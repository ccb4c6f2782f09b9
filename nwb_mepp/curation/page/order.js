// Which rows the contact sheet and the table show, and in which order.

import { isMepp, store } from "./store.js";

const RANK = { unreviewed: 0, added: 1, moved: 2, accepted: 3, rejected: 4 };
const lowFirst = (name) => (one, other) => compare(one[name], other[name]);
export const SORTS = {
  time: ["time", lowFirst("x_peak")],
  probability: ["probability, doubtful first", lowFirst("probability")],
  anomaly: ["anomaly, oddest first", (one, other) => compare(other.anomaly, one.anomaly)],
  amplitude: ["amplitude, smallest first", (one, other) => Math.abs(one.amplitude) - Math.abs(other.amplitude)],
  status: ["decision", (one, other) => RANK[one.status] - RANK[other.status]],
};
export const FILTERS = {
  all: ["all", () => true],
  unreviewed: ["to do", (row) => row.status === "unreviewed"],
  accepted: ["accepted", (row) => row.status === "accepted" || row.status === "moved"],
  rejected: ["rejected", (row) => row.status === "rejected"],
  added: ["added or moved", (row) => row.status === "added" || row.status === "moved"],
  others: ["no MEPPs", (row) => !isMepp(row)],
};
export const order = { sort: "time", by: null, down: false, filter: "all", words: "" };

// What is not known comes last.
function compare(one, other) {
  if (one === null || other === null) return (one === null) - (other === null);
  return typeof one === "string" ? one.localeCompare(other) : one - other;
}

let known = "";

export function rowsInOrder() {
  const asked = `${store.version} ${Object.values(order).join(" ")}`;
  if (asked === known) return store.shown;
  known = asked;
  const passes = FILTERS[order.filter][1], words = order.words.toLowerCase();
  const says = (row) => !words || [row.status, row.kind, row.quality, row.note, row.source].join(" ").toLowerCase().includes(words);
  const rows = store.sorted.filter((row) => passes(row) && says(row));
  if (order.by) {
    rows.sort((one, other) => (order.down ? -1 : 1) * compare(one[order.by], other[order.by]));
  } else if (order.sort !== "time") rows.sort(SORTS[order.sort][1]);
  store.shown = rows;
  return rows;
}
