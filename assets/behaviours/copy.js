// data-copy="<id>": puts what the field with this id holds on the clipboard; data-copies="<selector>": the text of that
// element. While it says so, data-copied shows and data-not-copied hides.

const SHOWN = 2000

function sourceOf({ copy, copies }) {
  return copy ? document.getElementById(copy) : document.querySelector(copies)
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy], [data-copies]")
  const source = button && sourceOf(button.dataset)
  if (!source) return
  source.select?.()
  try {
    await navigator.clipboard.writeText(source.value ?? source.dataset.words ?? source.innerText)
  } catch {
    return // A field is selected: one key copies it.
  }
  show(button, true)
  setTimeout(() => show(button, false), SHOWN)
})

function show(button, isCopied) {
  button.querySelector("[data-copied]").hidden = !isCopied
  button.querySelector("[data-not-copied]").hidden = isCopied
}
