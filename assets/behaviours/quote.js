// data-reply="<selector>": puts the quote in the data-quote template beside it into that place of the composer.
// data-unquote, or Escape in the composer, takes it away again.

const barOf = (form) => form.querySelector("#quote-bar")

export function quoteOf(form) {
  const bar = barOf(form)
  const answered = bar?.querySelector("[name=reply_to]")
  return answered && { id: answered.value, shown: bar.querySelector(".quote") }
}

export function unquote(form) {
  barOf(form)?.replaceChildren()
}

document.addEventListener("click", (event) => {
  const reply = event.target.closest("[data-reply]")
  const bar = reply && document.querySelector(reply.dataset.reply)
  if (bar) {
    event.preventDefault()
    bar.replaceChildren(reply.closest(".actions").querySelector("template[data-quote]").content.cloneNode(true))
    reply.closest("[popover]")?.hidePopover()
    bar.closest("form").elements.body.focus()
  }
  const unquoting = event.target.closest("[data-unquote]")
  if (unquoting) {
    event.preventDefault()
    const form = unquoting.closest("form")
    unquote(form)
    form.elements.body.focus()
  }
})
document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest?.("[data-composer]")
  if (form && quoteOf(form)) unquote(form)
})
