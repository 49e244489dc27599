const glass = document.querySelector("[data-live]");
const shown = document.querySelector("#screen");
const composer = document.querySelector("[data-composer]");
const sheet = document.querySelector("#attach");

const atBottom = (list) => !list || list.scrollHeight - list.scrollTop - list.clientHeight < 80;
const busy = () => shown.querySelector("details[open], audio[data-playing]");

function scrollDown() {
  const list = document.querySelector("#bubbles");
  if (list) list.scrollTop = list.scrollHeight;
}

let asked = 0, showing = 0;

// Of two answers the older, which may come last, is not shown.
async function refresh() {
  const turn = ++asked;
  const answer = await fetch(glass.dataset.live);
  const words = await answer.text();
  if (!answer.ok || turn < showing) return;
  showing = turn;
  const list = document.querySelector("#bubbles");
  const follow = atBottom(list);
  const stay = list?.scrollTop;
  shown.innerHTML = words;
  if (follow) scrollDown();
  else document.querySelector("#bubbles").scrollTop = stay;
  markRead();
}

// A menu that is open, or a voice note that plays, is not pulled away from under the finger.
function refreshWhenIdle() {
  if (busy()) setTimeout(refreshWhenIdle, 400);
  else refresh();
}

function markRead() {
  const unread = shown.querySelector("[data-unread]");
  const phoneOn = !glass.classList.contains("off");
  if (unread && phoneOn && glass.dataset.read && document.visibilityState === "visible") {
    fetch(glass.dataset.read, { method: "POST" });
  }
}

// The composer is emptied at once: what is typed while this is under way is of the next message.
async function post(url, body) {
  composer?.reset();
  if (composer) {
    // A link may have brought a text, which is sent once.
    composer.elements.text.value = "";
    grow(composer.elements.text);
  }
  showSheet(false);
  await fetch(url, { method: "POST", body, redirect: "manual" });
  if (composer?.elements.context_id) location.assign(location.pathname);
  await refresh();
  scrollDown();
}

function send(event) {
  event.preventDefault();
  if (composer.elements.text.value.trim()) post(composer.action, new URLSearchParams(new FormData(composer)));
}

function act(event) {
  const form = event.target.closest("[data-act]");
  if (!form) return;
  event.preventDefault();
  post(form.action, withMarks(new FormData(form, event.submitter)));
}

// Caption, quote and the marks of the sheet go with whatever is sent next.
function withMarks(body) {
  if (!composer) return body;
  for (const [name, value] of new FormData(composer)) if (!body.has(name) && value) body.set(name, value);
  return body;
}

function showSheet(open) {
  if (!sheet) return;
  sheet.hidden = !open;
  document.querySelector("[data-sheet]").setAttribute("aria-expanded", open);
}

function grow(field) {
  field.rows = Math.min(5, field.value.split("\n").length + Math.floor(field.value.length / 36));
}

function sendOnEnter(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
}

function setUpRecording(button) {
  if (!navigator.mediaDevices || !window.MediaRecorder) return;
  let recorder;
  button.hidden = false;
  button.addEventListener("click", async () => {
    if (recorder?.state === "recording") return recorder.stop();
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
    const parts = [];
    recorder = new MediaRecorder(stream);
    recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
    recorder.addEventListener("stop", () => {
      stream.getTracks().forEach((track) => track.stop());
      button.classList.remove("recording");
      button.setAttribute("aria-label", "Record a voice note");
      const body = withMarks(new FormData());
      body.set("voice", "1");
      body.set("file", new Blob(parts, { type: recorder.mimeType }), "voice-note");
      post(button.dataset.record, body);
    });
    recorder.start();
    button.classList.add("recording");
    button.setAttribute("aria-label", "Stop and send");
  });
}

if (composer) grow(composer.elements.text);
composer?.addEventListener("submit", send);
composer?.elements.text.addEventListener("keydown", sendOnEnter);
composer?.elements.text.addEventListener("input", (event) => grow(event.target));
glass.addEventListener("submit", act);
glass.addEventListener("change", (event) => event.target.form?.matches("[data-upload]") && event.target.form.requestSubmit());
document.querySelector("[data-sheet]")?.addEventListener("click", () => showSheet(sheet.hidden));
document.querySelectorAll("[data-record]").forEach(setUpRecording);
document.querySelectorAll("[data-switches]").forEach((form) => form.addEventListener("change", () => form.submit()));
shown.addEventListener("play", (event) => {
  event.target.toggleAttribute("data-playing", true);
  if (event.target.dataset.play) fetch(event.target.dataset.play, { method: "POST" });
}, true);
for (const name of ["pause", "ended"]) shown.addEventListener(name, (event) => event.target.removeAttribute("data-playing"), true);
shown.addEventListener("toggle", (event) => event.target.open && event.target.scrollIntoView({ block: "nearest" }), true);
document.addEventListener("visibilitychange", markRead);
new EventSource(glass.dataset.events).addEventListener("message", refreshWhenIdle);
addEventListener("resize", scrollDown);
shown.addEventListener("load", scrollDown, { capture: true, once: true });
scrollDown();
markRead();
