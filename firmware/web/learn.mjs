// Runs the learner compiled for WebAssembly on the examples that the host wrote to examples.bin (see
// src/examples.rs), and prints the reports that a board would log. usage: node learn.mjs web.wasm
import { readFileSync } from "node:fs";

const { instance } = await WebAssembly.instantiate(readFileSync(process.argv[2]));
const web = instance.exports;
const file = readFileSync("examples.bin");
const pixels = web.pixels();
if (file.toString("latin1", 0, 4) !== "APEX" || file.readUInt32LE(4) !== pixels) {
  console.log("examples.bin is not for this network");
  process.exit(2);
}
const seed = [file.readUInt32LE(8), file.readUInt32LE(12)];
const [train, every, test, steps] = [16, 20, 24, 28].map((at) => file.readUInt32LE(at));
let at = 32;

function next() {
  const label = file[at];
  new Uint8Array(web.memory.buffer, web.image(), pixels).set(file.subarray(at + 1, at + 1 + pixels));
  at += 1 + pixels;
  return label;
}

const hex = (number) => BigInt.asUintN(64, number).toString(16).padStart(16, "0");
const due = (number, all) => number === all || (every > 0 && number % every === 0);

function report(examples, wrong, steps) {
  const fired = [0, 1, 2].map((layer) => (layer <= web.layers() ? web.fired(layer) >>> 0 : 0));
  const counts = `trained ${examples} wrong ${wrong} steps ${steps} fired ${fired.join(" ")}`;
  console.log(`${counts} saturated ${web.saturated() >>> 0} digest ${hex(web.digest())}`);
}

web.seed(...seed);
report(0, 0, 0);
let [wrong, taken] = [0, 0];
for (let number = 1; number <= train; number++) {
  const label = next();
  const example = web.train(label);
  wrong += (example & 255) === label ? 0 : 1;
  taken += example >>> 8;
  if (due(number, train)) report(number, wrong, taken);
}

// The digest of the answers, as core/src/digest.rs makes it.
const answers = [0x811c9dc5, 0x9747b28c];
function word(answer) {
  answers[0] = Math.imul(answers[0] ^ answer, 0x01000193);
  answers[1] = Math.imul(((answers[1] << 5) | (answers[1] >>> 27)) ^ answer, 0x9e3779b1);
}

wrong = 0;
for (let index = 0; index < test; index++) {
  const label = next();
  const answer = web.test(steps, ...seed, index);
  wrong += answer === label ? 0 : 1;
  word(answer);
  if (due(index + 1, test)) {
    const digest = answers.map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
    console.log(`tested ${index + 1} wrong ${wrong} answers ${digest}`);
  }
}
