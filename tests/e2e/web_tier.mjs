// A site's Node tier with the module of clients/web-tier: does what each line of its input says, and prints what came of it.
import { createReadStream } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { createInterface } from "node:readline";
import { createImageService } from "../../clients/web-tier/index.js";

const errors = [];
const onError = (error, about) => {
  errors.push({ code: error.code ?? error.name, ...about });
  throw new Error("of the hook itself");
};
const images = createImageService({ ...JSON.parse(process.argv[2]), onError });

const given = { path: (path) => path, buffer: readFile, stream: createReadStream };

/** The site's own code: says how many bytes it was given, and why it had to. */
async function own(source, error) {
  if (typeof source === "string") return { bytes: (await stat(source)).size, why: error?.code };
  let bytes = 0;
  for await (const piece of source instanceof Uint8Array ? [source] : source) bytes += piece.length;
  return { bytes, why: error?.code };
}

const acts = {
  isOn: ({ key }) => images.isOn(key),
  async upload({ path, as = "path", alone = false, ...how }) {
    return images.upload(await given[as](path), alone ? how : { ...how, fallback: own });
  },
  wait: ({ jobId, ...how }) => images.wait(jobId, how),
  async shadow({ legacyKey, path, as = "path", ...how }) {
    images.shadow(legacyKey, path && (await given[as](path)), how);
    return null;
  },
  idle: () => images.idle(),
  seen: () => ({ counts: images.counts, errors: errors.splice(0) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...how } = JSON.parse(line);
  try {
    console.log(JSON.stringify({ came: (await acts[act](how)) ?? null }));
  } catch ({ code, message, status, passes }) {
    console.log(JSON.stringify({ thrown: { code, message, status, passes } }));
  }
}
