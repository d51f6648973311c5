// JPEG encoders in Node: sharp's defaults, the same with mozjpeg, and Jimp as the site calls it.
import { writeFile } from "node:fs/promises";
import { Jimp } from "jimp";
import sharp from "sharp";
import { serve } from "./lines.mjs";

sharp.concurrency(1);
const OPENED = new Map();

async function prepare(picture) {
  if (!OPENED.has(picture)) {
    const { data, info } = await sharp(picture).raw().toBuffer({ resolveWithObject: true });
    OPENED.clear();
    OPENED.set(picture, { data, info, jimp: await Jimp.read(picture) });
  }
}

async function encoded(picture, way, encode) {
  const { data, info, jimp } = OPENED.get(picture);
  await writeFile(picture.replace(/\.png$/, `.${way}.jpg`), await encode(data, info, jimp));
  return [[info.width, info.height]];
}

const bySharp = (options) => (data, raw) => sharp(data, { raw }).jpeg(options).toBuffer();

await serve(
  {
    sharp: (picture) => encoded(picture, "sharp", bySharp({})),
    mozjpeg: (picture) => encoded(picture, "mozjpeg", bySharp({ mozjpeg: true })),
    jimp: (picture) => encoded(picture, "jimp", (data, info, jimp) => jimp.getBuffer("image/jpeg", { quality: 100 })),
  },
  prepare,
);
