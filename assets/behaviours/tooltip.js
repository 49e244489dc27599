// A button or link that shows only an icon: pointing at it shows its name.

document.addEventListener("pointerover", (event) => {
  const element = event.target.closest?.(":is(a, button, summary, label)[aria-label]:not([title])")
  if (element && !element.innerText.trim()) element.title = element.ariaLabel
})
