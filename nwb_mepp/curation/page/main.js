// The page: what the keys, the buttons and the server do.

import { askAverage, drawEvent } from "./event.js";
import { commandOf, fillHelp } from "./keys.js";
import { judge, drawNumbers, resetLimits } from "./numbers.js";
import { FILTERS, SORTS, order, rowsInOrder } from "./order.js";
import { drawOverview } from "./overview.js";
import { decide, follow, getJson } from "./server.js";
import { drawSheet, forgetSnippets, scrollSheet, setChoose } from "./sheet.js";
import { changed, chosenRow, firstAfter, onChange, store, takeChange, takeState, targets } from "./store.js";
import { drawTable, scrollTable, setChooseLine } from "./table.js";
import { askFit, bringInSight, drawTrace, fit, forget, pan, setAct, setView, span, zoom } from "./trace.js";

const of = (id) => document.getElementById(id);
const STEP_S = 1e-4;
let showsSheet = true, advance = null, opened = -1, byKeys = false;

function say(words, wrong = false) {
  of("message").textContent = words;
  of("message").classList.toggle("error", wrong);
}

// While a decision is on its way to the disk, what is typed waits, so that each key meets what the last one left.
let waiting = false;
const queue = [];
function whenFree(does) { if (waiting || queue.length) queue.push(does); else does(); }
function goOn() {
  waiting = false;
  while (queue.length && !waiting) queue.shift()();
}

function ask(wish) {
  if (waiting) { queue.push(() => ask(wish)); return; }
  if (!decide(wish)) {
    queue.length = 0;
    say("The server of this review cannot be reached: nothing was decided. Start nwb-mepp review again.", true);
  } else if (wish.do !== "doubted") waiting = true;
}

async function load() {
  const state = await getJson("state"), fresh = state.number !== opened || state.rows.length === 0;
  takeState(state);
  opened = state.number;
  forgetSnippets();
  fit.id = null;
  document.title = `${fileName()} – review`;
  if (fresh) {
    const row = store.sorted.find((one) => one.status === "unreviewed") || store.sorted[0];
    store.chosen = row ? row.id : null;
    setView(row ? row.x_peak - 2 : 0, row ? row.x_peak + 2 : Math.min(4, store.duration_s));
    resetLimits();
    say(state.notes.join(" ") || "Press ? for the keys.");
  }
  forget();
  chosenChanged();
  askAverage();
}

function fileName() { return store.files[store.number] ? store.files[store.number].name : ""; }

const HEED = {
  connected: () => { queue.length = 0; load().catch((error) => say(error.message, true)).then(goOn); },
  opened: () => load().catch((error) => say(error.message, true)).then(goOn),
  error: (message) => { advance = null; say(message.message, true); goOn(); },
  saved: (message) => { store.saved = true; say(message.message); goOn(); },
  envelope: (message) => { store.envelope = message.fraction; if (message.fraction >= 1) forget(); },
  files: (message) => { store.files = message.files; fillFiles(); },
  doubted: (message) => { store.doubted = message.doubted; store.preview = judge(); say(`${message.doubted.length} candidates that the detector doubted: move the sliders.`); },
  change: (message) => { takenIn(message); goOn(); },
};

// Takes a decision in, of this tab or another one.
function takenIn(change) {
  const before = chosenRow(), { gone, come } = takeChange(change);
  forgetSnippets(Object.keys(change.rows));
  if (Object.keys(change.rows).includes(fit.id)) fit.id = null;
  if (store.files[store.number]) store.files[store.number].counts = change.counts;
  if (change.do === "choose") { store.preview = null; store.doubted = store.doubted.filter((one) => !come.some((id) => store.rows.get(id).x_peak === one[0])); }
  if (come.length && gone.length + come.length < 6) store.chosen = come[0];
  else if (!store.rows.has(store.chosen) && store.sorted.length) {
    const at = before ? firstAfter(before.x_peak) : 0;
    store.chosen = store.sorted[Math.min(at, store.sorted.length - 1)].id;
  }
  const touched = Object.keys(change.rows).filter((id) => store.rows.has(id));
  if (["undo", "redo"].includes(change.do) && touched.length && touched.length < 6) store.chosen = touched[0];
  if (["accept", "reject", "merge"].includes(change.do)) forgetSelected();
  if (advance !== null) { const from = advance; advance = null; goToUndecided(from); }
  if (change.do !== "note") say(`${SAID[change.do] || change.do}${touched.length > 1 ? `: ${touched.length} events` : ""}`);
  chosenChanged();
  askAverage();
}
const SAID = {
  accept: "Accepted", reject: "Rejected", reopen: "Undecided again", add: "Added", move: "Moved", split: "Split in two",
  merge: "Merged", kind: "Kind changed", note: "Noted", exclude: "Left out", include: "Taken back", undo: "Undone",
  redo: "Done again", choose: "Limits applied",
};

