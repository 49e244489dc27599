// data-pictured-as="<place>" on a file field: the file that is chosen is shown in a preview (data-picture="<place>") at
// once, as a picture or by its name, also after the preview was fetched again.

const originals = new WeakMap()

function show(field) {
  const file = field.files[0]
  for (const shown of document.querySelectorAll(`[data-picture="${field.dataset.picturedAs}"]`)) {
    const original = originals.get(shown) ?? shown
    if (shown !== original && shown.src) URL.revokeObjectURL(shown.src)
    const made = file ? drawn(file, original) : original
    if (made !== original) originals.set(made, original)
    if (made !== shown) shown.replaceWith(made)
  }
}

function drawn(file, original) {
  const isPicture = file.type.startsWith("image/")
  const made = isPicture ? document.createElement("img") : original.cloneNode(true)
  if (isPicture) Object.assign(made, { className: "phone-picture", alt: file.name, src: URL.createObjectURL(file) })
  else made.querySelector("span")?.replaceChildren(file.name)
  made.dataset.picture = original.dataset.picture
  return made
}

document.addEventListener("change", (event) => event.target.matches?.("[data-pictured-as]") && show(event.target))
document.addEventListener("htmx:after:swap", () => {
  for (const field of document.querySelectorAll("[data-pictured-as]")) if (field.files.length) show(field)
})
