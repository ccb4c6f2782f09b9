// What the page knows: the rows, which of them are chosen, and what the server said.

export const store = {
  rows: new Map(), sorted: [], chosen: null, selected: new Set(), view: [0, 1], cursor: null,
  columns: [], excluded: [], left_out: [], stated: [], doubted: [], preview: null, shown: [], average: null,
  version: 0, factor: 1, unit: "", sign: 1, hum: false, fixedSpan: null, files: [], message: "",
};

const listeners = [];
export function onChange(listener) { listeners.push(listener); }

let waiting = false;
// Everything is drawn once a frame, however much changed.
export function changed() {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; for (const one of listeners) one(); });
}

function rowOf(values) {
  return Object.fromEntries(store.columns.map((name, number) => [name, values[number]]));
}

export function takeState(state) {
  const rows = new Map();
  Object.assign(store, state);
  for (const values of state.rows) { const row = rowOf(values); rows.set(row.id, row); }
  store.rows = rows;
  store.selected.clear();
  store.preview = null;
  sortRows();
  if (!rows.has(store.chosen)) store.chosen = store.sorted.length ? store.sorted[0].id : null;
}

export function takeChange(change) {
  const gone = [], come = [];
  for (const [id, values] of Object.entries(change.rows)) {
    if (values === null) { store.rows.delete(id); store.selected.delete(id); gone.push(id); } else {
      if (!store.rows.has(id)) come.push(id);
      store.rows.set(id, rowOf(values));
    }
  }
  for (const name of ["excluded", "can_undo", "can_redo", "saved"]) store[name] = change[name];
  sortRows();
  return { gone, come };
}

// What is computed from all rows is computed anew when they have another version.
function sortRows() {
  store.version += 1;
  store.sorted = [...store.rows.values()].sort((one, other) => one.x_peak - other.x_peak);
}

export function chosenRow() { return store.rows.get(store.chosen) || null; }
export function isKept(row) { return row.status !== "rejected"; }
export function isMepp(row) { return isKept(row) && (row.kind === "mepp" || row.kind === ""); }
export function isDecided(row) { return row.status !== "unreviewed"; }

// Returns the rows that a decision is about: the selected ones, else the chosen one.
export function targets() {
  if (store.selected.size) return [...store.selected];
  return store.chosen === null ? [] : [store.chosen];
}

// Returns the number of the first row that peaks at or after a place.
export function firstAfter(x) {
  let low = 0, high = store.sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (store.sorted[middle].x_peak < x) low = middle + 1; else high = middle;
  }
  return low;
}

// Returns where nobody has looked yet: around what is to do, up to the nearest events that are decided on.
function undecidedStretches() {
  const stretches = [], rows = store.sorted;
  for (let first = 0; first < rows.length; first += 1) {
    if (isDecided(rows[first])) continue;
    let last = first;
    while (last + 1 < rows.length && !isDecided(rows[last + 1])) last += 1;
    stretches.push([first ? Math.min(rows[first - 1].x_stop, rows[first].x_start) : 0,
      last + 1 < rows.length ? Math.max(rows[last + 1].x_start, rows[last].x_stop) : store.duration_s]);
    first = last;
  }
  return stretches;
}

// Returns the seconds that count: without what is left out, and what nobody has looked at yet.
export function countedSeconds() {
  const stretches = [...store.excluded, ...store.stated, ...store.left_out, ...undecidedStretches()].map((one) => [one[0], one[1]]);
  stretches.sort((one, other) => one[0] - other[0]);
  let left = store.duration_s, end = 0;
  for (const [from, to] of stretches) {
    left -= Math.max(0, to - Math.max(from, end));
    end = Math.max(end, to);
  }
  return Math.max(left, 0);
}
