// data-takes-draft="<composer>": a form that carries on with what was typed there, and clears it when it has done its work.
// data-give-back="<composer>": words that were taken back; they return to the composer if nothing else stands there.

function field(selector) {
  return document.querySelector(selector)?.elements.body
}

function put(target, words) {
  target.value = words
  target.dispatchEvent(new Event("input", { bubbles: true }))
}

document.addEventListener("htmx:after:swap", (event) => {
  document.querySelectorAll("[data-takes-draft]:not([data-ready])").forEach((form) => {
    form.dataset.ready = "true"
    const draft = field(form.dataset.takesDraft)
    if (draft && !form.elements.body.value) form.elements.body.value = draft.value
  })
  const form = event.detail.ctx?.sourceElement
  const draft = form?.matches?.("[data-takes-draft]") && document.querySelector("[data-done]") && field(form.dataset.takesDraft)
  if (draft) put(draft, "")
})

document.addEventListener("htmx:after:request", (event) => {
  const form = event.detail.ctx?.sourceElement
  if (!form?.matches?.("[data-give-back]") || !event.detail.ctx.text?.includes('data-state="cancelled"')) return
  const target = field(form.dataset.giveBack)
  if (target && !target.value) { put(target, form.dataset.words); target.focus() }
})
