// Files on their way into a message: they wait in data-tray of the form, each with a caption and a way to take it out again.
// What WhatsApp would refuse does not get in; the reason is shown in words (data-refusal).

import { kindOf, problemWith, readable } from "./file-limits.js"

const CAPTIONED = ["image", "video", "document"]
const trays = new Map()

const keyOf = (form) => form.dataset.composer
const trayOf = (form) => form.querySelector("[data-tray]")

export const entriesOf = (form) => trays.get(keyOf(form)) ?? []
export const takesCaption = ({ kind }) => CAPTIONED.includes(kind)

function put(form, entries) {
  trays.set(keyOf(form), entries)
  render(form)
}

export function say(form, words) {
  const place = form.querySelector("[data-refusal]")
  if (!place) return
  place.textContent = words
  place.hidden = !words
}

export function add(form, files) {
  const tray = trayOf(form)
  if (!tray) return
  const all = [...files], problems = all.map((file) => problemWith(tray, file))
  const taken = all.filter((_, at) => !problems[at]).map((file) => ({ file, caption: "", kind: kindOf(tray, file)?.kind }))
  put(form, [...entriesOf(form), ...taken])
  say(form, problems.filter(Boolean).join(" "))
  form.elements.body.focus()
}

// A file that the server has already, with where its picture is.
export function addStored(form, { id, name, size, kind, address }) {
  put(form, [...entriesOf(form), { stored: id, file: { name, size, type: "" }, address, kind, caption: "" }])
}

export const putBack = (form, entry) => put(form, [entry, ...entriesOf(form)])

export const empty = (form) => put(form, [])

export function picture(entry) {
  if (!entry.address && !/^image\/(jpeg|png|webp)$/.test(entry.file.type)) return
  entry.address ||= URL.createObjectURL(entry.file)
  return Object.assign(document.createElement("img"), { src: entry.address, alt: "" })
}

// Once it is sent, or thrown away.
export function release(entry) {
  if (entry?.address && !entry.stored) URL.revokeObjectURL(entry.address)
}

function remove(form, entry) {
  put(form, entriesOf(form).filter((other) => other !== entry))
  release(entry)
  form.elements.body.focus()
}

export function render(form) {
  const tray = trayOf(form)
  if (!tray) return
  tray.replaceChildren(...entriesOf(form).map((entry) => item(form, entry)))
  tray.hidden = !tray.children.length
}

function item(form, entry) {
  const shown = form.querySelector("template[data-tray-item]").content.firstElementChild.cloneNode(true)
  const image = picture(entry), caption = shown.querySelector("[data-caption]")
  if (image) shown.querySelector(".tray-picture").replaceChildren(image)
  shown.querySelector("[data-name]").textContent = entry.file.name
  shown.querySelector("[data-size]").textContent = readable(entry.file.size)
  if (!takesCaption(entry)) caption.remove()
  caption.value = entry.caption
  caption.addEventListener("input", () => { entry.caption = caption.value })
  caption.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); form.requestSubmit() } })
  shown.querySelector("[data-remove]").addEventListener("click", () => remove(form, entry))
  return shown
}
