// What both pages share: where their WebSocket is, which the address says, and how they say what happens.
// Touches the page's header, the address bar, and what this tab keeps for when it is loaded again: the
// address's token, which opens nothing without the cookie of the browser that opened it first.

const query = new URLSearchParams(window.location.search);
const language = query.get("lang");
if (query.has("path")) window.sessionStorage.setItem(window.location.pathname, query.get("path"));
const asked = window.sessionStorage.getItem(window.location.pathname);
window.history.replaceState(
  null, "", window.location.pathname + (language ? `?lang=${encodeURIComponent(language)}` : ""),
);

// The address of the console's WebSocket: below this page's own origin, whatever the address says.
export function address() {
  const scheme = window.location.protocol === "https:" ? "wss:" : "ws:";
  const found = new URL(asked || "console/socket", `${scheme}//${window.location.host}/`);
  return `${scheme}//${window.location.host}/console/socket${found.search}`;
}

// Say a state: "connecting", "connected", "ended" or "refused"; the words are the page's.
export function say(state) {
  document.body.dataset.state = state;
  document.getElementById("status").textContent = document.body.dataset[state];
}

document.getElementById("full").addEventListener("click", () => {
  if (document.fullscreenElement) document.exitFullscreen();
  else document.getElementById("console").requestFullscreen();
});
