// data-menu: a popover beside the button that opens it. Arrow keys walk its items, letters go to the field in it
// (data-filter="<items>": which of them hold what is typed), or to the item that begins with them. What was chosen
// closes it.

import { fold } from "./folding.js"
import { isWriting } from "./keys.js"
import { hasMovedOn } from "./moved-on.js"
import { regionOf } from "./requests.js"

export function focusFirst(menu) {
  (menu.querySelector("[autofocus]") ?? menu.querySelector(".menu-item"))?.focus()
}

document.addEventListener("toggle", (event) => {
  const menu = event.target
  if (event.newState === "open" && menu.matches?.("[data-menu]") && !menu.contains(document.activeElement)) focusFirst(menu)
}, true)

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  const menu = regionOf(ctx)
  if (menu?.matches?.("[data-menu]:popover-open") && !menu.contains(document.activeElement) && !hasMovedOn(ctx)) focusFirst(menu)
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

const PAUSE = 1000
let typed = "", typedAt = 0

document.addEventListener("keydown", (event) => {
  const menu = event.target.closest?.("[data-menu]:popover-open")
  if (!menu || event.key.length > 1 || event.ctrlKey || event.metaKey || event.altKey || isWriting(event.target)) return
  const before = event.timeStamp - typedAt < PAUSE ? typed : ""
  if (event.key === " " && !before) return
  typed = before + event.key
  typedAt = event.timeStamp
  const item = [...menu.querySelectorAll(".menu-item:not([hidden])")].find((one) => fold(one.textContent).startsWith(fold(typed)))
  item?.focus()
  event.preventDefault()
})

document.addEventListener("input", (event) => {
  const items = event.target.dataset?.filter
  if (!items) return
  const typed = fold(event.target.value)
  event.target.form.querySelectorAll(items).forEach((item) => { item.hidden = !fold(item.textContent).includes(typed) })
})

document.addEventListener("submit", (event) => {
  event.target.closest("[popover]:popover-open")?.hidePopover()
  document.querySelectorAll("[data-menu]:popover-open").forEach((menu) => menu.hidePopover())
}, true)

document.addEventListener("click", (event) => {
  event.target.closest("a.view, a.menu-item")?.closest("[popover]:popover-open")?.hidePopover()
})
