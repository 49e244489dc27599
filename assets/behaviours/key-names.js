// Keys as they are called on this computer: "Mod+K" (data-key, and in a data-key-field) is ⌘K on Apple's and Ctrl+K on others.

const isApple = /Mac|iPhone|iPad/.test(navigator.platform)
const shown = (key) => (isApple ? key.replace("Mod+", "⌘").replace("Shift+", "⇧") : key.replace("Mod", "Ctrl"))
const written = (key) => key.trim().replace(/^⌘\+?/, "Mod+").replace(/^(ctrl|cmd)\+/i, "Mod+").replace("⇧", "Shift+")

document.querySelectorAll("[data-key]").forEach((label) => { label.textContent = shown(label.dataset.key) })
document.querySelectorAll("[data-key-field]").forEach((field) => { field.value = shown(field.value) })
document.addEventListener("formdata", (event) => {
  event.target.querySelectorAll("[data-key-field]").forEach((field) => event.formData.set(field.name, written(field.value)))
})
