// data-menu: a popover beside the button that opens it. Arrow keys walk its items, letters go to the field in it
// (data-filter="<items>": which of them hold what is typed). What was chosen closes it.
//   data-closes="<selector>"   a button that takes the nearest such element away (a dialog is closed)

document.addEventListener("toggle", (event) => {
  const menu = event.target
  if (event.newState !== "open" || !menu.matches?.("[popover]")) return
  if (menu.matches("[data-menu]")) (menu.querySelector("[autofocus]") ?? menu.querySelector(".menu-item"))?.focus()
}, true)

document.addEventListener("htmx:after:swap", () => {
  const menu = document.querySelector("[data-menu]:popover-open")
  if (menu && !menu.contains(document.activeElement)) (menu.querySelector("[autofocus]") ?? menu.querySelector(".menu-item"))?.focus()
})

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[data-menu]:popover-open")
  if (!menu || !["ArrowDown", "ArrowUp", "Home", "End"].includes(event.key)) return
  const items = [...menu.querySelectorAll(".menu-item:not([hidden])")]
  const at = items.indexOf(document.activeElement)
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key]
  event.preventDefault()
  items.at(to % items.length)?.focus()
})

// At once: the browser itself takes a moment, in which the next key would still land in the dialog.
document.addEventListener("keydown", (event) => {
  const open = event.key === "Escape" && document.querySelector("dialog[open]")
  if (!open || event.defaultPrevented) return
  event.preventDefault()
  open.close()
  if (open.contains(document.activeElement)) document.activeElement.blur()
})

document.addEventListener("input", (event) => {
  const items = event.target.dataset?.filter
  if (!items) return
  const typed = event.target.value.trim().toLowerCase()
  event.target.form.querySelectorAll(items).forEach((item) => { item.hidden = !item.textContent.toLowerCase().includes(typed) })
})

document.addEventListener("submit", (event) => {
  event.target.closest("[popover]:popover-open")?.hidePopover()
  document.querySelectorAll("[data-menu]:popover-open").forEach((menu) => menu.hidePopover())
}, true)

document.addEventListener("click", (event) => {
  const closer = event.target.closest("[data-closes]")
  const closed = closer?.closest(closer.dataset.closes)
  if (closed?.matches("dialog")) closed.close()
  else if (closed) setTimeout(() => closed.remove(), 0)
  const view = event.target.closest("a.view, a.menu-item")
  view?.closest("[popover]:popover-open")?.hidePopover()
})
