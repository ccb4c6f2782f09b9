// One key for each thing to do; the help lists them from here.

export const KEYS = [
  [["ArrowRight", "n"], "next", "next event"],
  [["ArrowLeft", "p"], "previous", "previous event"],
  [[" "], "undecided", "next undecided event"],
  [["a"], "accept", "accept, and go to the next undecided"],
  [["r", "Delete"], "reject", "reject, and go to the next undecided"],
  [["o"], "reopen", "back to undecided"],
  [["i", "Insert"], "add", "add at the pointer or cursor (also: double click)"],
  [["x"], "split", "split in two, at the pointer or cursor if it is inside"],
  [["m"], "merge", "merge the selected, or the chosen with the next"],
  [["1", "2", "3", "4"], "kind", "kind: MEPP, evoked, spike, artifact"],
  [["c"], "note", "note"],
  [["["], "onsetEarlier", "onset earlier (also: drag its line)"],
  [["]"], "onsetLater", "onset later"],
  [["{"], "endEarlier", "end earlier"],
  [["}"], "endLater", "end later"],
  [["e"], "leaveOut", "leave out: at the pointer or cursor, once at each end"],
  [["E"], "takeBack", "take back what is left out at the cursor"],
  [["z"], "undo", "undo"],
  [["y", "Z"], "redo", "redo"],
  [["s"], "save", "save into the NWB file"],
  [["ArrowUp", "+"], "zoomIn", "zoom in (also: wheel)"],
  [["ArrowDown", "-"], "zoomOut", "zoom out"],
  [["PageDown"], "panRight", "pan to the right (also: drag, shift and wheel)"],
  [["PageUp"], "panLeft", "pan to the left"],
  [["Home"], "whole", "the whole recording"],
  [["."], "cursorRight", "cursor to the right (shift: faster)"],
  [[","], "cursorLeft", "cursor to the left"],
  [["v"], "select", "select or not (also: ctrl and click)"],
  [["V"], "selectAll", "select all that is shown, or none"],
  [["f"], "scale", "fixed or automatic scale"],
  [["h"], "hum", "trace with or without hum"],
  [["l"], "list", "contact sheet or table"],
  [["t"], "sort", "next order of the contact sheet"],
  [["w"], "filter", "next filter"],
  [["/"], "search", "search in notes, kinds, qualities (Esc: show all)"],
  [["d"], "doubted", "look for what the detector doubted"],
  [["k"], "limit", "to the sliders (arrows move them, Enter applies)"],
  [["g"], "files", "list of recordings"],
  [["N"], "nextFile", "next recording"],
  [["P"], "previousFile", "previous recording"],
  [["?"], "help", "these keys"],
];
const NAMES = { ArrowRight: "→", ArrowLeft: "←", ArrowUp: "↑", ArrowDown: "↓", " ": "space" };
const BY_KEY = new Map(KEYS.flatMap(([keys, what]) => keys.map((key) => [key, what])));
// With shift a keyboard gives another character for these.
BY_KEY.set("<", "cursorLeftFast").set(">", "cursorRightFast").set(";", "cursorLeftFast").set(":", "cursorRightFast");

export function commandOf(event) {
  if ((event.ctrlKey || event.metaKey) && !event.altKey) {
    return { s: "save", z: event.shiftKey ? "redo" : "undo", y: "redo", a: "selectAll" }[event.key.toLowerCase()];
  }
  return event.altKey ? undefined : BY_KEY.get(event.key);
}

export function fillHelp(place) {
  place.replaceChildren(...KEYS.map(([keys, , words]) => {
    const line = document.createElement("p"), shown = document.createElement("span"), said = document.createElement("span");
    keys.forEach((key) => shown.append(Object.assign(document.createElement("kbd"), { textContent: NAMES[key] || key }), " "));
    said.textContent = words;
    line.append(shown, said);
    return line;
  }));
}
