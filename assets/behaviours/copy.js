// data-copy="id": puts what the field with this id holds on the clipboard. While it says so, data-copied shows and
// data-not-copied hides.

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]")
  const field = button && document.getElementById(button.dataset.copy)
  if (!field) return
  field.select()
  try {
    await navigator.clipboard.writeText(field.value)
  } catch {
    return // It is selected: one key copies it.
  }
  show(button, true)
  setTimeout(() => show(button, false), 2000)
})

function show(button, copied) {
  button.querySelector("[data-copied]").hidden = !copied
  button.querySelector("[data-not-copied]").hidden = copied
}
