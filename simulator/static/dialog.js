// The popup speaks to the page that opened it, and to no other origin than the one the server allowed.
const said = JSON.parse(document.body.dataset.handOver || "{}");
let leaving = false;

function post(data) {
  if (window.opener && said.origin) window.opener.postMessage(data, said.origin);
}

function cancel(data) {
  const event = data.error_message ? said.report_as : "CANCEL";
  post(JSON.stringify({ type: "WA_EMBEDDED_SIGNUP", event, version: 3, data }));
}

function handOver() {
  const words = [
    () => post(JSON.stringify(said.session)),
    () => post(new URLSearchParams({ cb: said.channel, code: said.code }).toString()),
  ];
  if (!said.code) return;
  if (said.no_session) words[0] = () => {};
  if (said.no_code) words[1] = () => {};
  (said.code_first ? words.reverse() : words).forEach((speak) => speak());
  navigator.sendBeacon(document.body.dataset.handOverTo);
}

function report() {
  cancel({
    error_message: document.querySelector("#problem").value,
    error_id: String(100000 + Math.floor(Math.random() * 900000)),
    session_id: crypto.randomUUID().replaceAll("-", "").slice(0, 15),
    timestamp: String(Math.floor(Date.now() / 1000)),
  });
}

function leave(speak) {
  speak();
  leaving = true;
  window.close();
}

const cancelHere = () => cancel({ current_step: said.step });

document.addEventListener("submit", () => (leaving = true));
document.querySelector("[data-cancel]")?.addEventListener("click", () => leave(cancelHere));
document.querySelector("[data-report]")?.addEventListener("click", () => leave(report));
document.querySelector("[data-finish]")?.addEventListener("click", () => leave(handOver));
addEventListener("pagehide", () => leaving || (said.code ? handOver() : cancelHere()));
