// data-takes-draft="<composer>": a form that carries on with what was typed there, and clears it when it has done its work.
// data-fresh: it has just been opened.
// data-give-back="<composer>": words of a message that was cancelled; they return to the composer, before what was typed since.

import { hasMovedOn } from "./moved-on.js"

function field(selector) {
  return document.querySelector(selector)?.elements.body
}

function put(target, words) {
  if (!target) return
  target.value = words
  target.dispatchEvent(new Event("input", { bubbles: true }))
}

document.addEventListener("htmx:after:swap", () => {
  document.querySelectorAll("[data-takes-draft]:not([data-ready])").forEach((form) => {
    form.dataset.ready = "true"
    const box = field(form.dataset.takesDraft)
    // The text in the box is newer than the draft that the server has; after a mistake the form has its own words.
    if (box && (form.hasAttribute("data-fresh") || !form.elements.body.value)) form.elements.body.value = box.value
  })
})

document.addEventListener("htmx:after:request", (event) => {
  const { ctx } = event.detail, { sourceElement: form, text = "" } = ctx
  if (form?.matches?.("[data-takes-draft]") && text.includes("data-done")) put(field(form.dataset.takesDraft), "")
  if (!form?.matches?.("[data-give-back]") || !text.includes('data-state="cancelled"')) return
  const target = field(form.dataset.giveBack)
  if (!target) return
  put(target, [form.dataset.words, target.value].filter(Boolean).join("\n"))
  if (!hasMovedOn(ctx)) target.focus()
})
