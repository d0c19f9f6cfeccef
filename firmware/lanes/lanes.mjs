// Runs the check compiled for WebAssembly. usage: node lanes.mjs lanes.wasm
import { readFileSync } from "node:fs";

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]));
const web = instance.exports;
const at = web.lanes();
const name = new TextDecoder().decode(new Uint8Array(web.memory.buffer, at, web.length()));
console.log(name === "" ? "lanes: as defined" : `lanes: ${name} is not what it says`);
process.exit(name === "" ? 0 : 1);
