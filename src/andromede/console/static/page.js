// What both pages share: where their WebSocket is, which the address says once, and how they say what
// happens. Touches the page's header and the address bar.

const asked = new URLSearchParams(window.location.search).get("path");
window.history.replaceState(null, "", window.location.pathname);

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
