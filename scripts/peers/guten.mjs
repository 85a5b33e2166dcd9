// @gutenye/ocr-node with its own models, in this process. Reads and prints what
// measure.py says.
//
// usage: guten.mjs FOLDER    the folder that holds node_modules
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const folder = process.argv[2]
const entry = createRequire(join(folder, 'package.json')).resolve('@gutenye/ocr-node')
const { default: Ocr } = await import(pathToFileURL(entry))
const version = (name) => JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'))).version

const reader = await Ocr.create()
const files = readFileSync(0, 'utf8').trimEnd().split('\n')
for (const [measured, file] of [files[0], ...files].entries()) {
  const cpu = process.cpuUsage()
  const wall = performance.now()
  let answer
  try {
    answer = { text: (await reader.detect(file)).map((line) => line.text).join('\n') }
  } catch (error) {
    answer = { error: String(error) }
  }
  const { user, system } = process.cpuUsage(cpu)
  const times = { cpu_s: (user + system) / 1e6, wall_s: (performance.now() - wall) / 1e3 }
  if (measured) console.log(JSON.stringify({ file, ...answer, ...times }))
}
console.log(JSON.stringify({
  version: `@gutenye/ocr-node ${version('@gutenye/ocr-node')}, onnxruntime ${version('onnxruntime-node')}`,
  peak_rss_mb: process.resourceUsage().maxRSS / 1024,
}))
