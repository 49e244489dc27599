// data-note: a form that takes the composer's place while somebody writes a note. Sent, it closes at once and is empty for
// the next one; where the note is refused, its words come back.

import { forget, giveBack } from "./draft.js"
import { hasMovedOn } from "./moved-on.js"
import { say } from "./tray.js"

const form = () => document.querySelector("[data-note]")
const composer = () => document.querySelector("[data-composer] textarea")
const fieldOf = (note) => note.elements.body
const sent = new WeakMap()

function show(isNote) {
  form().hidden = !isNote
  document.querySelectorAll("[data-runs=note], [data-runs=reply]").forEach((tab) => {
    if (tab.matches(".writing-tab")) tab.setAttribute("aria-current", String((tab.dataset.runs === "note") === isNote))
  })
}

export function write(isNote) {
  if (!form()) return false
  show(isNote)
  const field = isNote ? fieldOf(form()) : composer()
  field?.focus()
  return Boolean(field)
}

// A note that was begun and left is open again, where nothing else is.
function reopen({ movesFocus }) {
  const field = form() && fieldOf(form())
  if (field?.value && !composer()?.value && !form().dataset.opened) movesFocus ? write(true) : show(true)
  if (field) form().dataset.opened = "true"
}

// By now htmx has read the form.
document.addEventListener("htmx:config:request", ({ detail: { ctx } }) => {
  const note = ctx.sourceElement
  if (!note.matches?.("[data-note]")) return
  const field = fieldOf(note), { draft: address, draftKey: key } = field.dataset
  sent.set(ctx, { key, address, words: field.value })
  forget(field)
  field.value = ""
  note.elements.client_id.value = crypto.randomUUID()
  if (composer()) write(false)
})

// Only a refused note needs its form again.
document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  const main = tasks.findIndex((task) => task.type === "main")
  if (sent.has(ctx) && ctx.response.status < 400 && main >= 0) tasks.splice(main, 1)
})

document.addEventListener("htmx:finally:request", ({ detail: { ctx } }) => {
  const note = sent.get(ctx)
  if (!note || ctx.response?.status < 400) return
  const field = form() && fieldOf(form()), isHere = field?.dataset.draftKey === note.key
  if (!isHere || !field.value.startsWith(note.words)) giveBack(note, note.words)
  if (!isHere) return
  const isBusy = hasMovedOn(ctx) && composer()?.value
  show(!isBusy)
  if (isBusy) say(composer().form, form().querySelector("[role=alert]")?.textContent ?? "")
  else if (!hasMovedOn(ctx)) field.focus()
})

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => reopen({ movesFocus: !hasMovedOn(ctx) && ctx.sourceEvent?.isTrusted }))
document.addEventListener("keydown", (event) => {
  const here = event.target.closest?.("[data-note]")
  if (!here || event.defaultPrevented) return
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); here.requestSubmit() }
  if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); if (!write(false)) event.target.blur() }
})
reopen({ movesFocus: true })
