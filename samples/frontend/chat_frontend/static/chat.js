// The chat page's behaviour. It keeps the last id it has and the messages that are not acknowledged yet, so that after any
// disconnection it asks for exactly what it missed and sends again what may have been lost; the server drops what it has already.
"use strict";

const ROOM = "lobby";
const KEPT = 500;
const PAUSE = { first: 250, factor: 1.7, limit: 8000 };
const byId = (id) => document.getElementById(id);
const list = byId("messages");
const outbox = new Map(); // client_id -> {frame, element}
const shown = new Map(); // id -> element
let lastId = null;
let socket = null;
let pause = PAUSE.first;
let joinedAt = 0;

function random(bytes) {
  return Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function stored(name, fallback) {
  try { return localStorage.getItem(name) || fallback; } catch { return fallback; }
}

function store(name, value) {
  try { localStorage.setItem(name, value); } catch { /* private windows may refuse; the name is asked for again next time */ }
}

// Every id that this browser gives begins alike, so that it knows its own messages after a reload.
const browser = stored("browser", random(8));
store("browser", browser);
const isOwn = (clientId) => clientId.startsWith(`${browser}-`);

function setState(state, text) {
  byId("state").dataset.state = state;
  if (byId("state-text").textContent !== text) byId("state-text").textContent = text;
}

function setTile(name, info) {
  const tile = byId(name);
  const before = tile.dataset.shown;
  const now = `${info.version} ${info.colour}`;
  if (before === now) return;
  tile.dataset.shown = now;
  tile.dataset.colour = info.colour;
  byId(`${name}-version`).textContent = info.version;
  byId(`${name}-colour`).textContent = info.colour === "none" ? "" : info.colour;
  if (before === undefined) return;
  tile.classList.remove("changed");
  void tile.offsetWidth; // restarts the animation
  tile.classList.add("changed");
  notice(`${name === "backend" ? "Backend" : "Frontend"} is now ${now.replace(" none", "")}`);
}

function atEnd() {
  return list.scrollHeight - list.scrollTop - list.clientHeight < 60;
}

function put(element, follow) {
  byId("empty").hidden = true;
  list.append(element);
  while (list.childElementCount > KEPT) {
    shown.delete(Number(list.firstElementChild.dataset.id));
    list.firstElementChild.remove();
  }
  if (follow) list.scrollTop = list.scrollHeight;
  byId("newer").hidden = follow;
}

function notice(text) {
  const item = document.createElement("li");
  item.className = "notice";
  item.textContent = text;
  put(item, atEnd());
}

function bubble(author, text, mine) {
  const item = document.createElement("li");
  item.className = mine ? "message own" : "message";
  const who = document.createElement("div");
  who.className = "who";
  const name = document.createElement("b");
  name.textContent = author;
  const time = document.createElement("time");
  const receipt = document.createElement("span");
  receipt.className = "receipt";
  const body = document.createElement("p");
  body.textContent = text;
  who.append(name, time, receipt);
  item.append(who, body);
  return item;
}

function stamp(element, message) {
  const at = new Date(message.at);
  const time = element.querySelector("time");
  time.dateTime = at.toISOString();
  time.textContent = at.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
  element.dataset.id = message.id;
}

function receipt(element, mark, words) {
  const place = element.querySelector(".receipt");
  place.textContent = mark;
  place.title = words;
  place.setAttribute("aria-label", words);
}

function showMessage(message) {
  lastId = Math.max(lastId ?? 0, message.id);
  if (shown.has(message.id)) return;
  const waiting = outbox.get(message.client_id);
  const follow = atEnd();
  const element = waiting ? waiting.element : bubble(message.author, message.text, isOwn(message.client_id));
  stamp(element, message);
  shown.set(message.id, element);
  put(element, follow); // a waiting one moves to its place in the room's order
  settle(message.client_id);
}

function settle(clientId) {
  const waiting = outbox.get(clientId);
  if (!waiting) return;
  outbox.delete(clientId);
  waiting.element.classList.remove("pending");
  receipt(waiting.element, "✓", "stored");
}

function refuse(clientId, reason) {
  const waiting = outbox.get(clientId);
  if (!waiting) return;
  outbox.delete(clientId);
  waiting.element.classList.add("refused");
  receipt(waiting.element, "✗", `refused: ${reason}`);
}

function send(frame) {
  if (socket && socket.readyState === WebSocket.OPEN) socket.send(JSON.stringify(frame));
}

function receive(frame) {
  switch (frame.type) {
    case "welcome":
      setTile("backend", frame);
      byId("detail").textContent = `Room ${ROOM} · connected to ${frame.hostname}`;
      if (!byId("author").value) byId("author").value = `Guest ${frame.guest}`;
      break;
    case "joined":
      lastId = lastId ?? frame.after;
      joinedAt = Date.now();
      setState("connected", "Connected");
      for (const { frame: waiting } of outbox.values()) send(waiting);
      break;
    case "message": showMessage(frame); break;
    case "ack": settle(frame.client_id); break;
    case "error":
      if (frame.client_id && !frame.retry) refuse(frame.client_id, frame.reason);
      else if (frame.client_id) setTimeout(() => { const waiting = outbox.get(frame.client_id); if (waiting) send(waiting.frame); }, 1000);
      break;
  }
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const mine = socket = new WebSocket(`${scheme}//${location.host}/ws`);
  mine.addEventListener("open", () => mine.send(JSON.stringify({ type: "join", room: ROOM, ...(lastId === null ? {} : { after: lastId }) })));
  mine.addEventListener("message", (event) => { if (mine === socket) receive(JSON.parse(event.data)); });
  mine.addEventListener("close", () => {
    if (mine !== socket) return;
    if (Date.now() - joinedAt < 5000) pause = Math.min(pause * PAUSE.factor, PAUSE.limit);
    else pause = PAUSE.first;
    setState("waiting", "Reconnecting…");
    setTimeout(connect, pause * (0.5 + Math.random()));
  });
}

async function look() {
  try {
    const [backend, frontend] = await Promise.all(["/api/info", "/frontend-info"].map((path) => fetch(path, { cache: "no-store" })));
    if (backend.ok) setTile("backend", await backend.json());
    if (frontend.ok) setTile("frontend", await frontend.json());
  } catch { /* the connection's state says it already */ }
}

byId("compose").addEventListener("submit", (event) => {
  event.preventDefault();
  const author = byId("author").value.trim();
  const text = byId("text").value.trim();
  if (!author || !text) return;
  store("author", author);
  const frame = { type: "send", room: ROOM, author, text, client_id: `${browser}-${random(12)}` };
  const element = bubble(author, text, true);
  element.classList.add("pending");
  receipt(element, "…", "on its way");
  outbox.set(frame.client_id, { frame, element });
  put(element, true);
  send(frame);
  byId("text").value = "";
  byId("text").focus();
});
byId("newer").addEventListener("click", () => { list.scrollTop = list.scrollHeight; byId("newer").hidden = true; });
list.addEventListener("scroll", () => { if (atEnd()) byId("newer").hidden = true; });
window.addEventListener("online", () => { if (socket.readyState > WebSocket.OPEN) connect(); });

byId("author").value = stored("author", "");
connect();
look();
setInterval(look, 3000);
