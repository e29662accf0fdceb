// The serial port of a machine, shown by xterm.js. Bytes pass in both directions as they are.

import { address, say } from "/console/own/page.js";

const BELOW = 8; // pixels of the page's edge
const terminal = new window.Terminal({ cursorBlink: true, screenReaderMode: true, scrollback: 5000 });
const decoder = new TextDecoder();
const encoder = new TextEncoder();
const place = document.getElementById("console");
terminal.open(place);

// As many lines and columns as the page holds of the size that one takes.
function fit() {
  const screen = place.querySelector(".xterm-screen");
  const width = screen.clientWidth / terminal.cols;
  const height = screen.clientHeight / terminal.rows;
  if (!width || !height) return;
  const columns = Math.max(80, Math.floor((place.clientWidth - BELOW) / width));
  const rows = Math.max(24, Math.floor((place.clientHeight - BELOW) / height));
  terminal.resize(columns, rows);
}

let connected = false;
const socket = new WebSocket(address(), ["binary"]);
socket.binaryType = "arraybuffer";
socket.addEventListener("open", () => {
  connected = true;
  say("connected");
  fit();
  terminal.focus();
});
socket.addEventListener("message", (event) => {
  terminal.write(decoder.decode(event.data, { stream: true }));
});
socket.addEventListener("close", () => say(connected ? "ended" : "refused"));
terminal.on("data", (typed) => {
  if (socket.readyState === WebSocket.OPEN) socket.send(encoder.encode(typed));
});
window.addEventListener("resize", fit);
