// data-closes="<selector>": a button that takes the nearest such element away (a dialog is closed). Escape closes a dialog.
// details.confirm: a question; Escape, and a click elsewhere, answer it with no.
// .details: where it covers the conversation, Escape closes it.

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-closes]")
  const closed = closer?.closest(closer.dataset.closes)
  if (closed?.matches("dialog")) closed.close()
  else if (closed) setTimeout(() => closed.remove(), 0)
})

// At once: the browser itself takes a moment, in which the next key would still land in the dialog.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("dialog[open]")
  if (!open || event.defaultPrevented) return
  event.preventDefault()
  open.close()
  if (open.contains(document.activeElement)) document.activeElement.blur()
})

const questions = () => [...document.querySelectorAll("details.confirm[open]")]

window.addEventListener("keydown", (event) => {
  const question = event.key === "Escape" && questions().at(-1)
  const pane = event.key === "Escape" && document.querySelector(".details:target > .details-close")
  if (!question && !(pane && pane.checkVisibility())) return
  event.preventDefault()
  event.stopImmediatePropagation()
  if (!question) return pane.click()
  question.open = false
  question.querySelector("summary").focus()
}, true)

document.addEventListener("click", ({ target }) => {
  for (const question of questions()) if (!question.contains(target)) question.open = false
})
