// Searches the page. Everything else is there without this.
const field = document.getElementById('search')
const found = document.getElementById('found')
const contents = document.querySelector('.columns details')
const articles = [...document.querySelectorAll('article')].map((element) => ({
  element,
  text: element.textContent.toLowerCase(),
  link: document.querySelector(`.columns > nav a[href="#${element.id}"]`)?.closest('li'),
}))

function search() {
  const words = field.value.toLowerCase().split(/\s+/).filter(Boolean)
  let count = 0
  for (const { element, text, link } of articles) {
    const isFound = words.every((word) => text.includes(word))
    element.hidden = !isFound
    if (link) link.hidden = !isFound
    count += isFound ? 1 : 0
  }
  for (const part of document.querySelectorAll('.group, .columns > nav section')) {
    part.hidden = !part.querySelector('article:not([hidden]), li:not([hidden])')
  }
  found.textContent = words.length ? `${count} found` : ''
}

// What is linked to is shown, whatever was searched for.
function reveal() {
  const target = location.hash && document.getElementById(location.hash.slice(1))
  if (!target?.closest('[hidden]')) return
  field.value = ''
  search()
  target.scrollIntoView()
}

field.closest('search').hidden = false
field.addEventListener('input', search)
addEventListener('hashchange', reveal)
addEventListener('keydown', (event) => {
  if (event.key === '/' && event.target !== field) {
    event.preventDefault()
    field.focus()
  } else if (event.key === 'Escape' && event.target === field) {
    field.value = ''
    search()
  }
})
// On a narrow screen the list would be all that is seen.
if (!matchMedia('(min-width: 64rem)').matches) contents.open = false