function chosenChanged() {
  const row = chosenRow();
  if (row) bringInSight(row);
  askFit();
  changed();
  requestAnimationFrame(() => (showsSheet ? scrollSheet() : scrollTable()));
}

function choose(id, event) {
  if (event && (event.ctrlKey || event.metaKey)) {
    if (!store.selected.delete(id)) store.selected.add(id);
  } else if (event && event.shiftKey) {
    const at = store.shown.map((row) => row.id), ends = [at.indexOf(store.chosen), at.indexOf(id)].sort((a, b) => a - b);
    if (ends[0] >= 0) at.slice(ends[0], ends[1] + 1).forEach((one) => store.selected.add(one));
  } else forgetSelected();
  store.chosen = id;
  chosenChanged();
}

function forgetSelected() { byKeys = false; store.selected.clear(); }

function step(by) {
  const list = store.shown.length ? store.shown : store.sorted, at = list.findIndex((row) => row.id === store.chosen);
  const next = list[at < 0 ? 0 : at + by];
  // What was selected by keys stays so while they go on to the next event to select.
  if (next) { store.chosen = next.id; if (!byKeys) store.selected.clear(); chosenChanged(); }
}

// Goes to the next undecided event after a place in the list, else to the first one.
function goToUndecided(from) {
  const list = order.filter === "all" ? store.shown.map((row) => store.rows.get(row.id)).filter(Boolean) : store.sorted;
  const todo = (row) => row.status === "unreviewed" && row.id !== from;
  const at = list.findIndex((row) => row.id === from), next = list.slice(at + 1).find(todo) || list.find(todo);
  if (next) { store.chosen = next.id; forgetSelected(); } else if (store.sorted.length) say("All events are decided. Press s to save.");
  chosenChanged();
}

function cursor() {
  const [from, to] = store.view;
  if (store.cursor === null || store.cursor < from || store.cursor > to) {
    const row = chosenRow();
    store.cursor = row && row.x_peak > from && row.x_peak < to ? row.x_peak : (from + to) / 2;
  }
  return store.cursor;
}

function onTargets(what, further = {}) {
  const ids = targets();
  if (!ids.length) { say("No event is chosen."); return; }
  if (["accept", "reject"].includes(what)) advance = ids.length > 1 ? null : ids[0];
  ask({ do: what, ids, ...further });
}

function move(edge, by) {
  const row = chosenRow();
  if (row) ask({ do: "move", id: row.id, [edge]: (edge === "onset" ? row.x_start : row.x_stop) + by });
}

function moveCursor(share) {
  const [from, to] = store.view;
  store.cursor = Math.min(Math.max(cursor() + share * (to - from), from), to);
  changed();
}

function nextOf(list, value) { const names = Object.keys(list); return names[(names.indexOf(value) + 1) % names.length]; }

