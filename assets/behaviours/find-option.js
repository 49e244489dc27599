// select[data-finds="<words>"]: a long list gets a field above it. What is typed there leaves only the options that have it
// in their words, their value or the heading of their group, whatever the accents, and the one that is chosen. The list
// stays open until another one is: by a click, or by Enter.

import { fold } from "./folding.js"

const ROWS = 7
// A longer part that is a whole word somewhere is meant as that word: “india” is not the beginning of Indiana.
const SHORT = 3

const wordsOf = (option) => fold([option.text, option.value.replaceAll("_", " "), option.parentElement.label].join(" "))

function attach(select) {
  select.dataset.ready = "true"
  const groups = [...select.children].map((group) => ({ group, options: [...group.children] }))
  const field = fieldAbove(select)
  const words = new Map(groups.flatMap(({ options }) => options.map((option) => [option, wordsOf(option)])))
  let first

  function narrow() {
    const parts = fold(field.value).split(/[\s,()]+/).filter(Boolean), chosen = select.selectedOptions[0]
    const has = (option) => parts.every((part) => words.get(option).includes(part))
    const hasWords = (option) => parts.every((part) => words.get(option).split(/[^\p{L}\d]+/u).includes(part))
    const all = groups.flatMap(({ options }) => options), isWhole = all.some(hasWords)
    const matches = isWhole && parts.at(-1)?.length > SHORT ? hasWords : has
    first = all.find(isWhole ? hasWords : has)
    for (const { group, options } of groups) group.replaceChildren(...options.filter((one) => one === chosen || matches(one)))
    select.replaceChildren(...groups.map(({ group }) => group).filter((group) => group.children.length))
    if (chosen) chosen.selected = true
    if (parts.length) select.size = ROWS
    else select.removeAttribute("size")
  }

  function close() {
    field.value = ""
    narrow()
  }

  field.addEventListener("input", narrow)
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && field.value) close()
    else if (event.key === "Enter" || event.key === "ArrowDown") choose()
    else return
    event.preventDefault()
  })
  select.addEventListener("keydown", (event) => {
    if (select.size < 2 || !["Enter", "Escape"].includes(event.key)) return
    event.preventDefault()
    close()
  })
  select.addEventListener("click", () => { if (select.size > 1) close() })

  function choose() {
    if (first && field.value) first.selected = true
    select.focus()
  }
}

function fieldAbove(select) {
  const field = Object.assign(document.createElement("input"), {
    type: "search", className: "input w-full", placeholder: select.dataset.finds, ariaLabel: select.dataset.finds, autocomplete: "off",
  })
  select.before(field)
  return field
}

const attachAll = () => document.querySelectorAll("select[data-finds]:not([data-ready])").forEach(attach)
document.addEventListener("htmx:after:swap", attachAll)
attachAll()
