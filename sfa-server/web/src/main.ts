import '@fontsource-variable/inter/wght.css'
import './theme.css'
import { mount } from 'svelte'
import App from './App.svelte'
import { shell } from '$lib/shell.svelte'

const target = document.getElementById('studio')
if (target) mount(App, { target })
shell.open()
