// What the page asks of the server: traces by request, decisions by a socket on which all tabs follow.

let socket = null;

export function follow(heed, lost) {
  const address = new URL("follow", location.href);
  address.protocol = "ws:";
  socket = new WebSocket(address);
  socket.onmessage = (event) => heed(JSON.parse(event.data));
  socket.onclose = () => { lost(); setTimeout(() => follow(heed, lost), 1000); };
  socket.onopen = () => heed({ type: "connected" });
}

// Sends a decision; false if the server cannot be reached, so that nothing seems to be decided.
export function decide(wish) {
  if (!socket || socket.readyState !== WebSocket.OPEN) return false;
  socket.send(JSON.stringify(wish));
  return true;
}

export async function getJson(what, query = {}) {
  const answer = await fetch(`${what}?${new URLSearchParams(query)}`);
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// Returns the parts of a stretch of the trace: {x, step, pairs, values}; null while it is being prepared.
export async function getTrace(from, to, columns, hum) {
  const query = new URLSearchParams({ from, to, columns: Math.max(1, Math.round(columns)), hum: hum ? 1 : 0 });
  const answer = await fetch(`trace?${query}`);
  if (answer.status === 204) return null;
  if (!answer.ok) throw new Error(await answer.text());
  const buffer = await answer.arrayBuffer(), view = new DataView(buffer), parts = [];
  let at = 4;
  for (let left = view.getUint32(0, true); left > 0; left -= 1) {
    const x = view.getFloat64(at, true), step = view.getFloat64(at + 8, true);
    const n = view.getUint32(at + 16, true), pairs = view.getUint32(at + 20, true) === 1;
    const bytes = 4 * n * (pairs ? 2 : 1);
    at += 24;
    parts.push({ x, step, pairs, n, values: new Float32Array(buffer.slice(at, at + bytes)) });
    at += bytes;
  }
  return parts;
}

export async function getSnippets(ids, points) {
  const answer = await fetch(`snippets?ids=${ids.join(",")}`);
  if (!answer.ok) throw new Error(await answer.text());
  const all = new Float32Array(await answer.arrayBuffer());
  return new Map(ids.map((id, number) => [id, all.subarray(number * points, (number + 1) * points)]));
}