const COMMANDS = {
  next: () => step(1),
  previous: () => step(-1),
  undecided: () => goToUndecided(store.chosen),
  accept: () => onTargets("accept"),
  reject: () => onTargets("reject"),
  reopen: () => onTargets("reopen"),
  add: () => ask({ do: "add", x: cursor() }),
  split: () => {
    const row = chosenRow(), at = store.cursor;
    if (row) ask({ do: "split", id: row.id, x: at !== null && row.x_start < at && at < row.x_stop ? at : null });
  },
  merge: () => {
    const ids = store.selected.size > 1 ? [...store.selected] : [chosenRow(), store.sorted[firstAfter((chosenRow() || {}).x_peak) + 1]].filter(Boolean).map((row) => row.id);
    ask({ do: "merge", ids });
  },
  kind: (key) => onTargets("kind", { kind: store.kinds[Number(key) - 1] }),
  note: () => writeNote(),
  onsetEarlier: () => move("onset", -STEP_S),
  onsetLater: () => move("onset", STEP_S),
  endEarlier: () => move("end", -STEP_S * 5),
  endLater: () => move("end", STEP_S * 5),
  leaveOut: () => {
    if (store.mark_x === null || store.mark_x === undefined) { store.mark_x = cursor(); say("Now the other end: move the pointer or cursor there and press e again (Esc: do not)."); } else {
      ask({ do: "exclude", from: store.mark_x, to: cursor() });
      store.mark_x = null;
    }
    changed();
  },
  takeBack: () => ask({ do: "include", x: cursor() }),
  undo: () => ask({ do: "undo" }),
  redo: () => ask({ do: "redo" }),
  save: () => { say("Saving …"); ask({ do: "save" }); },
  zoomIn: () => zoom(0.6, chosenInView()),
  zoomOut: () => zoom(1 / 0.6, chosenInView()),
  panRight: () => pan(0.5),
  panLeft: () => pan(-0.5),
  whole: () => setView(0, store.duration_s),
  cursorRight: () => moveCursor(0.002),
  cursorLeft: () => moveCursor(-0.002),
  cursorRightFast: () => moveCursor(0.03),
  cursorLeftFast: () => moveCursor(-0.03),
  select: () => { byKeys = true; if (store.chosen !== null && !store.selected.delete(store.chosen)) store.selected.add(store.chosen); changed(); },
  selectAll: () => { store.selected = new Set(store.selected.size ? [] : store.shown.map((row) => row.id)); changed(); },
  scale: () => { store.fixedSpan = store.fixedSpan === null ? span() : null; changed(); },
  hum: () => { store.hum = !store.hum; forget(); },
  list: () => showList(!showsSheet),
  sort: () => { order.sort = nextOf(SORTS, order.sort); order.by = null; chosenChanged(); },
  filter: () => { order.filter = nextOf(FILTERS, order.filter); chosenChanged(); },
  search: () => of("search").focus(),
  doubted: () => { if (!of("doubted").disabled) { say("Looking for what the detector doubted …"); ask({ do: "doubted" }); } },
  limit: () => ["threshold", "rate", "size"].map(of).find((slider) => !slider.disabled).focus(),
  files: () => { fillFiles(); of("files").showModal(); },
  nextFile: () => openFile(store.number + 1),
  previousFile: () => openFile(store.number - 1),
  help: () => of("help").showModal(),
};

function chosenInView() {
  const row = chosenRow();
  return row && store.view[0] <= row.x_peak && row.x_peak <= store.view[1] ? row.x_peak : undefined;
}

function openFile(number) {
  if (number < 0 || number >= store.files.length) { say("There is no further recording."); return; }
  say("Opening …");
  ask({ do: "open", number });
}

function writeNote() {
  const row = chosenRow(), box = of("note"), input = box.querySelector("input");
  if (!row) return;
  let ids = [];
  input.value = "";
  input.onkeydown = (event) => {
    event.stopPropagation();
    if (event.key !== "Enter") return;
    const note = input.value;
    box.close();
    whenFree(() => ask({ do: "note", ids, note }));
  };
  box.showModal();
  whenFree(() => {
    ids = targets();
    if (!input.value) { input.value = chosenRow() ? chosenRow().note : ""; input.select(); }
  });
}

function fillFiles() {
  const place = of("files").querySelector("div");
  place.replaceChildren(...store.files.map((file, number) => {
    const line = document.createElement("div"), n = file.counts;
    const words = n ? [`${n.todo} to do`, `${n.accepted} accepted`, `${n.rejected} rejected`, `${n.added} added`] : ["…", "", "", ""];
    line.append(...[file.name, ...words].map((text) => Object.assign(document.createElement("span"), { textContent: text })));
    line.classList.toggle("chosen", number === store.number);
    line.onclick = () => { of("files").close(); openFile(number); };
    return line;
  }));
}

function showList(sheet) {
  showsSheet = sheet;
  of("sheet").hidden = !sheet;
  of("table").hidden = sheet;
  of("sort-label").hidden = !sheet;
  if (sheet) order.by = null;
  of("sheet-tab").classList.toggle("on", sheet);
  of("table-tab").classList.toggle("on", !sheet);
  chosenChanged();
}

