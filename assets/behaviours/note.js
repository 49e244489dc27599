// data-note: a form that takes the composer's place while somebody writes a note. Once it is kept, or given up, the
// composer is back and has the focus; with something wrong, or where nothing can be answered, the note stays.

import { forget } from "./draft.js"

const form = () => document.querySelector("[data-note]")
const composer = () => document.querySelector("[data-composer] textarea")
let isOpen = false

export function write(note) {
  if (!form()) return false
  form().hidden = !note
  document.querySelectorAll(".writing-tab").forEach((tab) => tab.setAttribute("aria-current", String((tab.dataset.runs === "note") === note)))
  const field = note ? form().querySelector("textarea") : composer()
  field?.focus()
  isOpen = note
  return Boolean(field)
}

// A note that was begun and left stands open again, where nothing else was.
function reopen() {
  const field = form()?.querySelector("textarea")
  if (field?.value && !composer()?.value && !form().dataset.opened) write(true)
  if (field) form().dataset.opened = "true"
}

document.addEventListener("htmx:after:request", (event) => {
  const { sourceElement: sent, response } = event.detail.ctx ?? {}
  if (sent?.matches?.("[data-note]") && response?.status < 400) forget(sent.querySelector("textarea"))
})
document.addEventListener("htmx:after:swap", () => {
  if (!isOpen || !form()) { isOpen = false; return }
  if (!form().hidden) return
  write(Boolean(form().querySelector("[aria-invalid]")) || !composer())
})
document.addEventListener("htmx:after:swap", reopen)
document.addEventListener("keydown", (event) => {
  const here = event.target.closest?.("[data-note]")
  if (!here || event.defaultPrevented) return
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); here.requestSubmit() }
  if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); if (!write(false)) event.target.blur() }
})
reopen()
