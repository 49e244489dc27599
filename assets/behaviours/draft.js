// data-draft="<address>": what is typed into this field is stored under data-draft-key (draft-store.js). data-draft-age says
// how long ago (milliseconds) the words that came with the page were typed: the newest wins.

import { drop, read, save, store, stored, unsaved } from "./draft-store.js"

const UNSAVED_FIRST = 10_000

const keyOf = (field) => field.dataset.draftKey
const fields = () => [...document.querySelectorAll("[data-draft]")]
const fieldOf = (key) => fields().find((field) => keyOf(field) === key)

// What the field holds now; the words may have been put there by something else than typing.
export function remember(field) {
  store(keyOf(field), field.dataset.draft, field.value)
}

// What the field held is on its way to the server, which clears the draft itself.
export function forget(field) {
  drop(keyOf(field), field.dataset.draft)
}

// Words that were not sent after all go before what has been typed since.
export function giveBack({ key, address }, words) {
  const field = fieldOf(key)
  const text = [words, field ? field.value : read(key)?.text].filter(Boolean).join("\n")
  if (field) field.value = text
  store(key, address, text)
}

export function restore(field) {
  if (field.dataset.restored) return
  field.dataset.restored = "true"
  const draft = read(keyOf(field)), age = Number(field.dataset.draftAge ?? Infinity)
  if (field.dataset.draftAge === undefined && field.value) return remember(field)
  if (draft && Date.now() - draft.at < age + (draft.saved === draft.at ? 0 : UNSAVED_FIRST)) field.value = draft.text
}

function restoreAll() {
  fields().forEach(restore)
  for (const key of unsaved()) if (!fieldOf(key)) save(key)
}

function saveStored() {
  const owners = fields().map((field) => keyOf(field).split("/")[0])
  for (const key of stored()) if (owners.some((owner) => key.startsWith(owner))) save(key)
}

const flush = () => { for (const key of unsaved()) save(key, true) }

document.addEventListener("input", (event) => { if (event.target.matches?.("[data-draft]")) remember(event.target) })
document.addEventListener("htmx:after:swap", restoreAll)
document.addEventListener("visibilitychange", () => { if (document.hidden) flush() })
// The list beside shows it once another conversation is open.
document.body.addEventListener("draft:saved", ({ detail: key }) => {
  if (!fieldOf(key)) document.body.dispatchEvent(new CustomEvent("live:conversation"))
})
window.addEventListener("pagehide", flush)
window.addEventListener("online", saveStored)
restoreAll()
saveStored()
