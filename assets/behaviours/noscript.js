// What a page holds for browsers without scripts. An answer is parsed as if there were none, so a button in its noscript
// would be a button of the form, and the first one: Enter would press it.

document.addEventListener("htmx:before:swap", ({ detail: { tasks } }) => {
  for (const { fragment } of tasks) fragment?.querySelectorAll("noscript").forEach((each) => each.remove())
})
