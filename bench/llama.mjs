// Runs llama.cpp (node-llama-cpp) on request for bench/report, as worker.h does for us.
//   node llama.mjs FOLDER MODEL.gguf IDS.json THREADS
//     FOLDER  where node-llama-cpp is installed; IDS.json has "prompt" and "text"
// A line "prefill" or "decode" is one pass, answered by {}; with " logits" behind it by {"logits"} of
// the last token, [vocabulary].
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const [folder, file, idsFile, count] = process.argv.slice(2);
const threads = Number(count);
const found = createRequire(`${folder}/package.json`).resolve("node-llama-cpp");
const { getLlama, LlamaLogLevel } = await import(pathToFileURL(found));
const llama = await getLlama({ gpu: false, build: "never", logLevel: LlamaLogLevel.error, maxThreads: threads });
const model = await llama.loadModel({ modelPath: file });
const { prompt, text } = JSON.parse(readFileSync(idsFile));
const context = await model.createContext({
  contextSize: prompt.length + text.length + 8, batchSize: 512, threads: { ideal: threads, min: threads },
});
const sequence = context.getSequence();

// Behind the last of these tokens: logits, or the likeliest token, for which scores are computed too.
async function read(ids, wanted) {
  const last = [ids.at(-1), { generateNext: wanted }];
  return (await sequence.controlledEvaluate([...ids.slice(0, -1), last])).at(-1);
}

async function pass(ids, oneByOne, withLogits) {
  const wanted = withLogits ? { logits: true } : { token: true };
  let last;
  for (const part of oneByOne ? ids.map((id) => [id]) : [ids]) last = await read(part, wanted);
  const logits = last.next.logits;
  return withLogits ? { logits: Array.from({ length: logits.size }, (_, id) => logits.get(id)) } : {};
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, withLogits] = line.split(" ");
  const kept = verb === "prefill" ? 0 : prompt.length;
  await sequence.eraseContextTokenRanges([{ start: kept, end: sequence.nextTokenIndex }]);
  console.log(JSON.stringify(await pass(verb === "prefill" ? prompt : text, verb === "decode", withLogits)));
}
