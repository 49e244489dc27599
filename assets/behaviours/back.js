// a.back: leads back to the list that is beside the conversation, or was before it: its view, filters and sort.

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.back"), list = document.querySelector("#list[hx-get]")
  if (link && list) link.search = new URL(list.getAttribute("hx-get"), location).search
}, true)
