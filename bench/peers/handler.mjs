// A site's upload as a plain Node HTTP handler: stores the file, makes the four sizes, and answers when they are there.
// `node handler.mjs sharp|jimp FOLDER OPTIONS` listens on 127.0.0.1 and prints its port. OPTIONS are those of a JPEG, as JSON.
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { Busboy } from "@fastify/busboy";

const [library, folder, options] = process.argv.slice(2);
const SIDES_PX = { full: 2048, medium: 1024, small: 512 };
const THUMB_PX = 200;
const JPEG = { quality: 82, ...JSON.parse(options) };

async function bySharp() {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1); // its default; four resizes run at once, in the four threads of libuv
  sharp.cache(false); // a service sees each picture once
  const jpeg = (original, size, path) =>
    sharp(original).autoOrient().resize(size).jpeg(JPEG).toFile(path);
  return (original, path) =>
    Promise.all([
      ...Object.entries(SIDES_PX).map(([name, side_px]) =>
        jpeg(original, { width: side_px, height: side_px, fit: "inside", withoutEnlargement: true }, path(name)),
      ),
      jpeg(original, { width: THUMB_PX, height: THUMB_PX, fit: "cover" }, path("thumb")),
    ]);
}

async function byJimp() {
  const { Jimp } = await import("jimp");
  return async (original, path) => {
    const whole = await Jimp.read(original); // turned upright
    for (const [name, side_px] of Object.entries(SIDES_PX)) {
      await whole.clone().scaleToFit({ w: side_px, h: side_px }).write(path(name), JPEG);
    }
    await whole.cover({ w: THUMB_PX, h: THUMB_PX }).write(path("thumb"), JPEG);
  };
}

const makeSizes = await { sharp: bySharp, jimp: byJimp }[library]();

async function take(request) {
  const id = randomUUID();
  const original = join(folder, `${id}_original.jpg`);
  const form = new Busboy({ headers: request.headers, limits: { files: 1 } });
  let stored;
  form.on("file", (field, file) => {
    stored = pipeline(file, createWriteStream(original));
  });
  await pipeline(request, form);
  if (!stored) throw new Error("no file");
  await stored;
  await makeSizes(original, (name) => join(folder, `${id}_${name}.jpg`));
  return id;
}

const server = createServer(async (request, response) => {
  const answer = (status, body) => {
    response.writeHead(status, { "content-type": "application/json" });
    response.end(JSON.stringify(body));
  };
  try {
    answer(201, { id: await take(request) });
  } catch (error) {
    answer(500, { error: error.message });
  }
});

server.requestTimeout = 0; // Jimp takes seconds for each, and all wait for the one thread
server.listen(0, "127.0.0.1");
await once(server, "listening");
console.log(server.address().port);
