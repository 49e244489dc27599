// data-closes="<selector>": a button that takes the nearest such element away (a dialog is closed). Escape closes a dialog.

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
