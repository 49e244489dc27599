// data-inserts-into="<selector>": the buttons in it (data-inserts="<words>") put their words where one writes, in the
// place of what is selected there.

import { remember } from "./emoji-recent.js"

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-inserts-into] button[data-inserts]")
  if (!button) return
  const field = document.querySelector(button.closest("[data-inserts-into]").dataset.insertsInto)
  if (!field) return
  field.setRangeText(button.dataset.inserts, field.selectionStart, field.selectionEnd, "end")
  remember(button.dataset.inserts)
  field.dispatchEvent(new Event("input", { bubbles: true }))
  button.closest("[popover]")?.hidePopover()
  field.focus()
})
