// What a field offers while somebody types: after `/` canned replies (data-canned="<address>" on the field's form), after
// `:` and two letters emoji (data-emoji="<address>" there), after `@` colleagues (data-mentions="<address>" on the field). The server's list says what each inserts (data-inserts) and
// whom to tell of it (data-tells), and which file comes along into the tray (data-file). Arrows choose, Enter or Tab takes, Escape closes.

import { takeKept } from "./tray.js"

let list, field, asked = 0, begins = 0

const items = () => [...(list?.children ?? [])]
const chosen = () => list?.querySelector("[aria-selected=true]")

function wanted(target) {
  const before = target.value.slice(0, target.selectionStart)
  const slash = target.closest("[data-canned]")?.dataset.canned
  const canned = slash && /(?:^|\s)\/([\w-]*)$/.exec(before)
  if (canned) return { address: slash, typed: canned[1], from: before.length - canned[1].length - 1 }
  const faces = target.closest("[data-emoji]")?.dataset.emoji
  const face = faces && /(?:^|\s):([\p{L}\d_+-]{2,})$/u.exec(before)
  if (face) return { address: faces, typed: face[1], from: before.length - face[1].length - 1 }
  const named = target.dataset.mentions && /(?:^|\s)@([\p{L}\w]*)$/u.exec(before)
  if (named) return { address: target.dataset.mentions, typed: named[1], from: before.length - named[1].length - 1 }
}

document.addEventListener("input", async (event) => {
  const target = event.target
  if (!target.matches?.("textarea")) return
  const wish = wanted(target)
  if (!wish) return close()
  const number = ++asked
  const answer = await fetch(`${wish.address}?q=${encodeURIComponent(wish.typed)}`, { headers: { "HX-Request": "true" } }).catch(() => undefined)
  if (number !== asked || !answer?.ok) return
  show(target, await answer.text(), wish.from)
})

function show(target, html, from) {
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
  const at = field.getBoundingClientRect()
  list.style.insetInlineStart = "auto"
  list.style.left = `${at.left}px`
  list.style.width = `${Math.min(at.width, 480)}px`
  list.style.bottom = `${innerHeight - at.top + 6}px`
  field.setAttribute("aria-controls", "suggestions")
  mark(0)
}

function mark(to) {
  const all = items()
  all.forEach((item) => item.setAttribute("aria-selected", "false"))
  const item = all.at(to % all.length)
  item.setAttribute("aria-selected", "true")
  item.scrollIntoView({ block: "nearest" })
  field.setAttribute("aria-activedescendant", item.id)
}

function close() {
  asked++
  list?.remove()
  field?.removeAttribute("aria-activedescendant")
  list = undefined
}

function take(item) {
  const words = item.dataset.inserts, end = field.selectionStart
  field.setRangeText(words, begins, end, "end")
  if (item.dataset.tells) {
    const headers = { "HX-Request": "true", "X-CSRFToken": JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRFToken"] }
    fetch(item.dataset.tells, { method: "POST", headers }).catch(() => {})
  }
  if (item.dataset.file) takeKept(field.form, JSON.parse(item.dataset.file))
  close()
  field.focus()
  field.dispatchEvent(new Event("input", { bubbles: true }))
}

document.addEventListener("keydown", (event) => {
  if (!list || event.target !== field) return
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
  const item = event.target.closest(".suggestions > *")
  if (item) { event.preventDefault(); take(item) } else close()
})
