// data-jump: a link to something in a page that may be this one. What is here already is shown without loading it again.

document.addEventListener("click", (event) => {
  const link = event.target.closest("a[data-jump]")
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !document.querySelector(link.hash)) return
  event.preventDefault()
  location.hash = link.hash
})
