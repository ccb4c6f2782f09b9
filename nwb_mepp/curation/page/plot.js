// What all drawings share: sharp canvases, axes, colors and shapes of decisions.

export const COLORS = {
  accepted: "#0072b2", rejected: "#c44e00", added: "#00795a", moved: "#a8487c", unreviewed: "#5a5a5a",
};
export const SHAPES = { accepted: "●", rejected: "✕", added: "✚", moved: "◆", unreviewed: "○" };
export const WORDS = {
  accepted: "accepted", rejected: "rejected", added: "added", moved: "moved", unreviewed: "to do",
};
const FONT = '11px system-ui, "DejaVu Sans", sans-serif';

// Returns the context of a canvas that has as many pixels as the screen shows, and its size in CSS pixels.
export function context(canvas) {
  const ratio = window.devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
  }
  const draw = canvas.getContext("2d");
  draw.setTransform(ratio, 0, 0, ratio, 0, 0);
  draw.clearRect(0, 0, width, height);
  draw.font = FONT;
  draw.lineWidth = 1;
  return { draw, width, height };
}

// Returns round numbers between two limits, about so many.
export function ticks(low, high, wanted) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const raw = span / Math.max(wanted, 1), power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((one) => one * power >= raw);
  const found = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-9; value += step) found.push(value);
  return found;
}

// Writes a number with as many digits as tell neighboring ticks apart.
export function digits(value, step) {
  const places = Math.max(0, Math.min(8, -Math.floor(Math.log10(step || 1) + 1e-9)));
  return value.toFixed(places).replace("-", "−");
}

// Writes words to the left of a place, readable whatever is drawn below.
export function label(draw, words, right, top, color) {
  if (!words) return;
  draw.textAlign = "right";
  draw.textBaseline = "top";
  draw.fillStyle = "#ffffffd0";
  const width = draw.measureText(words).width;
  draw.fillRect(right - width - 2, top - 1, width + 4, 13);
  draw.fillStyle = color;
  draw.fillText(words, right, top);
}

export function fixed(value, places) {
  return value === null || value === undefined || Number.isNaN(value) ? "–" : value.toFixed(places).replace("-", "−");
}

// Draws axes around a plot and returns the functions that place values in it.
export function axes(draw, box, x, y, { xLabel = "", yLabel = "", xTicks = 8, yTicks = 4 } = {}) {
  const toX = (value) => box.left + ((value - x[0]) / (x[1] - x[0])) * (box.right - box.left);
  const toY = (value) => box.bottom - ((value - y[0]) / (y[1] - y[0])) * (box.bottom - box.top);
  draw.strokeStyle = "#ececec";
  draw.fillStyle = "#444";
  draw.textBaseline = "middle";
  draw.textAlign = "right";
  const ys = ticks(y[0], y[1], yTicks), xs = ticks(x[0], x[1], xTicks);
  for (const value of ys) {
    const at = Math.round(toY(value)) + 0.5;
    draw.beginPath(); draw.moveTo(box.left, at); draw.lineTo(box.right, at); draw.stroke();
    draw.fillText(digits(value, ys[1] - ys[0]), box.left - 4, at);
  }
  draw.textAlign = "center";
  draw.textBaseline = "top";
  for (const value of xs) {
    const at = Math.round(toX(value)) + 0.5;
    if (at > box.right - 20 && xLabel) continue;
    draw.beginPath(); draw.moveTo(at, box.top); draw.lineTo(at, box.bottom); draw.stroke();
    draw.fillText(digits(value, xs[1] - xs[0]), at, box.bottom + 3);
  }
  draw.textAlign = "right";
  draw.fillText(xLabel, box.right, box.bottom + 3);
  draw.textAlign = "left";
  draw.fillText(yLabel, 3, Math.max(box.top - 13, 1));
  return { toX, toY };
}

// Draws the mark of a decision: each has a shape of its own.
export function mark(draw, status, x, y, size, strong) {
  draw.strokeStyle = draw.fillStyle = COLORS[status];
  draw.lineWidth = strong ? 2.4 : 1.5;
  draw.beginPath();
  if (status === "rejected") {
    draw.moveTo(x - size, y - size); draw.lineTo(x + size, y + size);
    draw.moveTo(x + size, y - size); draw.lineTo(x - size, y + size);
    draw.stroke();
  } else if (status === "added") {
    draw.moveTo(x - size, y); draw.lineTo(x + size, y);
    draw.moveTo(x, y - size); draw.lineTo(x, y + size);
    draw.lineWidth += 0.8;
    draw.stroke();
  } else if (status === "moved") {
    draw.moveTo(x, y - size * 1.2); draw.lineTo(x + size * 1.2, y); draw.lineTo(x, y + size * 1.2);
    draw.lineTo(x - size * 1.2, y); draw.closePath(); draw.fill();
  } else {
    draw.arc(x, y, size, 0, 2 * Math.PI);
    if (status === "accepted") draw.fill(); else draw.stroke();
  }
  draw.lineWidth = 1;
}
