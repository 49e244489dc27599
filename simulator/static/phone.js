const glass = document.querySelector("[data-live]");
const shown = document.querySelector("#screen");
const composer = document.querySelector("[data-composer]");
const switches = document.querySelector("[data-switches]");

const atBottom = (list) => !list || list.scrollHeight - list.scrollTop - list.clientHeight < 80;

function scrollDown() {
  const list = document.querySelector("#bubbles");
  if (list) list.scrollTop = list.scrollHeight;
}

async function refresh() {
  const answer = await fetch(glass.dataset.live);
  if (!answer.ok) return;
  const list = document.querySelector("#bubbles");
  const follow = atBottom(list);
  const stay = list?.scrollTop;
  shown.innerHTML = await answer.text();
  if (follow) scrollDown();
  else document.querySelector("#bubbles").scrollTop = stay;
  markRead();
}

function markRead() {
  const unread = shown.querySelector("[data-unread]");
  const phoneOn = !glass.classList.contains("off");
  if (unread && phoneOn && glass.dataset.read && document.visibilityState === "visible") {
    fetch(glass.dataset.read, { method: "POST" });
  }
}

async function send(event) {
  event.preventDefault();
  const field = composer.elements.text;
  const body = new URLSearchParams(new FormData(composer));
  if (!field.value.trim()) return;
  field.value = "";
  grow(field);
  await fetch(composer.action, { method: "POST", body, redirect: "manual" });
  await refresh();
  scrollDown();
}

function grow(field) {
  field.rows = Math.min(5, field.value.split("\n").length + Math.floor(field.value.length / 36));
}

function sendOnEnter(event) {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
}

composer?.addEventListener("submit", send);
composer?.elements.text.addEventListener("keydown", sendOnEnter);
composer?.elements.text.addEventListener("input", (event) => grow(event.target));
switches?.addEventListener("change", () => switches.submit());
document.addEventListener("visibilitychange", markRead);
new EventSource(glass.dataset.events).addEventListener("message", refresh);
addEventListener("resize", scrollDown);
scrollDown();
markRead();