let told = -1;
function tellCounts() {
  const counted = { todo: 0, accepted: 0, rejected: 0, added: 0 }, all = store.sorted.length;
  for (const row of store.sorted) counted[{ unreviewed: "todo", moved: "accepted" }[row.status] || row.status] += 1;
  told = store.version;
  of("progress").textContent = `${all - counted.todo}/${all} decided`;
  of("tally").replaceChildren(...[["○", "todo"], ["●", "accepted"], ["✕", "rejected"], ["✚", "added"]].map(([shape, name]) =>
    Object.assign(document.createElement("span"), { textContent: ` ${shape} ${counted[name]}`, className: name, title: name })));
}

function draw() {
  if (!store.columns.length) return;
  const rows = rowsInOrder();
  if (told !== store.version) tellCounts();
  of("file").textContent = of("file").title = fileName();
  of("undo").disabled = !store.can_undo;
  of("redo").disabled = !store.can_redo;
  of("save").classList.toggle("unsaved", !store.saved);
  of("scale").textContent = store.fixedSpan === null ? "Auto scale" : "Fixed scale";
  of("hum").textContent = store.hum ? "Hum on" : "Hum off";
  of("shown").textContent = store.selected.size ? `${store.selected.size} selected of ${rows.length}` : `${rows.length} shown`;
  of("filter").value = order.filter;
  of("sort").value = order.sort;
  const row = chosenRow();
  of("kind").value = row ? row.kind || "mepp" : "mepp";
  drawOverview();
  drawTrace();
  drawEvent();
  if (showsSheet) drawSheet(rows); else drawTable(rows);
  drawNumbers();
}

// What is typed next goes elsewhere at once.
const AT_ONCE = new Set(["note", "search", "limit", "files", "help"]);
function run(command, key) {
  const done = COMMANDS[command];
  if (done && AT_ONCE.has(command)) done(key); else if (done) whenFree(() => done(key));
}

document.addEventListener("keydown", (event) => {
  if (document.querySelector("dialog[open]")) return;
  const at = document.activeElement;
  if (event.key === "Escape") { store.mark_x = null; forgetSelected(); store.preview = null; at.blur(); of("search").value = order.words = ""; changed(); return; }
  if (at && at.tagName === "INPUT") {
    if (at.type === "range" && event.key === "Enter") of("apply").click();
    if (at.type !== "range" || event.key.startsWith("Arrow") || ["Home", "End", "Tab", "Enter"].includes(event.key)) return;
  }
  if (at && at.tagName === "SELECT" && (event.key.startsWith("Arrow") || event.key === "Enter")) return;
  const command = commandOf(event);
  if (!command) return;
  event.preventDefault();
  run(command, event.key);
});

function fillSelect(place, entries, does) {
  place.replaceChildren(...entries.map(([value, words]) => Object.assign(document.createElement("option"), { value, textContent: words })));
  place.onchange = () => { does(place.value); place.blur(); };
}

function begin() {
  fillHelp(of("help").querySelector("div"));
  for (const name of ["help", "files"]) of(name).querySelector("button").onclick = () => of(name).close();
  fillSelect(of("filter"), Object.entries(FILTERS).map(([name, [words]]) => [name, words]), (value) => { order.filter = value; chosenChanged(); });
  fillSelect(of("sort"), Object.entries(SORTS).map(([name, [words]]) => [name, words]), (value) => { order.sort = value; order.by = null; chosenChanged(); });
  fillSelect(of("kind"), ["mepp", "evoked", "spike", "artifact"].map((kind) => [kind, kind]), (value) => onTargets("kind", { kind: value }));
  of("search").oninput = () => { order.words = of("search").value; changed(); };
  for (const button of document.querySelectorAll("[data-key]")) {
    button.onclick = () => { run(commandOf({ key: button.dataset.key }), button.dataset.key); button.blur(); };
  }
  const clicks = { undo: "undo", redo: "redo", save: "save", "help-button": "help", "files-button": "files", doubted: "doubted" };
  for (const [id, command] of Object.entries(clicks)) of(id).onclick = () => { run(command); of(id).blur(); };
  of("sheet-tab").onclick = () => showList(true);
  of("table-tab").onclick = () => showList(false);
  of("apply").onclick = () => { if (store.preview) ask({ do: "choose", threshold: store.preview.threshold, min_size: store.preview.size }); };
  setChoose(choose);
  setChooseLine(choose);
  setAct((wish) => { if (wish.choose) choose(wish.choose, { ctrlKey: wish.add }); else ask(wish); });
  onChange(draw);
  showList(true);
  follow((message) => (HEED[message.type] || (() => {}))(message), () => say("The server of this review has ended or cannot be reached: nothing more is decided.", true));
}
begin();
