// data-note: a form that takes the composer's place while somebody writes a note. Once it is kept, or given up, the
// composer is back and has the focus; with something wrong, or where nothing can be answered, the note stays.

const form = () => document.querySelector("[data-note]")
const composer = () => document.querySelector("[data-composer] textarea")
let isOpen = false

export function write(note) {
  if (!form()) return false
  form().hidden = !note
  const field = note ? form().querySelector("textarea") : composer()
  field?.focus()
  isOpen = note
  return Boolean(field)
}

document.addEventListener("htmx:after:swap", () => {
  if (!isOpen || !form()) { isOpen = false; return }
  if (!form().hidden) return
  write(Boolean(form().querySelector("[aria-invalid]")) || !composer())
})
document.addEventListener("keydown", (event) => {
  const here = event.target.closest?.("[data-note]")
  if (!here || event.defaultPrevented) return
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) { event.preventDefault(); here.requestSubmit() }
  if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); if (!write(false)) event.target.blur() }
})
