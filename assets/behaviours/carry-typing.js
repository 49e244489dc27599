// What is typed into a form while it is being saved is in the same form of the page that comes, if its field is there
// and has what was sent.
//   data-carries-typing   on a form with an id

const STORED = "typed-while-saving"
const FRESH = 10_000
let saving

const texts = (form) => [...form.elements].filter((field) => field.name && field.matches("input[type=text], input:not([type]), textarea"))

window.addEventListener("submit", (event) => {
  const form = event.target
  if (event.defaultPrevented || !form.matches("[data-carries-typing]")) return
  saving = { form, sent: new Map(texts(form).map((field) => [field.name, field.value])) }
})

window.addEventListener("pagehide", () => {
  if (!saving) return
  const typed = texts(saving.form).filter((field) => (saving.sent.get(field.name) ?? field.value) !== field.value)
  const fields = typed.map((field) => ({
    name: field.name, sent: saving.sent.get(field.name), value: field.value, at: field.selectionEnd,
    hadFocus: field === document.activeElement,
  }))
  if (fields.length) sessionStorage.setItem(STORED, JSON.stringify({ at: Date.now(), form: saving.form.id, fields }))
})

function giveBack({ at, form: id, fields }) {
  const form = document.getElementById(id)
  if (!form?.matches("[data-carries-typing]") || Date.now() - at > FRESH) return
  for (const { name, sent, value, at: place, hadFocus } of fields) {
    const field = texts(form).find((one) => one.name === name)
    if (!field || field.value.trim() !== sent.trim()) continue
    field.value = value
    if (hadFocus) {
      field.focus()
      field.setSelectionRange(place, place)
    }
    field.dispatchEvent(new Event("input", { bubbles: true }))
  }
}

window.addEventListener("load", () => {
  const stored = JSON.parse(sessionStorage.getItem(STORED) ?? "null")
  sessionStorage.removeItem(STORED)
  // htmx begins in a timer of its own, before this one.
  if (stored) setTimeout(giveBack, 0, stored)
})
