// data-previewed: what is typed into its fields with data-preview is shown where data-preview-of names the same.

document.addEventListener("input", (event) => {
  const field = event.target.closest("[data-previewed] [data-preview]")
  const shown = field && document.querySelector(`[data-preview-of="${field.dataset.preview}"]`)
  if (shown) shown.textContent = field.selectedOptions?.[0].text || field.value || "–"
})
