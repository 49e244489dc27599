// How files get into the tray: chosen (data-attach, a file input), dropped on data-drop, or pasted into the composer.

import { pasteTable } from "./paste-table.js"
import { add } from "./tray.js"

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files")
const dropped = (event) => event.target.closest?.("[data-drop]")
const leave = () => document.querySelectorAll(".dropping").forEach((place) => place.classList.remove("dropping"))

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-attach]")) return
  add(event.target.form, event.target.files)
  event.target.value = ""
  event.target.closest("[popover]")?.hidePopover()
})
document.addEventListener("paste", (event) => {
  const form = event.target.closest?.("[data-composer]")
  if (!form || pasteTable(event) || !event.clipboardData?.files.length) return
  event.preventDefault()
  add(form, event.clipboardData.files)
})
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return
  event.preventDefault()
  document.querySelectorAll("[data-drop]").forEach((place) => place.classList.toggle("dropping", place === dropped(event)))
})
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) leave() })
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return
  // Anywhere else the browser would leave the page for the file.
  event.preventDefault()
  leave()
  const form = dropped(event) && document.querySelector(dropped(event).dataset.drop)
  if (form) add(form, event.dataTransfer.files)
})
