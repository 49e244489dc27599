// What somebody has typed into a field since a request began stays in it, though the answer replaces the field.

const begun = new WeakMap(), typed = new WeakMap(), saved = new WeakMap()
let count = 0

// The address by its attribute: a form's `action` may be a field of that name.
const addressOf = (field) => field.form?.getAttribute("action")

document.addEventListener("input", (event) => typed.set(event.target, ++count), true)
document.addEventListener("htmx:config:request", (event) => begun.set(event.detail.ctx, ++count))

document.addEventListener("htmx:before:swap", ({ detail: { ctx, tasks } }) => {
  const fields = tasks.flatMap((task) => [...(task.target?.querySelectorAll?.("input[id], textarea[id]") ?? [])])
  saved.set(ctx, fields.filter((field) => typed.get(field) > begun.get(ctx)).map((field) => ({
    field, address: addressOf(field), value: field.value, from: field.selectionStart, to: field.selectionEnd, hadFocus: field === document.activeElement,
  })))
})

document.addEventListener("htmx:after:swap", ({ detail: { ctx } }) => {
  for (const { field, address, value, from, to, hadFocus } of saved.get(ctx) ?? []) {
    const fresh = document.getElementById(field.id)
    if (!fresh || addressOf(fresh) !== address || fresh.name !== field.name || fresh.value === value) continue
    fresh.value = value
    typed.set(fresh, ++count)
    for (let fold = fresh.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true
    if (hadFocus) fresh.focus({ preventScroll: true })
    if (hadFocus && from !== null) fresh.setSelectionRange(from, to)
    fresh.dispatchEvent(new Event("input", { bubbles: true }))
  }
  saved.delete(ctx)
})
