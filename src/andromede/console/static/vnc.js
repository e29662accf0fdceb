// The screen of a machine, shown by noVNC.

import RFB from "/console/novnc/core/rfb.js";
import { address, say } from "/console/own/page.js";

const place = document.getElementById("console");
const keys = document.getElementById("keys");
let connected = false;

const rfb = new RFB(place, address(), { wsProtocols: ["binary"], shared: true });
rfb.scaleViewport = true;
rfb.focusOnClick = true;
rfb.addEventListener("connect", () => {
  connected = true;
  keys.disabled = false;
  say("connected");
  rfb.focus();
});
rfb.addEventListener("disconnect", () => {
  keys.disabled = true;
  say(connected ? "ended" : "refused");
});
keys.addEventListener("click", () => {
  rfb.sendCtrlAltDel();
  rfb.focus();
});
