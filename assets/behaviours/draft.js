// data-draft="<address>": what is typed into this field stays in this browser at once, under data-draft-key, and soon
// after at the address, so that it is there again after a crash and on another device. data-draft-age says how long ago
// (milliseconds) the words that came with the page were typed: the newest wins. Offline it is saved later.

const PAUSE = 900
const UNSAVED_FIRST = 10_000
const KEPT = 30 * 24 * 3600 * 1000
const PREFIX = "draft:"
const timers = new Map(), busy = new Set()

const keyOf = (field) => PREFIX + field.dataset.draftKey
const fields = () => [...document.querySelectorAll("[data-draft]")]
const isHere = (key) => fields().some((field) => keyOf(field) === key)
const token = () => JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"]

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key))
  } catch { /* of an older page */ }
}

function write(key, kept) {
  if (kept.text || kept.saved !== kept.at) localStorage.setItem(key, JSON.stringify(kept))
  else localStorage.removeItem(key)
}

// Says what stands in the field now; the words may have been put there by something else than typing.
export function remember(field) {
  keep(keyOf(field), field.dataset.draft, field.value)
}

function keep(key, address, text) {
  write(key, { text, address, at: Date.now() })
  clearTimeout(timers.get(key))
  timers.set(key, setTimeout(() => save(key), PAUSE))
}

// What the field held is on its way to the server, which clears the draft itself.
export function forget(field) {
  const key = keyOf(field)
  clearTimeout(timers.get(key))
  timers.delete(key)
  if (busy.has(key)) keep(key, field.dataset.draft, "")
  else localStorage.removeItem(key)
}

// Words that were not sent after all stand before what has been typed since.
export function giveBack({ key, address }, words) {
  const field = fields().find((one) => one.dataset.draftKey === key)
  const text = [words, field ? field.value : read(PREFIX + key)?.text].filter(Boolean).join("\n")
  if (field) field.value = text
  keep(PREFIX + key, address, text)
}

async function save(key, keepalive = false) {
  clearTimeout(timers.get(key))
  timers.delete(key)
  const kept = read(key)
  if (!kept || kept.saved === kept.at || busy.has(key)) return
  busy.add(key)
  const body = new FormData()
  body.set("body", kept.text)
  body.set("age", Date.now() - kept.at)
  const headers = { "HX-Request": "true", "X-CSRFToken": token() }
  const answer = await fetch(kept.address, { method: "PUT", headers, body, keepalive }).catch(() => undefined)
  busy.delete(key)
  if (answer?.ok) saved(key, kept)
  else if (answer?.status === 404) localStorage.removeItem(key)
}

function saved(key, { at }) {
  const kept = read(key)
  if (kept?.at === at) write(key, { ...kept, saved: at })
  else if (kept) save(key)
  // The list beside shows it once another conversation is open.
  if (!isHere(key)) document.body.dispatchEvent(new CustomEvent("live:conversation"))
}

export function restore(field) {
  if (field.dataset.restored) return
  field.dataset.restored = "true"
  const kept = read(keyOf(field)), age = Number(field.dataset.draftAge ?? Infinity)
  if (field.dataset.draftAge === undefined && field.value) return remember(field)
  if (kept && Date.now() - kept.at < age + (kept.saved === kept.at ? 0 : UNSAVED_FIRST)) field.value = kept.text
}

function look() {
  fields().forEach(restore)
  for (const key of timers.keys()) if (!isHere(key)) save(key)
}

function sweep() {
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(PREFIX))) {
    const kept = read(key)
    if (!kept || !(Date.now() - kept.at < KEPT)) localStorage.removeItem(key)
    else if (fields().some((field) => key.startsWith(PREFIX + field.dataset.draftKey.split("/")[0]))) save(key)
  }
}

const flush = () => { for (const key of timers.keys()) save(key, true) }

document.addEventListener("input", (event) => { if (event.target.matches?.("[data-draft]")) remember(event.target) })
document.addEventListener("htmx:after:swap", look)
document.addEventListener("visibilitychange", () => { if (document.hidden) flush() })
window.addEventListener("pagehide", flush)
window.addEventListener("online", sweep)
look()
sweep()
