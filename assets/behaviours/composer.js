// data-composer="<conversation id>": a form whose messages go out behind the page (outgoing.js). Enter sends, Shift+Enter
// starts a new line (data-sends-with="mod-enter": only with Ctrl or Cmd). The arrow up in an empty field brings back what
// was last sent from here. Files go one message each, in order.

import { forget as forgetDraft, restore } from "./draft.js"
import { hasMovedOn } from "./moved-on.js"
import { enqueue, isSending } from "./outgoing.js"
import { empty, entriesOf, render, say, takesCaption } from "./tray.js"

let last = {}

const form = () => document.querySelector("[data-composer]")

function attach(composer) {
  const field = composer.elements.body
  if (!field || composer.dataset.ready) return
  composer.dataset.ready = "true"
  restore(field)
  fit(field)
  render(composer)
  field.addEventListener("input", () => fit(field))
  field.addEventListener("keydown", (event) => {
    if (event.key === "ArrowUp" && !field.value && last.action === composer.action) return recall(event, field)
    if (event.key !== "Enter" || event.isComposing || !sends(composer, event)) return
    event.preventDefault()
    composer.requestSubmit()
  })
  composer.addEventListener("submit", (event) => { event.preventDefault(); send(composer) })
}

function sends(composer, event) {
  return event.ctrlKey || event.metaKey || (composer.dataset.sendsWith !== "mod-enter" && !event.shiftKey)
}

function recall(event, field) {
  event.preventDefault()
  field.value = last.body
  field.dispatchEvent(new Event("input", { bubbles: true }))
}

export function fit(field) {
  field.rows = Math.min(8, Math.max(1, field.value.split("\n").length))
}

function send(composer) {
  const field = composer.elements.body, body = field.value.trim(), files = entriesOf(composer)
  if (!body && !files.length) return
  const isCaption = body && files.length && !files[0].caption && takesCaption(files[0])
  if (body) last = { action: composer.action, body }
  if (body && !isCaption) enqueue(composer, { body })
  files.forEach((entry, at) => enqueue(composer, { body: isCaption && !at ? body : entry.caption.trim(), entry }))
  field.value = ""
  if (body) forgetDraft(field)
  field.focus()
  empty(composer)
  say(composer, "")
  fit(field)
}

export function attachAll() {
  document.querySelectorAll("[data-composer]").forEach(attach)
}

// Whoever opens a conversation by hand may write at once; a key that leads down the list leads on.
function begin() {
  if (matchMedia("(pointer: fine)").matches) form()?.elements.body?.focus()
}

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  attachAll()
  if (ctx.target?.id === "conversation" && ctx.sourceEvent?.isTrusted && !hasMovedOn(ctx)) begin()
})
document.addEventListener("htmx:after:settle", attachAll)
window.addEventListener("beforeunload", (event) => { if (isSending() || (form() && entriesOf(form()).length)) event.preventDefault() })
attachAll()
if (document.activeElement === document.body && !location.hash) begin()
