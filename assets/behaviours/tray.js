// Files on their way into a message. They come from data-attach (a file input), from what is dropped on data-drop or
// pasted into the composer, are checked against data-limits, and wait in data-tray with a caption and a way to take
// them out again. What WhatsApp would refuse is said in words (data-said) and does not get in.

const trays = new Map()

const keyOf = (form) => form.dataset.composer
const trayOf = (form) => form.querySelector("[data-tray]")
const UNITS = [[1048576, "MB"], [1024, "KB"]]

export const entriesOf = (form) => trays.get(keyOf(form)) ?? []

export function say(form, words) {
  const said = form.querySelector("[data-said]")
  if (!said) return
  said.textContent = words
  said.hidden = !words
}

export function readable(size) {
  const [unit, name] = UNITS.find(([unit]) => size >= unit) ?? [1024, "KB"]
  return `${(size / unit).toLocaleString(document.documentElement.lang, { maximumFractionDigits: 1 })} ${name}`
}

const TYPES = { csv: "text/plain", txt: "text/plain", pdf: "application/pdf", mp4: "video/mp4", "3gp": "video/3gpp", mp3: "audio/mpeg", m4a: "audio/mp4", ogg: "audio/ogg", amr: "audio/amr", aac: "audio/aac" }
const SAME = { "audio/x-m4a": "audio/mp4", "audio/mp3": "audio/mpeg", "application/ogg": "audio/ogg", "text/csv": "text/plain" }

// What kind of message a file becomes, if the browser can tell. The server looks inside.
export function kindOf(form, file) {
  const limits = JSON.parse(trayOf(form).dataset.limits)
  const type = SAME[file.type] ?? (file.type || TYPES[file.name.split(".").pop().toLowerCase()])
  return Object.entries(limits).map(([kind, { most, types }]) => ({ kind, most, taken: types.includes(type) })).find(({ taken }) => taken)
}

function problemWith(form, file) {
  const words = trayOf(form).dataset
  const found = kindOf(form, file)
  const told = (sentence, facts) => Object.entries(facts).reduce((text, [name, fact]) => text.replace(`{${name}}`, fact), sentence)
  if (!file.size) return told(words.wordsEmpty, { name: file.name })
  if (!found && file.type) return told(words.wordsType, { name: file.name })
  if (found && file.size > found.most) {
    return told(words.wordsLarge, { name: file.name, size: readable(file.size), most: readable(found.most), over: readable(file.size - found.most) })
  }
}

export function take(form, files) {
  if (!trayOf(form)) return
  const problems = []
  const entries = [...entriesOf(form)]
  for (const file of files) {
    const problem = problemWith(form, file)
    if (problem) problems.push(problem)
    else entries.push({ file, caption: "", kind: kindOf(form, file)?.kind })
  }
  trays.set(keyOf(form), entries)
  say(form, problems.join(" "))
  render(form)
  form.elements.body.focus()
}

// A file that the server has already, with where its picture is.
export function takeKept(form, { id, name, size, kind, address }) {
  trays.set(keyOf(form), [...entriesOf(form), { kept: id, file: { name, size, type: "" }, address, kind, caption: "" }])
  render(form)
}

export function empty(form) {
  trays.delete(keyOf(form))
  render(form)
}

export function putBack(form, entry) {
  trays.set(keyOf(form), [entry, ...entriesOf(form)])
  render(form)
}

export function picture(entry) {
  if (!entry.address && !/^image\/(jpeg|png|webp)$/.test(entry.file.type)) return
  entry.address ||= URL.createObjectURL(entry.file)
  return Object.assign(document.createElement("img"), { src: entry.address, alt: "" })
}

// Once it is sent, or thrown away.
export function forget(entry) {
  if (entry?.address && !entry.kept) URL.revokeObjectURL(entry.address)
}

export function render(form) {
  const tray = trayOf(form)
  if (!tray) return
  const item = form.querySelector("template[data-tray-item]").content.firstElementChild
  tray.replaceChildren(...entriesOf(form).map((entry) => {
    const shown = item.cloneNode(true)
    const image = picture(entry)
    if (image) shown.querySelector(".tray-picture").replaceChildren(image)
    shown.querySelector("[data-name]").textContent = entry.file.name
    shown.querySelector("[data-size]").textContent = readable(entry.file.size)
    const caption = shown.querySelector("[data-caption]")
    if (!["image", "video", "document"].includes(entry.kind)) caption.remove()
    caption.value = entry.caption
    caption.addEventListener("input", () => { entry.caption = caption.value })
    caption.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); form.requestSubmit() } })
    shown.querySelector("[data-remove]").addEventListener("click", () => {
      trays.set(keyOf(form), entriesOf(form).filter((other) => other !== entry))
      forget(entry)
      render(form)
      form.elements.body.focus()
    })
    return shown
  }))
  tray.hidden = !tray.children.length
}

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files")
const dropped = (event) => event.target.closest?.("[data-drop]")

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-attach]")) return
  const form = event.target.form
  take(form, event.target.files)
  event.target.value = ""
  event.target.closest("[popover]")?.hidePopover()
})
document.addEventListener("paste", (event) => {
  const form = event.target.closest?.("[data-composer]")
  if (!form || !event.clipboardData?.files.length) return
  event.preventDefault()
  take(form, event.clipboardData.files)
})
document.addEventListener("dragover", (event) => {
  if (!carriesFiles(event)) return
  event.preventDefault()
  document.querySelectorAll("[data-drop]").forEach((place) => place.classList.toggle("dropping", place === dropped(event)))
})
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.querySelectorAll(".dropping").forEach((place) => place.classList.remove("dropping"))
})
document.addEventListener("drop", (event) => {
  if (!carriesFiles(event)) return
  // Anywhere else the browser would leave the page for the file.
  event.preventDefault()
  document.querySelectorAll(".dropping").forEach((place) => place.classList.remove("dropping"))
  const form = dropped(event) && document.querySelector(dropped(event).dataset.drop)
  if (form) take(form, event.dataTransfer.files)
})
