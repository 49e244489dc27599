// The list below which one goes on typing: arrows choose, Enter or Tab takes, Escape closes. The server's list says what
// each item inserts (data-inserts), whom to tell of it (data-tells), which file comes along into the tray (data-file), and which
// sheet it opens instead of inserting anything (data-opens).
// What inserts nothing is a remark, and takes no key.

import { remember } from "./emoji-recent.js"
import { headers } from "./request.js"
import { addStored } from "./tray.js"

let list, field, begins = 0

const items = () => [...(list?.querySelectorAll("[data-inserts]") ?? [])]
const chosen = () => list?.querySelector("[aria-selected=true]")

export function close() {
  list?.remove()
  field?.removeAttribute("aria-activedescendant")
  list = undefined
}

export function show(target, html, from) {
  close()
  if (!html.trim()) return
  field = target
  begins = from
  list = document.createElement("ul")
  list.className = "suggestions"
  list.id = "suggestions"
  list.setAttribute("role", "listbox")
  list.innerHTML = html
  document.body.append(list)
  place()
  field.setAttribute("aria-controls", "suggestions")
  mark(0)
}

function place() {
  const at = field.getBoundingClientRect()
  list.style.insetInlineStart = "auto"
  list.style.left = `${at.left}px`
  list.style.width = `${Math.min(at.width, 480)}px`
  list.style.bottom = `${innerHeight - at.top + 6}px`
}

function mark(to) {
  const all = items()
  if (!all.length) return
  all.forEach((item) => item.setAttribute("aria-selected", "false"))
  const item = all.at(to % all.length)
  item.setAttribute("aria-selected", "true")
  item.scrollIntoView({ block: "nearest" })
  field.setAttribute("aria-activedescendant", item.id)
}

function take({ dataset: { inserts, tells, file, opens } }) {
  const target = field
  close()
  target.setRangeText(inserts, begins, target.selectionStart, "end")
  remember(inserts)
  if (tells) fetch(tells, { method: "POST", headers: headers() }).catch(() => {})
  if (file) addStored(target.form, JSON.parse(file))
  target.focus()
  // However it was taken, a person did.
  const sourceEvent = new Event("click")
  if (opens) window.htmx.ajax("GET", opens, { source: target, target: "#compose-body", swap: "innerHTML", sourceEvent })
  target.dispatchEvent(new Event("input", { bubbles: true }))
}

document.addEventListener("keydown", (event) => {
  if (!list || event.target !== field || (!chosen() && event.key !== "Escape")) return
  const at = items().indexOf(chosen())
  const move = { ArrowDown: at + 1, ArrowUp: at - 1 }[event.key]
  if (move !== undefined) mark(move)
  else if (event.key === "Enter" || event.key === "Tab") take(chosen())
  else if (event.key === "Escape") close()
  else return
  event.preventDefault()
  event.stopImmediatePropagation()
}, true)

document.addEventListener("mousedown", (event) => {
  const item = event.target.closest(".suggestions [data-inserts]")
  if (item) { event.preventDefault(); take(item) } else if (!event.target.closest(".suggestions")) close()
})
